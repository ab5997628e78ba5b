//! Serialization of value types with serde, as their text form; numbers of the catalogue as
//! integers.

use std::fmt;
use std::marker::PhantomData;
use std::str::FromStr;

use serde::de::{Deserialize, Deserializer, Error, Visitor};
use serde::ser::{Serialize, Serializer};

use crate::{
    ChannelId, Interval, MetricTypeId, Pointer, SeriesName, SessionId, Timestamp, UserId, Weekday,
};

/// Parses a string with [`FromStr`].
struct TextVisitor<T>(PhantomData<T>);

impl<T: FromStr<Err: fmt::Display>> Visitor<'_> for TextVisitor<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
        text.parse()
            .map_err(|e| E::custom(format_args!("{text:?} {e}")))
    }
}

macro_rules! serde_as_text {
    ($($type:ty),+ $(,)?) => {$(
        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserializer.deserialize_str(TextVisitor(PhantomData))
            }
        }
    )+};
}

macro_rules! serde_as_number {
    ($($type:ty),+ $(,)?) => {$(
        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                self.0.serialize(serializer)
            }
        }

        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                Deserialize::deserialize(deserializer).map(Self)
            }
        }
    )+};
}

serde_as_text!(
    Timestamp, Interval, Weekday, UserId, SessionId, SeriesName, Pointer
);
serde_as_number!(MetricTypeId, ChannelId);

#[cfg(test)]
mod tests {
    use serde::de::DeserializeOwned;

    use super::*;

    fn check<T: Serialize + DeserializeOwned + PartialEq + fmt::Debug>(value: &T, json: &str) {
        assert_eq!(serde_json::to_string(value).expect("serializable"), json);
        assert_eq!(serde_json::from_str::<T>(json).as_ref().ok(), Some(value));
    }

    #[test]
    fn value_types_serialize_as_text() {
        check(&Timestamp::EPOCH, r#""1970-01-01T00:00:00Z""#);
        check(&Interval::Months(3), r#""3mo""#);
        check(&Weekday::Sunday, r#""sunday""#);
        check(
            &UserId(uuid::Uuid::nil()),
            r#""00000000-0000-0000-0000-000000000000""#,
        );
        check(
            &SessionId(uuid::Uuid::nil()),
            r#""00000000-0000-0000-0000-000000000000""#,
        );
        check(&SeriesName::parse("a.b").expect("a name"), r#""a.b""#);
        check(&Pointer::parse("/a~1b").expect("a pointer"), r#""/a~1b""#);
        check(&MetricTypeId(7), "7");
    }

    #[test]
    fn errors_quote_the_text() {
        let error = serde_json::from_str::<Interval>(r#""1M""#).expect_err("no interval");
        assert!(
            error.to_string().starts_with(r#""1M" is not an interval"#),
            "{error}"
        );
    }
}
