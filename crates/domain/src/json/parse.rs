//! Reads JSON in one pass, with the text of every number, and a pointer to every fault.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use serde::de::{Deserialize, DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::{Json, Number, NumberError};
use crate::channel::Pointer;

/// The deepest nesting of arrays and objects in a value.
pub const MAX_DEPTH: usize = 64;
/// The longest JSON text of one value, in bytes.
pub const MAX_VALUE_BYTES: usize = 1 << 20;

/// A fault in a JSON value, and where in the value it is.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{kind}")]
pub struct JsonError {
    /// Where, from the root of the value that was parsed.
    pub pointer: Pointer,
    /// What is wrong.
    pub kind: JsonErrorKind,
}

/// What is wrong with a JSON value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JsonErrorKind {
    /// Not JSON.
    #[error("is not valid JSON: {0}")]
    Syntax(String),
    /// The same key twice in one object.
    #[error("has the key {0:?} twice; send it once")]
    DuplicateKey(String),
    /// U+0000, which PostgreSQL cannot store.
    #[error("contains the NUL character (\\u0000), which cannot be stored; remove it")]
    NulCharacter,
    /// Not Unicode: a lone surrogate, or a raw control character.
    #[error("is not a valid string: {0}")]
    InvalidString(String),
    /// Deeper than [`MAX_DEPTH`].
    #[error("is nested deeper than 64 levels")]
    TooDeep,
    /// Longer than [`MAX_VALUE_BYTES`].
    #[error("is longer than 1 MiB")]
    TooLong,
    /// A number that cannot be kept.
    #[error("{0}")]
    Number(#[from] NumberError),
}

impl Json {
    /// Reads a JSON text exactly.
    ///
    /// ```
    /// use time_series_domain::Json;
    ///
    /// let value = Json::parse(r#"{"id": 9007199254740993, "a": 1.0}"#)?;
    /// assert_eq!(value.to_string(), r#"{"a":1,"id":9007199254740993}"#);
    /// # Ok::<(), time_series_domain::JsonError>(())
    /// ```
    ///
    /// # Errors
    /// [`JsonError`] with the place of the first fault.
    pub fn parse(text: &str) -> Result<Self, JsonError> {
        let raw: &RawValue = serde_json::from_str(text)
            .map_err(|e| at_root(JsonErrorKind::Syntax(e.to_string())))?;
        Self::parse_raw(raw)
    }

    /// Reads a slice whose syntax a JSON parser has already checked.
    ///
    /// # Errors
    /// [`JsonError`] with the place of the first fault.
    pub fn parse_raw(raw: &RawValue) -> Result<Self, JsonError> {
        if raw.get().len() > MAX_VALUE_BYTES {
            return Err(at_root(JsonErrorKind::TooLong));
        }
        Parser::parse(raw.get(), Number::parse)
    }

    /// Reads the value at the start of `text`, a slice of a JSON text whose syntax was checked as a whole; takes its length
    /// off the bytes that are `left` for it.
    pub(crate) fn parse_leading(text: &str, left: &mut usize) -> Result<Self, JsonError> {
        let mut values = serde_json::Deserializer::from_str(text).into_iter::<&RawValue>();
        let raw = match values.next() {
            Some(Ok(raw)) => raw,
            Some(Err(e)) => return Err(at_root(JsonErrorKind::Syntax(e.to_string()))),
            None => {
                return Err(at_root(JsonErrorKind::Syntax(
                    "there is no value".to_owned(),
                )));
            }
        };
        *left = left
            .checked_sub(raw.get().len())
            .ok_or_else(|| at_root(JsonErrorKind::TooLong))?;
        Self::parse_raw(raw)
    }

    /// Reads what was printed from an accepted value. It may be longer than what was sent: `1e14` prints
    /// with all its zeros.
    pub(crate) fn parse_printed(text: &str) -> Result<Self, JsonError> {
        Parser::parse(text, Number::parse_printed)
    }
}

const fn at_root(kind: JsonErrorKind) -> JsonError {
    JsonError {
        pointer: Pointer::root(),
        kind,
    }
}

/// Reads a value in one pass. The deserializer reports numbers as doubles, so their text is read beside it.
struct Parser<'t> {
    numbers: NumberTokens<'t>,
    read_number: fn(&str) -> Result<Number, NumberError>,
    /// Where the value that is being read is. After an error, where that occurred.
    path: Vec<Step>,
    /// The error, if it is not one of syntax.
    fault: Option<JsonErrorKind>,
}

