//! Parameters of a query string or JSON body. All errors of a request are reported together.

use std::fmt::Display;
use std::str::FromStr;

use actix_web::web::Query;
use serde::Deserialize;
use uuid::Uuid;

use time_series_domain::json::RawFields;
use time_series_domain::text::{bounded, echo, excerpt};

use crate::problem::{Code, FieldErrorView, MAX_ERRORS, Problem};

/// Maximum number of parameters in a query string, repeated ones included.
const MAX_PARAMS: usize = 2_000;
/// Maximum length of the message of an error, in bytes.
const MAX_MESSAGE_BYTES: usize = 800;
const EXAMPLE_UUID: &str = "8b0e7a52-6a3f-4a8c-9d0a-0d6a7c1f2b3e";
/// Maximum number of users of one query.
const MAX_USERS: usize = 100_000;

/// The value of a parameter in a JSON body.
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
    /// Returns the text that stands for the value in a query string.
    fn into_text(self) -> String {
        match self {
            Self::Text(text) => text,
            Self::Flag(flag) => flag.to_string(),
            Self::Number(number) => number.to_string(),
        }
    }
}

/// The parameters of a request, and the errors found in them.
pub(crate) struct QueryParams {
    given: Vec<(String, String)>,
    /// The first [`MAX_ERRORS`] errors.
    errors: Vec<FieldErrorView>,
    total_errors: usize,
}

impl QueryParams {
    /// Parses a query string. Parameters other than `known` are errors.
    pub(crate) fn parse(query: &str, known: &[&str]) -> Result<Self, Problem> {
        if percent_encoding::percent_decode_str(query)
            .decode_utf8()
            .is_err()
        {
            return Err(Problem::new(
                Code::InvalidParameters,
                "The query string is not valid UTF-8 after percent-decoding.",
            ));
        }
        if query.bytes().filter(|b| *b == b'&').count() >= MAX_PARAMS {
            let detail = format!(
                "The query string has more than {MAX_PARAMS} parameters. Separate the values of a \
                 list with commas."
            );
            return Err(Problem::new(Code::InvalidParameters, detail));
        }
        let Query(given) = Query::<Vec<(String, String)>>::from_query(query).map_err(|e| {
            Problem::new(
                Code::InvalidParameters,
                format!("The query string could not be parsed: {}", bounded(e, 200)),
            )
        })?;
        Ok(Self::of(given, known))
    }

    /// Parses the same parameters from a JSON object whose members are strings, numbers, booleans
    /// or arrays of them. A null member counts as absent.
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
        if fields.0.len() > MAX_PARAMS {
            return Err(invalid(&format_args!(
                "it has more than {MAX_PARAMS} members"
            )));
        }
        let mut given = Vec::new();
        for (name, raw) in fields.0 {
            let values: Member = serde_json::from_str(raw.get()).map_err(|_| {
                Problem::parameter(
                    &excerpt(&name, 200),
                    "must be a string, a number, a boolean or an array of them",
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
        let mut params = Self {
            given,
            errors: Vec::new(),
            total_errors: 0,
        };
        let expected = if known.is_empty() {
            "this endpoint has no parameters".to_owned()
        } else {
            format!("the parameters are {}", known.join(", "))
        };
        for name in unknown {
            params.error(
                &name,
                "unknown_parameter",
                format_args!("is not a parameter of this endpoint; {expected}"),
            );
        }
        params
    }

    /// Returns all values of a parameter that may be repeated.
    pub(crate) fn all(&self, name: &str) -> Vec<&str> {
        self.given
            .iter()
            .filter(|(n, _)| n == name)
            .map(|(_, value)| value.as_str())
            .collect()
    }

    /// Returns the value of a parameter that must not be repeated.
    pub(crate) fn one(&mut self, name: &str) -> Option<String> {
        let mut values = self
            .given
            .iter()
            .filter(|(n, _)| n == name)
            .map(|(_, value)| value.clone());
        let (first, second) = (values.next(), values.next());
        if second.is_some() {
            self.error(name, "invalid_parameter", "must not be repeated");
        }
        first
    }

    /// Returns the value parsed by `read`. Records the error of `read`.
    pub(crate) fn read<T, E: Display>(
        &mut self,
        name: &str,
        read: impl FnOnce(&str) -> Result<T, E>,
    ) -> Option<T> {
        let text = self.one(name)?;
        match read(&text) {
            Ok(value) => Some(value),
            Err(e) => {
                self.error(name, "invalid_parameter", e);
                None
            }
        }
    }

    /// Returns the meaning of a keyword. The error lists the keywords.
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
            Uuid::try_parse(text).map_err(|_| format!("must be a UUID such as {EXAMPLE_UUID}"))
        })
    }

    /// Returns a required UUID. Records an error and returns the nil UUID if it is missing.
    pub(crate) fn required_uuid(&mut self, name: &str) -> Uuid {
        if self.all(name).is_empty() {
            self.error(name, "missing_parameter", "is required");
        }
        self.uuid(name).unwrap_or_default()
    }

    /// Returns one or more UUIDs, comma-separated or repeated, in ascending order without
    /// duplicates.
    pub(crate) fn required_uuids(&mut self, name: &str) -> Vec<Uuid> {
        let values: Vec<String> = self.all(name).into_iter().map(str::to_owned).collect();
        if values.is_empty() {
            self.error(name, "missing_parameter", "is required");
        }
        let mut uuids = Vec::new();
        for text in values.iter().flat_map(|value| value.split(',')) {
            let Ok(uuid) = Uuid::try_parse(text.trim()) else {
                let shown: String = text.chars().take(50).collect();
                let message = format!(
                    "contains {shown:?}; it must be a UUID such as {EXAMPLE_UUID}, or several \
                     separated by commas"
                );
                self.error(name, "invalid_parameter", message);
                break;
            };
            uuids.push(uuid);
        }
        uuids.sort_unstable();
        uuids.dedup();
        if uuids.len() > MAX_USERS {
            self.error(
                name,
                "invalid_parameter",
                format_args!("has more than {MAX_USERS} users; split the request"),
            );
            uuids.truncate(1);
        }
        uuids
    }

    pub(crate) fn number<T: FromStr + PartialOrd + Display>(
        &mut self,
        name: &str,
        min: &T,
        max: &T,
    ) -> Option<T> {
        self.read(name, |text| {
            let in_range = |n: &T| min <= n && n <= max;
            text.parse()
                .ok()
                .filter(in_range)
                .ok_or_else(|| format!("must be a number from {min} to {max}"))
        })
    }

    pub(crate) fn flag(&mut self, name: &str) -> bool {
        let read = |text: &str| text.parse::<bool>().map_err(|_| "must be true or false");
        self.read(name, read).unwrap_or(false)
    }

    /// Records an error of a parameter. `message` continues the name of the parameter.
    pub(crate) fn error(&mut self, name: &str, code: &'static str, message: impl Display) {
        self.total_errors += 1;
        if self.errors.len() < MAX_ERRORS {
            let message = format!("{} {}", echo(name), bounded(message, MAX_MESSAGE_BYTES));
            self.errors.push(FieldErrorView::new(name, code, message));
        }
    }

    /// Returns a problem with every recorded error, if there is any.
    pub(crate) fn finish(self) -> Result<(), Problem> {
        if self.errors.is_empty() {
            return Ok(());
        }
        Err(Problem::of_errors(
            Code::InvalidParameters,
            self.errors,
            self.total_errors,
        ))
    }
}
