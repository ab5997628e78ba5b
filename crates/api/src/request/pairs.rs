//! The pairs of a query string, every fault noted before any is answered.

use std::fmt::Display;
use std::str::FromStr;

use actix_web::web::Query;
use serde::Deserialize;
use uuid::Uuid;

use time_series_domain::json::RawFields;
use time_series_domain::text::{bounded, echo, excerpt};

use crate::problem::{Code, FieldErrorView, MAX_ERRORS, Problem};

/// Maximum number of parameters in a query string, repeated ones included.
const MAX_PAIRS: usize = 2_000;
/// Maximum length of the description of a fault, in bytes.
const MAX_FAULT: usize = 800;
const A_UUID: &str = "8b0e7a52-6a3f-4a8c-9d0a-0d6a7c1f2b3e";

/// Maximum users of one query.
const MAX_USERS: usize = 100_000;

/// A parameter in a JSON body.
#[derive(Deserialize)]
#[serde(untagged)]
enum Member {
    Null(()),
    One(Scalar),
    Many(Vec<Scalar>),
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Scalar {
    Text(String),
    Flag(bool),
    Number(serde_json::Number),
}

impl Scalar {
    /// As it is written in a query string.
    fn into_text(self) -> String {
        match self {
            Self::Text(text) => text,
            Self::Flag(flag) => flag.to_string(),
            Self::Number(number) => number.to_string(),
        }
    }
}

/// The parameters of a request and what is wrong with them.
pub(crate) struct Pairs {
    given: Vec<(String, String)>,
    /// The first ones.
    errors: Vec<FieldErrorView>,
    faults: usize,
}

impl Pairs {
    /// Reads a query string; parameters other than `known` are faults.
    pub(crate) fn parse(query: &str, known: &[&str]) -> Result<Self, Problem> {
        if percent_encoding::percent_decode_str(query)
            .decode_utf8()
            .is_err()
        {
            return Err(Problem::new(
                Code::InvalidParameters,
                "The query string is not UTF-8 once its escapes are decoded.",
            ));
        }
        if query.bytes().filter(|b| *b == b'&').count() >= MAX_PAIRS {
            let detail = format!(
                "The query string has more than {MAX_PAIRS} parameters; a list has commas."
            );
            return Err(Problem::new(Code::InvalidParameters, detail));
        }
        let Query(given) = Query::<Vec<(String, String)>>::from_query(query).map_err(|e| {
            Problem::new(
                Code::InvalidParameters,
                format!("The query string cannot be read: {}", bounded(e, 200)),
            )
        })?;
        Ok(Self::of(given, known))
    }

    /// Reads the same parameters from the members of a JSON object: texts, numbers, booleans, and lists of them. A member
    /// that is null counts as left out.
    pub(crate) fn from_json(body: &[u8], known: &[&str]) -> Result<Self, Problem> {
        let invalid = |e: &dyn Display| {
            Problem::new(
                Code::InvalidBody,
                format!(
                    "The body is not a JSON object of parameters: {}",
                    bounded(e, 200)
                ),
            )
        };
        let fields: RawFields<'_> = serde_json::from_slice(body).map_err(|e| invalid(&e))?;
        if fields.0.len() > MAX_PAIRS {
            return Err(invalid(&format_args!(
                "it has more than {MAX_PAIRS} members"
            )));
        }
        let mut given = Vec::new();
        for (name, raw) in fields.0 {
            let values: Member = serde_json::from_str(raw.get()).map_err(|_| {
                Problem::parameter(
                    &excerpt(&name, 200),
                    "must be a text, a number, a boolean or a list of them",
                )
            })?;
            let values = match values {
                Member::Null(()) => Vec::new(),
                Member::One(value) => vec![value],
                Member::Many(values) => values,
            };
            given.extend(
                values
                    .into_iter()
                    .map(|value| (name.clone().into_owned(), value.into_text())),
            );
        }
        Ok(Self::of(given, known))
    }

    fn of(given: Vec<(String, String)>, known: &[&str]) -> Self {
        let unknown: Vec<String> = given
            .iter()
            .map(|(name, _)| name)
            .filter(|name| !known.contains(&name.as_str()))
            .map(|name| excerpt(name, 200).into_owned())
            .collect();
        let mut pairs = Self {
            given,
            errors: Vec::new(),
            faults: 0,
        };
        let there_are = if known.is_empty() {
            "none".to_owned()
        } else {
            known.join(", ")
        };
        for name in unknown {
            pairs.fault(
                &name,
                "unknown_parameter",
                format_args!("is not a parameter here; there are {there_are}"),
            );
        }
        pairs
    }