enum Step {
    Key(String),
    Index(usize),
}

impl<'t> Parser<'t> {
    fn parse(
        text: &'t str,
        read_number: fn(&str) -> Result<Number, NumberError>,
    ) -> Result<Json, JsonError> {
        let numbers = NumberTokens { text, at: 0 };
        let mut parser = Self {
            numbers,
            read_number,
            path: Vec::new(),
            fault: None,
        };
        let mut deserializer = serde_json::Deserializer::from_str(text);
        let parsed = Value(&mut parser).deserialize(&mut deserializer);
        parsed.map_err(|e| JsonError {
            kind: parser.kind_of(&e),
            pointer: parser.pointer(),
        })
    }

    /// Syntax was checked before, so what else fails is the text of a string or a number beyond a double.
    fn kind_of(&mut self, e: &serde_json::Error) -> JsonErrorKind {
        self.fault.take().unwrap_or_else(|| {
            let message = e.to_string();
            if message.starts_with("number out of range") {
                let refused = self
                    .numbers
                    .next()
                    .and_then(|token| (self.read_number)(token).err());
                JsonErrorKind::Number(refused.unwrap_or(NumberError::TooLarge))
            } else {
                JsonErrorKind::InvalidString(message)
            }
        })
    }

    fn pointer(self) -> Pointer {
        let token = |step| match step {
            Step::Key(key) => key,
            Step::Index(index) => index.to_string(),
        };
        Pointer::from_tokens(self.path.into_iter().map(token).collect())
    }

    fn fail<E: Error>(&mut self, kind: JsonErrorKind) -> E {
        self.fault = Some(kind);
        E::custom("a value that cannot be kept")
    }

    fn descend<E: Error>(&mut self) -> Result<(), E> {
        if self.path.len() < MAX_DEPTH {
            Ok(())
        } else {
            Err(self.fail(JsonErrorKind::TooDeep))
        }
    }

    fn number<E: Error>(&mut self) -> Result<Json, E> {
        let token = self.numbers.next().unwrap_or_default();
        (self.read_number)(token)
            .map(Json::Number)
            .map_err(|e| self.fail(JsonErrorKind::Number(e)))
    }

    fn string<E: Error>(&mut self, text: String) -> Result<Json, E> {
        if text.contains('\0') {
            Err(self.fail(JsonErrorKind::NulCharacter))
        } else {
            Ok(Json::String(text))
        }
    }
}

/// The value that comes next.
struct Value<'p, 't>(&'p mut Parser<'t>);

