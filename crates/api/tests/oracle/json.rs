//! JSON that keeps how a number is spelled.

use std::collections::BTreeMap;
use std::fmt;

use serde_json::value::RawValue;

/// A JSON value.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Json {
    Null,
    Bool(bool),
    /// As it is spelled.
    Number(String),
    Text(String),
    List(Vec<Json>),
    Object(Vec<(String, Json)>),
}

impl Json {
    /// A number, spelled as an integer where it is one that every reader keeps.
    pub(crate) fn number(number: f64) -> Self {
        let whole = number.fract() == 0.0
            && number.abs() < 9e15
            && !(number == 0.0 && number.is_sign_negative());
        Self::Number(if whole {
            format!("{number:.0}")
        } else {
            format!("{number:?}")
        })
    }

    /// The number at a path, if there is one.
    pub(crate) fn leaf(&self, path: &[String]) -> Option<f64> {
        match (self, path.split_first()) {
            (Self::Number(text), None) => Some(text.parse().expect("a number")),
            (Self::Object(members), Some((key, deeper))) => members
                .iter()
                .find(|(k, _)| k == key)
                .and_then(|(_, member)| member.leaf(deeper)),
            _ => None,
        }
    }

    /// The same value by other words: `7.0` for `7`, members in the opposite order.
    pub(crate) fn respelled(&self) -> Self {
        match self {
            Self::Number(text) if text.len() < 15 && text.bytes().all(|b| b.is_ascii_digit()) => {
                Self::Number(format!("{text}.0"))
            }
            Self::List(items) => Self::List(items.iter().map(Self::respelled).collect()),
            Self::Object(members) => Self::Object(
                members
                    .iter()
                    .rev()
                    .map(|(k, v)| (k.clone(), v.respelled()))
                    .collect(),
            ),
            other => other.clone(),
        }
    }

    /// From text.
    pub(crate) fn read(text: &str) -> Self {
        match text.as_bytes()[0] {
            b'{' => {
                let members: BTreeMap<String, Box<RawValue>> =
                    serde_json::from_str(text).expect("an object");
                Self::Object(
                    members
                        .into_iter()
                        .map(|(k, v)| (k, Self::read(v.get())))
                        .collect(),
                )
            }
            b'[' => {
                let items: Vec<Box<RawValue>> = serde_json::from_str(text).expect("a list");
                Self::List(items.iter().map(|item| Self::read(item.get())).collect())
            }
            b'"' => Self::Text(serde_json::from_str(text).expect("a string")),
            b't' | b'f' => Self::Bool(text == "true"),
            b'n' => Self::Null,
            _ => Self::Number(text.to_owned()),
        }
    }

    /// With members by key and one spelling for each number: integers of any length by their digits, others as the
    /// f64 that they are. PostgreSQL and Rust may print one f64 by two decimals. -0.0 is 0.
    pub(crate) fn normal(&self) -> Self {
        match self {
            Self::Number(text) => Self::Number(normal_number(text)),
            Self::List(items) => Self::List(items.iter().map(Self::normal).collect()),
            Self::Object(members) => {
                let mut members: Vec<_> = members
                    .iter()
                    .map(|(k, v)| (k.clone(), v.normal()))
                    .collect();
                members.sort();
                Self::Object(members)
            }
            other => other.clone(),
        }
    }

    /// The only member `value`, where it is the only one.
    pub(crate) fn unwrapped(&self) -> &Self {
        match self {
            Self::Object(members) if members.len() == 1 && members[0].0 == "value" => &members[0].1,
            other => other,
        }
    }
}

impl fmt::Display for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = |text: &str| serde_json::to_string(text).expect("text");
        match self {
            Self::Null => f.write_str("null"),
            Self::Bool(yes) => write!(f, "{yes}"),
            Self::Number(spelled) => f.write_str(spelled),
            Self::Text(words) => f.write_str(&text(words)),
            Self::List(items) => {
                let items: Vec<String> = items.iter().map(Self::to_string).collect();
                write!(f, "[{}]", items.join(","))
            }
            Self::Object(members) => {
                let members: Vec<String> = members
                    .iter()
                    .map(|(k, v)| format!("{}:{v}", text(k)))
                    .collect();
                write!(f, "{{{}}}", members.join(","))
            }
        }
    }
}

fn normal_number(text: &str) -> String {
    let (sign, size) = text
        .strip_prefix('-')
        .map_or(("", text), |size| ("-", size));
    let (mantissa, power) = size.split_once(['e', 'E']).unwrap_or((size, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let fraction = fraction.trim_end_matches('0');
    let zeros = power.parse::<i64>().expect("a power of ten") - fraction.len() as i64;
    let digits = format!("{whole}{fraction}");
    let digits = digits.trim_start_matches('0');
    if digits.is_empty() {
        return "0".to_owned();
    }
    match usize::try_from(zeros) {
        Ok(zeros) => format!("{sign}{digits}{}", "0".repeat(zeros)),
        Err(_) => format!("{:?}", text.parse::<f64>().expect("a number")),
    }
}

/// The leaves of an answer's value by path, as they are spelled.
pub(crate) fn leaves(raw: &RawValue) -> BTreeMap<Vec<String>, String> {
    let mut found = BTreeMap::new();
    descend(raw.get(), &mut Vec::new(), &mut found);
    found
}

fn descend(raw: &str, path: &mut Vec<String>, found: &mut BTreeMap<Vec<String>, String>) {
    if !raw.starts_with('{') {
        found.insert(path.clone(), raw.to_owned());
        return;
    }
    let members: BTreeMap<String, Box<RawValue>> = serde_json::from_str(raw).expect("an object");
    for (key, member) in members {
        path.push(key);
        descend(member.get(), path, found);
        path.pop();
    }
}
