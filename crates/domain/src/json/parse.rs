//! Reading JSON by walking raw slices, so that every number's text is seen and every fault has a pointer.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
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
        let raw: &RawValue = serde_json::from_str(text).map_err(|e| at_root(JsonErrorKind::Syntax(e.to_string())))?;
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
        parse(raw.get(), &mut Vec::new(), Number::parse)
    }

    /// Reads what was printed from an accepted value. It may be longer than what was sent: `1e14` prints
    /// with all its zeros.
    pub(crate) fn parse_printed(raw: &RawValue) -> Result<Self, JsonError> {
        parse(raw.get(), &mut Vec::new(), Number::parse_printed)
    }
}

type ReadNumber = fn(&str) -> Result<Number, NumberError>;

const fn at_root(kind: JsonErrorKind) -> JsonError {
    JsonError { pointer: Pointer::root(), kind }
}

fn parse(text: &str, path: &mut Vec<String>, read_number: ReadNumber) -> Result<Json, JsonError> {
    let fail = |path: &[String], kind| JsonError { pointer: Pointer::from_tokens(path.to_vec()), kind };
    let syntax = |path: &[String], e: &serde_json::Error| fail(path, JsonErrorKind::Syntax(e.to_string()));
    match text.as_bytes().first() {
        Some(b'{') => {
            descend(path)?;
            let fields: RawFields<'_> = serde_json::from_str(text).map_err(|e| string_or_syntax(path, &e))?;
            let mut members = BTreeMap::new();
            for (key, raw) in fields.0 {
                if key.contains('\0') {
                    return Err(fail(path, JsonErrorKind::NulCharacter));
                }
                if members.contains_key(key.as_ref()) {
                    return Err(fail(path, JsonErrorKind::DuplicateKey(key.into_owned())));
                }
                path.push(key.into_owned());
                let member = parse(raw.get(), path, read_number)?;
                if let Some(key) = path.pop() {
                    members.insert(key, member);
                }
            }
            Ok(Json::Object(members))
        }
        Some(b'[') => {
            descend(path)?;
            let raws: Vec<&RawValue> = serde_json::from_str(text).map_err(|e| syntax(path, &e))?;
            let mut items = Vec::with_capacity(raws.len());
            for (i, raw) in raws.into_iter().enumerate() {
                path.push(i.to_string());
                items.push(parse(raw.get(), path, read_number)?);
                path.pop();
            }
            Ok(Json::Array(items))
        }
        Some(b'"') => {
            let s: String = serde_json::from_str(text).map_err(|e| string_or_syntax(path, &e))?;
            if s.contains('\0') {
                return Err(fail(path, JsonErrorKind::NulCharacter));
            }
            Ok(Json::String(s))
        }
        Some(b't') => Ok(Json::Bool(true)),
        Some(b'f') => Ok(Json::Bool(false)),
        Some(b'n') => Ok(Json::Null),
        _ => read_number(text).map(Json::Number).map_err(|e| fail(path, JsonErrorKind::Number(e))),
    }
}

fn descend(path: &[String]) -> Result<(), JsonError> {
    if path.len() < MAX_DEPTH {
        return Ok(());
    }
    Err(JsonError { pointer: Pointer::from_tokens(path.to_vec()), kind: JsonErrorKind::TooDeep })
}

/// The syntax was checked before, so what fails now is the text of a string.
fn string_or_syntax(path: &[String], e: &serde_json::Error) -> JsonError {
    JsonError { pointer: Pointer::from_tokens(path.to_vec()), kind: JsonErrorKind::InvalidString(e.to_string()) }
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
        assert_eq!(fault(r#"{"a":[1,"\u0000"]}"#), ("/a/1".into(), JsonErrorKind::NulCharacter));
        assert_eq!(fault(r#"{"a":{"b":1,"\u0062":2}}"#), ("/a".into(), JsonErrorKind::DuplicateKey("b".into())));
        assert_eq!(fault(r#"{"a":1e141}"#), ("/a".into(), JsonErrorKind::Number(NumberError::TooLarge)));
        assert!(matches!(fault(r#"["\ud800"]"#), (p, JsonErrorKind::InvalidString(_)) if p == "/0"));
    }

    #[test]
    fn depth_is_bounded_before_the_stack_is() {
        let deep = |n: usize| format!("{}1{}", "[".repeat(n), "]".repeat(n));
        assert!(Json::parse(&deep(MAX_DEPTH)).is_ok());
        assert_eq!(fault(&deep(MAX_DEPTH + 1)).1, JsonErrorKind::TooDeep);
        assert_eq!(fault(&deep(100_000)).1, JsonErrorKind::TooDeep);
    }

    #[test]
    fn text_survives_a_round_trip() {
        let text = r#"{"a":[null,true,-0.0,"\u0001é"],"b":{}}"#;
        let parsed = Json::parse(text).expect("valid");
        assert_eq!(Json::parse(&parsed.to_string()), Ok(parsed));
    }
}