impl<'de> DeserializeSeed<'de> for Value<'_, '_> {
    type Value = Json;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Json, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Value<'_, '_> {
    type Value = Json;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E: Error>(self) -> Result<Json, E> {
        Ok(Json::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Json, E> {
        Ok(Json::Bool(value))
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<Json, E> {
        self.0.number()
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<Json, E> {
        self.0.number()
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<Json, E> {
        self.0.number()
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Json, E> {
        self.0.string(text.to_owned())
    }

    fn visit_string<E: Error>(self, text: String) -> Result<Json, E> {
        self.0.string(text)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Json, A::Error> {
        let Self(parser) = self;
        parser.descend()?;
        let mut items = Vec::new();
        parser.path.push(Step::Index(0));
        while let Some(item) = elements.next_element_seed(Value(parser))? {
            items.push(item);
            if let Some(Step::Index(index)) = parser.path.last_mut() {
                *index += 1;
            }
        }
        parser.path.pop();
        items.shrink_to_fit();
        Ok(Json::Array(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Json, A::Error> {
        let Self(parser) = self;
        parser.descend()?;
        let mut members = BTreeMap::new();
        while let Some(Key(key)) = fields.next_key::<Key<'de>>()? {
            if key.contains('\0') {
                return Err(parser.fail(JsonErrorKind::NulCharacter));
            }
            if members.contains_key(key.as_ref()) {
                return Err(parser.fail(JsonErrorKind::DuplicateKey(key.into_owned())));
            }
            parser.path.push(Step::Key(key.into_owned()));
            let member = fields.next_value_seed(Value(parser))?;
            if let Some(Step::Key(key)) = parser.path.pop() {
                members.insert(key, member);
            }
        }
        Ok(Json::Object(members))
    }
}

/// The texts of the numbers in a JSON text whose syntax was checked, in order.
struct NumberTokens<'t> {
    text: &'t str,
    at: usize,
}

impl<'t> Iterator for NumberTokens<'t> {
    type Item = &'t str;

    fn next(&mut self) -> Option<&'t str> {
        let bytes = self.text.as_bytes();
        loop {
            match bytes.get(self.at)? {
                b'"' => self.skip_string(),
                b'-' | b'0'..=b'9' => break,
                _ => self.at += 1,
            }
        }
        let start = self.at;
        let is_part = |b: &u8| matches!(b, b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E');
        self.at += bytes[start..].iter().take_while(|b| is_part(b)).count();
        Some(&self.text[start..self.at])
    }
}

impl NumberTokens<'_> {
    fn skip_string(&mut self) {
        let bytes = self.text.as_bytes();
        self.at += 1;
        while let Some(byte) = bytes.get(self.at) {
            self.at += if *byte == b'\\' { 2 } else { 1 };
            if *byte == b'"' {
                return;
            }
        }
    }
}

/// The members of a JSON object in order of appearance, each value unread; duplicates are kept.
#[derive(Debug)]
pub struct RawFields<'a>(pub Vec<(Cow<'a, str>, &'a RawValue)>);

impl<'de> Deserialize<'de> for RawFields<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct FieldsVisitor;
        impl<'de> Visitor<'de> for FieldsVisitor {
            type Value = RawFields<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a JSON object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut fields = Vec::new();
                while let Some((Key(key), value)) = map.next_entry::<Key<'de>, &'de RawValue>()? {
                    fields.push((key, value));
                }
                Ok(RawFields(fields))
            }
        }
        deserializer.deserialize_map(FieldsVisitor)
    }
}

/// A key, borrowed where it has no escapes.
#[derive(serde::Deserialize)]
struct Key<'a>(#[serde(borrow)] Cow<'a, str>);

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(text: &str) -> (String, JsonErrorKind) {
        let e = Json::parse(text).expect_err("a fault");
        (e.pointer.to_string(), e.kind)
    }

    #[test]
    fn faults_name_their_place() {
        assert_eq!(
            fault(r#"{"a":[1,"\u0000"]}"#),
            ("/a/1".into(), JsonErrorKind::NulCharacter)
        );
        assert_eq!(
            fault(r#"{"a":{"b":1,"\u0062":2}}"#),
            ("/a".into(), JsonErrorKind::DuplicateKey("b".into()))
        );
        assert_eq!(
            fault(r#"{"a":1e141}"#),
            ("/a".into(), JsonErrorKind::Number(NumberError::TooLarge))
        );
        assert!(
            matches!(fault(r#"["\ud800"]"#), (p, JsonErrorKind::InvalidString(_)) if p == "/0")
        );
    }

    #[test]
    fn depth_is_bounded_before_the_stack_is() {
        let deep = |n: usize| format!("{}1{}", "[".repeat(n), "]".repeat(n));
        assert!(Json::parse(&deep(MAX_DEPTH)).is_ok());
        assert_eq!(fault(&deep(MAX_DEPTH + 1)).1, JsonErrorKind::TooDeep);
        assert_eq!(fault(&deep(100_000)).1, JsonErrorKind::TooDeep);
    }

    #[test]
    fn numbers_are_read_from_their_own_text_wherever_they_are() {
        let text = r#"{"1":"-2","a\"3":[4.50,{"b":9007199254740993}],"c":[[],[1e2,-0.0]],"d\\":5}"#;
        let parsed = Json::parse(text).expect("valid");
        assert_eq!(
            parsed.to_string(),
            r#"{"1":"-2","a\"3":[4.5,{"b":9007199254740993}],"c":[[],[100,-0.0]],"d\\":5}"#
        );
    }

    #[test]
    fn a_number_beyond_a_double_is_named_where_it_is() {
        let huge = format!("1{}", "0".repeat(400));
        for number in ["1e999", "-1e999", &huge] {
            let (pointer, kind) = fault(&format!(r#"{{"a":"1","b":[2,{number}]}}"#));
            assert_eq!(
                (pointer.as_str(), kind),
                ("/b/1", JsonErrorKind::Number(NumberError::TooLarge)),
                "{number}"
            );
        }
    }

    #[test]
    fn text_survives_a_round_trip() {
        let text = r#"{"a":[null,true,-0.0,"\u0001é"],"b":{}}"#;
        let parsed = Json::parse(text).expect("valid");
        assert_eq!(Json::parse(&parsed.to_string()), Ok(parsed));
    }
}