    /// All values of a parameter that may be repeated.
    pub(crate) fn all(&self, name: &str) -> Vec<&str> {
        self.given
            .iter()
            .filter(|(n, _)| n == name)
            .map(|(_, value)| value.as_str())
            .collect()
    }

    /// The value of a parameter that may be given once.
    pub(crate) fn one(&mut self, name: &str) -> Option<String> {
        let mut values = self
            .given
            .iter()
            .filter(|(n, _)| n == name)
            .map(|(_, value)| value.clone());
        let (first, second) = (values.next(), values.next());
        if second.is_some() {
            self.fault(name, "invalid_parameter", "is given more than once");
        }
        first
    }

    /// The value as `read` reads it; a fault if it cannot.
    pub(crate) fn read<T, E: Display>(
        &mut self,
        name: &str,
        read: impl FnOnce(&str) -> Result<T, E>,
    ) -> Option<T> {
        let text = self.one(name)?;
        match read(&text) {
            Ok(value) => Some(value),
            Err(e) => {
                self.fault(name, "invalid_parameter", e);
                None
            }
        }
    }

    /// A word out of some; the fault names them.
    pub(crate) fn word<T: Copy>(&mut self, name: &str, words: &[(&str, T)]) -> Option<T> {
        self.read(name, |text| {
            let known = words
                .iter()
                .find(|(word, _)| *word == text)
                .map(|(_, meaning)| *meaning);
            let all = || {
                words
                    .iter()
                    .map(|(word, _)| *word)
                    .collect::<Vec<_>>()
                    .join(", ")
            };
            known.ok_or_else(|| format!("is {:?}; it must be one of {}", echo(text), all()))
        })
    }

    pub(crate) fn uuid(&mut self, name: &str) -> Option<Uuid> {
        self.read(name, |text| {
            Uuid::try_parse(text).map_err(|_| format!("must be a UUID such as {A_UUID}"))
        })
    }

    /// A UUID that must be there; without one the fault is noted and the nil UUID stands in for it.
    pub(crate) fn required_uuid(&mut self, name: &str) -> Uuid {
        if self.all(name).is_empty() {
            self.fault(name, "missing_parameter", "is required");
        }
        self.uuid(name).unwrap_or_default()
    }

    /// UUIDs, comma-separated or repeated, at least one: ascending, each once.
    pub(crate) fn required_uuids(&mut self, name: &str) -> Vec<Uuid> {
        let values: Vec<String> = self.all(name).into_iter().map(str::to_owned).collect();
        if values.is_empty() {
            self.fault(name, "missing_parameter", "is required");
        }
        let mut uuids = Vec::new();
        for text in values.iter().flat_map(|value| value.split(',')) {
            let Ok(uuid) = Uuid::try_parse(text.trim()) else {
                let shown: String = text.chars().take(50).collect();
                let message = format!(
                    "has {shown:?}; it must be a UUID such as {A_UUID}, or several with commas"
                );
                self.fault(name, "invalid_parameter", message);
                break;
            };
            uuids.push(uuid);
        }
        uuids.sort_unstable();
        uuids.dedup();
        if uuids.len() > MAX_USERS {
            self.fault(
                name,
                "invalid_parameter",
                format_args!("names more than {MAX_USERS} users; ask for some at a time"),
            );
            uuids.truncate(1);
        }
        uuids
    }

    pub(crate) fn number<T: FromStr + PartialOrd + Display>(
        &mut self,
        name: &str,
        least: &T,
        most: &T,
    ) -> Option<T> {
        self.read(name, |text| {
            let in_range = |n: &T| least <= n && n <= most;
            text.parse()
                .ok()
                .filter(in_range)
                .ok_or_else(|| format!("must be a number from {least} to {most}"))
        })
    }

    pub(crate) fn flag(&mut self, name: &str) -> bool {
        let read = |text: &str| text.parse::<bool>().map_err(|_| "must be true or false");
        self.read(name, read).unwrap_or(false)
    }

    pub(crate) fn fault(&mut self, name: &str, code: &'static str, message: impl Display) {
        self.faults += 1;
        if self.errors.len() < MAX_ERRORS {
            let message = format!("{} {}", echo(name), bounded(message, MAX_FAULT));
            self.errors.push(FieldErrorView::new(name, code, message));
        }
    }

    /// Every fault in one answer, if there is one.
    pub(crate) fn finish(self) -> Result<(), Problem> {
        if self.errors.is_empty() {
            return Ok(());
        }
        Err(Problem::of_faults(
            Code::InvalidParameters,
            self.errors,
            self.faults,
        ))
    }
}
