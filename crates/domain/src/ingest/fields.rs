//! Reads the members of an object in a body one by one and collects all errors.

use std::borrow::Cow;
use std::sync::Arc;

use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use super::FieldErrorCode;
use super::field_error::{EntryError, InvalidValue, LISTED};
use crate::json::RawFields;
use crate::text::excerpt;
use crate::{Timestamp, TimestampError};

/// Maximum length of a key in a pointer, as JSON.
const MAX_KEY: usize = 200;

/// Returns the members with these names; adds an error for each unknown, duplicate or missing
/// member.
pub(super) fn members_named<'a>(
    fields: &RawFields<'a>,
    names: &[&str; 3],
    unknown_message: &str,
    errors: &mut Vec<EntryError>,
) -> [Option<&'a RawValue>; 3] {
    let mut found = [None; 3];
    for (key, raw) in &fields.0 {
        match names.iter().position(|name| name == key) {
            Some(index) if found[index].is_none() => found[index] = Some(*raw),
            // Errors beyond the listed ones are not kept.
            _ if errors.len() >= LISTED => {}
            None => errors.push(EntryError::new(
                pointer_to(key),
                FieldErrorCode::UnknownField,
                unknown_message,
            )),
            Some(_) => errors.push(EntryError::new(
                pointer_to(key),
                FieldErrorCode::DuplicateKey,
                "occurs twice; send it once",
            )),
        }
    }
    for (name, _) in names.iter().zip(found).filter(|(_, found)| found.is_none()) {
        errors.push(EntryError::new(
            format!("/{name}"),
            FieldErrorCode::MissingField,
            "is required",
        ));
    }
    found
}

/// Returns the JSON pointer of a member. A long key is cut.
pub(super) fn pointer_to(key: &str) -> String {
    format!(
        "/{}",
        excerpt(key, MAX_KEY).replace('~', "~0").replace('/', "~1")
    )
}

pub(super) fn read_series(raw: &RawValue, errors: &mut Vec<EntryError>) -> Option<Arc<str>> {
    let Ok(Text(series)) = serde_json::from_str::<Text<'_>>(raw.get()) else {
        errors.push(EntryError::new(
            "/series",
            FieldErrorCode::InvalidType,
            "must be the name of a metric type",
        ));
        return None;
    };
    Some(series.into())
}

/// A JSON string, borrowed where it has no escapes.
#[derive(Deserialize)]
pub(super) struct Text<'a>(#[serde(borrow)] pub(super) Cow<'a, str>);

/// Deserializes a text; null is an error.
pub(super) fn text<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Text<'de>>, D::Error> {
    Text::deserialize(deserializer).map(Some)
}

pub(super) fn read_time(raw: &str) -> Result<Timestamp, InvalidValue> {
    let Ok(Text(text)) = serde_json::from_str::<Text<'_>>(raw) else {
        return Err(InvalidValue::new(
            FieldErrorCode::InvalidType,
            "must be a string with an RFC 3339 time",
        ));
    };
    read_time_text(&text)
}

pub(super) fn read_time_text(text: &str) -> Result<Timestamp, InvalidValue> {
    Timestamp::parse_rfc3339(text).map_err(|e| {
        let code = match e {
            TimestampError::TooFine => FieldErrorCode::TimeTooFine,
            TimestampError::OutOfRange => FieldErrorCode::ImplausibleTime,
            TimestampError::NotRfc3339 | TimestampError::LeapSecond => FieldErrorCode::InvalidTime,
        };
        InvalidValue::new(code, e.to_string())
    })
}
