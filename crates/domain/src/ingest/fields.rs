//! The members of objects in a body, read one by one, every error noted.

use std::borrow::Cow;
use std::sync::Arc;

use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use super::FieldErrorCode;
use super::field_error::LISTED;
use crate::json::RawFields;
use crate::text::excerpt;
use crate::{Timestamp, TimestampError};

/// Maximum length of a key in a pointer, as JSON.
const MAX_KEY: usize = 200;

/// The members of these names; others, second ones and missing ones are errors.
pub(super) fn one_of_each<'a>(
    fields: &RawFields<'a>,
    names: &[&str; 3],
    there_are: &str,
    errors: &mut Vec<(String, FieldErrorCode, String)>,
) -> [Option<&'a RawValue>; 3] {
    let mut found = [None; 3];
    for (key, raw) in &fields.0 {
        match names.iter().position(|name| name == key) {
            Some(place) if found[place].is_none() => found[place] = Some(*raw),
            // More errors than are listed are not kept.
            _ if errors.len() >= LISTED => {}
            None => errors.push((
                pointer_to(key),
                FieldErrorCode::UnknownField,
                there_are.to_owned(),
            )),
            Some(_) => {
                errors.push((
                    pointer_to(key),
                    FieldErrorCode::DuplicateKey,
                    "is there twice; send it once".to_owned(),
                ));
            }
        }
    }
    for (name, _) in names.iter().zip(found).filter(|(_, found)| found.is_none()) {
        errors.push((
            format!("/{name}"),
            FieldErrorCode::MissingField,
            "is required".to_owned(),
        ));
    }
    found
}

/// A JSON pointer to a member; a long key is cut.
pub(super) fn pointer_to(key: &str) -> String {
    format!(
        "/{}",
        excerpt(key, MAX_KEY).replace('~', "~0").replace('/', "~1")
    )
}

pub(super) fn read_series(
    raw: &RawValue,
    errors: &mut Vec<(String, FieldErrorCode, String)>,
) -> Option<Arc<str>> {
    let Ok(Text(series)) = serde_json::from_str::<Text<'_>>(raw.get()) else {
        let message = "must be the name of a metric type";
        errors.push((
            "/series".to_owned(),
            FieldErrorCode::InvalidType,
            message.to_owned(),
        ));
        return None;
    };
    Some(series.into())
}

/// A JSON string, borrowed where it has no escapes.
#[derive(Deserialize)]
pub(super) struct Text<'a>(#[serde(borrow)] pub(super) Cow<'a, str>);

/// A text, not null.
pub(super) fn text<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Text<'de>>, D::Error> {
    Text::deserialize(deserializer).map(Some)
}

pub(super) fn read_time(raw: &str) -> Result<Timestamp, (FieldErrorCode, String)> {
    let Ok(Text(text)) = serde_json::from_str::<Text<'_>>(raw) else {
        return Err((
            FieldErrorCode::InvalidType,
            "must be a string with an RFC 3339 time".to_owned(),
        ));
    };
    read_time_text(&text)
}

pub(super) fn read_time_text(text: &str) -> Result<Timestamp, (FieldErrorCode, String)> {
    Timestamp::parse_rfc3339(text).map_err(|e| {
        let code = match e {
            TimestampError::TooFine => FieldErrorCode::TimeTooFine,
            TimestampError::OutOfRange => FieldErrorCode::ImplausibleTime,
            TimestampError::NotRfc3339 | TimestampError::LeapSecond => FieldErrorCode::InvalidTime,
        };
        (code, e.to_string())
    })
}
