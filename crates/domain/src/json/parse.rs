//! Parses JSON in one pass, with exact numbers and the location of the first error.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::error::{JsonError, JsonErrorKind};
use super::number::{Number, NumberError};
use super::number_tokens::NumberTokens;
use super::pointer::Pointer;
use super::raw_fields::Key;
use super::value::Json;

/// Maximum nesting of arrays and objects in a value.
pub const MAX_DEPTH: usize = 64;
/// Maximum length of the JSON text of one value, in bytes.
pub const MAX_VALUE_BYTES: usize = 1 << 20;

impl Json {
    /// Parses a JSON text without loss of digits.
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
    /// [`JsonError`] with the location of the first error.
    pub fn parse(text: &str) -> Result<Self, JsonError> {
        let raw: &RawValue = serde_json::from_str(text)
            .map_err(|e| JsonError::at_root(JsonErrorKind::Syntax(e.to_string())))?;
        Self::parse_raw(raw)
    }

    /// Parses a syntactically valid slice of a JSON text.
    ///
    /// # Errors
    /// [`JsonError`] with the location of the first error.
    pub fn parse_raw(raw: &RawValue) -> Result<Self, JsonError> {
        if raw.get().len() > MAX_VALUE_BYTES {
            return Err(JsonError::at_root(JsonErrorKind::TooLong));
        }
        Parser::parse(raw.get(), Number::parse)
    }

    /// Parses the value at the start of `text`, a slice of a syntactically valid JSON text, and
    /// subtracts its length from the remaining bytes `left`.
    #[cfg(feature = "schema")]
    pub(crate) fn parse_leading(text: &str, left: &mut usize) -> Result<Self, JsonError> {
        let mut values = serde_json::Deserializer::from_str(text).into_iter::<&RawValue>();
        let raw = match values.next() {
            Some(Ok(raw)) => raw,
            Some(Err(e)) => return Err(JsonError::at_root(JsonErrorKind::Syntax(e.to_string()))),
            None => {
                return Err(JsonError::at_root(JsonErrorKind::Syntax(
                    "there is no value".to_owned(),
                )));
            }
        };
        *left = left
            .checked_sub(raw.get().len())
            .ok_or_else(|| JsonError::at_root(JsonErrorKind::TooLong))?;
        Self::parse_raw(raw)
    }

    /// Parses the printed text of an accepted value. The text may be longer than the accepted one:
    /// `1e14` prints with all its zeros.
    pub(crate) fn parse_printed(text: &str) -> Result<Self, JsonError> {
        Parser::parse(text, Number::parse_printed)
    }
}

impl FromStr for Json {
    type Err = JsonError;

    /// Parses as [`Json::parse`] does.
    fn from_str(text: &str) -> Result<Self, JsonError> {
        Self::parse(text)
    }
}

/// A one-pass parser. The deserializer reports numbers as doubles, so that their digits are taken
/// from a parallel scan of the number tokens.
struct Parser<'t> {
    numbers: NumberTokens<'t>,
    read_number: fn(&str) -> Result<Number, NumberError>,
    /// The location of the current value; after an error, the location of the error.
    path: Vec<Step>,
    /// The error, unless the deserializer reported it.
    error: Option<JsonErrorKind>,
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
        let mut parser = Self {
            numbers: NumberTokens::new(text),
            read_number,
            path: Vec::new(),
            error: None,
        };
        let mut deserializer = serde_json::Deserializer::from_str(text);
        let parsed = Value(&mut parser).deserialize(&mut deserializer);
        parsed.map_err(|e| JsonError {
            kind: parser.kind_of(&e),
            pointer: parser.pointer(),
        })
    }

    /// The syntax is valid: the deserializer fails only for invalid strings and for numbers beyond
    /// a double.
    fn kind_of(&mut self, e: &serde_json::Error) -> JsonErrorKind {
        self.error.take().unwrap_or_else(|| {
            let message = e.to_string();
            if message.starts_with("number out of range") {
                let error = self
                    .numbers
                    .next()
                    .and_then(|token| (self.read_number)(token).err());
                JsonErrorKind::Number(error.unwrap_or(NumberError::TooLarge))
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
        self.error = Some(kind);
        E::custom("a value that is not accepted")
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

/// The seed of the next value.
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

#[cfg(test)]
mod tests {
    use super::*;

    fn error(text: &str) -> (String, JsonErrorKind) {
        let e = Json::parse(text).expect_err("an error");
        (e.pointer.to_string(), e.kind)
    }

    #[test]
    fn errors_name_their_location() {
        assert_eq!(
            error(r#"{"a":[1,"\u0000"]}"#),
            ("/a/1".into(), JsonErrorKind::NulCharacter)
        );
        assert_eq!(
            error(r#"{"a":{"b":1,"\u0062":2}}"#),
            ("/a".into(), JsonErrorKind::DuplicateKey("b".into()))
        );
        assert_eq!(
            error(r#"{"a":1e141}"#),
            ("/a".into(), JsonErrorKind::Number(NumberError::TooLarge))
        );
        assert!(
            matches!(error(r#"["\ud800"]"#), (p, JsonErrorKind::InvalidString(_)) if p == "/0")
        );
    }

    #[test]
    fn nesting_is_limited_before_the_stack_overflows() {
        let deep = |n: usize| format!("{}1{}", "[".repeat(n), "]".repeat(n));
        assert!(Json::parse(&deep(MAX_DEPTH)).is_ok());
        assert_eq!(error(&deep(MAX_DEPTH + 1)).1, JsonErrorKind::TooDeep);
        assert_eq!(error(&deep(100_000)).1, JsonErrorKind::TooDeep);
    }

    #[test]
    fn every_number_is_parsed_from_its_own_token() {
        let text = r#"{"1":"-2","a\"3":[4.50,{"b":9007199254740993}],"c":[[],[1e2,-0.0]],"d\\":5}"#;
        let parsed = Json::parse(text).expect("valid");
        assert_eq!(
            parsed.to_string(),
            r#"{"1":"-2","a\"3":[4.5,{"b":9007199254740993}],"c":[[],[100,-0.0]],"d\\":5}"#
        );
    }

    #[test]
    fn a_number_beyond_a_double_is_reported_with_its_location() {
        let huge = format!("1{}", "0".repeat(400));
        for number in ["1e999", "-1e999", &huge] {
            let (pointer, kind) = error(&format!(r#"{{"a":"1","b":[2,{number}]}}"#));
            assert_eq!(
                (pointer.as_str(), kind),
                ("/b/1", JsonErrorKind::Number(NumberError::TooLarge)),
                "{number}"
            );
        }
    }

    #[test]
    fn printed_text_parses_to_the_same_value() {
        let text = r#"{"a":[null,true,-0.0,"\u0001é"],"b":{}}"#;
        let parsed = Json::parse(text).expect("valid");
        assert_eq!(Json::parse(&parsed.to_string()), Ok(parsed));
    }
}
