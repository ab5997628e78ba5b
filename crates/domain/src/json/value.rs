//! A JSON value with exact numbers and sorted keys.

use std::collections::BTreeMap;
use std::fmt;

use super::number::Number;
use super::pointer::Pointer;

/// A JSON value. Object keys are sorted; numbers keep all digits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Json {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number.
    Number(Number),
    /// A string without NUL characters.
    String(String),
    /// An array.
    Array(Vec<Json>),
    /// An object with sorted keys.
    Object(BTreeMap<String, Json>),
}

impl Json {
    /// Returns the approximate length of the JSON text, in bytes.
    #[must_use]
    pub fn text_len(&self) -> usize {
        8 * self.weight()
    }

    /// Returns the approximate memory, in units of 8 bytes.
    pub(crate) fn weight(&self) -> usize {
        const NODE: usize = 4;
        NODE + match self {
            Self::Null | Self::Bool(_) | Self::Number(_) => 0,
            Self::String(text) => text.len() / 8,
            Self::Array(items) => items.iter().map(Self::weight).sum(),
            Self::Object(members) => members
                .iter()
                .map(|(key, value)| NODE + key.len() / 8 + value.weight())
                .sum(),
        }
    }

    /// Returns the number of nesting levels, including the value itself.
    #[must_use]
    pub fn levels(&self) -> usize {
        1 + match self {
            Self::Array(items) => items.iter().map(Self::levels).max().unwrap_or(0),
            Self::Object(members) => members.values().map(Self::levels).max().unwrap_or(0),
            _ => 0,
        }
    }

    /// Returns the member `key` of an object.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Self> {
        match self {
            Self::Object(members) => members.get(key),
            _ => None,
        }
    }

    /// Returns the value that text aggregates use: the member of an object whose only member is
    /// `value`, and otherwise the value itself; `None` for null.
    #[must_use]
    pub fn unwrapped(self) -> Option<Self> {
        let inner = match self {
            Self::Object(mut members) if members.len() == 1 && members.contains_key("value") => {
                members.remove("value")?
            }
            other => other,
        };
        (inner != Self::Null).then_some(inner)
    }

    /// Converts the value for JSON Schema validation: integers of at most 64 bits stay integers,
    /// other numbers become the nearest doubles.
    #[must_use]
    pub fn to_serde(&self) -> serde_json::Value {
        use serde_json::Value;
        match self {
            Self::Null => Value::Null,
            Self::Bool(b) => Value::Bool(*b),
            Self::Number(n) => number_to_serde(n),
            Self::String(s) => Value::String(s.clone()),
            Self::Array(items) => Value::Array(items.iter().map(Self::to_serde).collect()),
            Self::Object(members) => Value::Object(
                members
                    .iter()
                    .map(|(key, value)| (key.clone(), value.to_serde()))
                    .collect(),
            ),
        }
    }
}

impl Pointer {
    /// Returns the part of `value` that the pointer refers to. Follows object keys only.
    #[must_use]
    pub fn find<'a>(&self, value: &'a Json) -> Option<&'a Json> {
        self.tokens()
            .iter()
            .try_fold(value, |value, key| value.get(key))
    }
}

fn number_to_serde(n: &Number) -> serde_json::Value {
    /// Whole doubles of a smaller magnitude fit a 64-bit integer.
    const WHOLE: f64 = 9e18;
    let value = n.as_f64();
    if n.is_exactly_f64() && (value.fract() != 0.0 || (value == 0.0 && value.is_sign_negative())) {
        return serde_json::Number::from_f64(value).map_or(serde_json::Value::Null, Into::into);
    }
    if n.is_exactly_f64() && value.abs() < WHOLE {
        #[expect(clippy::cast_possible_truncation, reason = "whole, and below 2^63")]
        return (value as i64).into();
    }
    let text = n.to_string();
    if let Ok(i) = text.parse::<i64>() {
        return i.into();
    }
    if let Ok(u) = text.parse::<u64>() {
        return u.into();
    }
    serde_json::Number::from_f64(n.as_f64()).map_or(serde_json::Value::Null, Into::into)
}

impl fmt::Display for Json {
    /// Compact JSON text.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("null"),
            Self::Bool(b) => write!(f, "{b}"),
            Self::Number(n) => write!(f, "{n}"),
            Self::String(s) => write_string(f, s),
            Self::Array(items) => {
                f.write_str("[")?;
                for (i, item) in items.iter().enumerate() {
                    write!(f, "{}{item}", if i == 0 { "" } else { "," })?;
                }
                f.write_str("]")
            }
            Self::Object(members) => {
                f.write_str("{")?;
                for (i, (key, value)) in members.iter().enumerate() {
                    f.write_str(if i == 0 { "" } else { "," })?;
                    write_string(f, key)?;
                    write!(f, ":{value}")?;
                }
                f.write_str("}")
            }
        }
    }
}

fn write_string(f: &mut fmt::Formatter<'_>, s: &str) -> fmt::Result {
    f.write_str(&serde_json::to_string(s).map_err(|_| fmt::Error)?)
}

impl From<Number> for Json {
    fn from(number: Number) -> Self {
        Self::Number(number)
    }
}

impl serde::Serialize for Json {
    /// Serializes the JSON text, so that numbers keep their digits. Works with `serde_json` only.
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let raw = serde_json::value::RawValue::from_string(self.to_string())
            .map_err(serde::ser::Error::custom)?;
        raw.serialize(serializer)
    }
}
