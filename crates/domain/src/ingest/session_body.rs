//! Reads a session from a JSON body, as far as it is valid, and collects all errors.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;
use uuid::Uuid;

use super::bounded_seq::{BoundedSeq, MAX_POINTS};
use super::diagnose_entry::{diagnose_columns, diagnose_point};
use super::draft_points::{ColumnarData, DraftPoints, Entry};
use super::field_error::{EntryError, InvalidValue, MAX_DESCRIPTION};
use super::fields::{Text, read_time, text};
use super::location::Locations;
use super::raw_values::RawValues;
use super::{BodyError, FieldError, FieldErrorCode, SessionDraft, ValidationErrors};
use crate::json::RawFields;
use crate::text::{bounded, echo};
use crate::{SessionId, Timestamp, UserId};

const SESSION_FIELDS: [&str; 4] = ["user_id", "session_id", "start_ts", "data"];

/// The fields of a valid session.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SessionFields<'a, D> {
    #[serde(borrow, default, deserialize_with = "text")]
    user_id: Option<Text<'a>>,
    #[serde(borrow)]
    session_id: Option<Cow<'a, str>>,
    #[serde(borrow)]
    start_ts: Option<Cow<'a, str>>,
    data: D,
}

impl<'a> SessionDraft<'a> {
    /// Reads a JSON body: `{"user_id", "session_id"?, "start_ts"?, "data"}`, where each entry of
    /// `data` is `{"series", "time", "value"}` or `{"series", "times", "values"}`.
    ///
    /// # Errors
    /// [`BodyError`] if the body is not a JSON object. All other errors are in the draft.
    pub fn from_json(body: &'a [u8]) -> Result<Self, BodyError> {
        let text =
            std::str::from_utf8(body).map_err(|e| BodyError(format!("it is not UTF-8: {e}")))?;
        if let Some(session) = Self::read_columnar(text).or_else(|| Self::read_values(text)) {
            return Ok(session);
        }
        Self::diagnose(text)
    }

    /// Reads a valid session whose values consist of numbers; `None` if it is not valid or has
    /// other values.
    fn read_columnar(text: &'a str) -> Option<Self> {
        Self::read_valid(text, |ColumnarData(points)| {
            Some(DraftPoints::Numeric(points))
        })
    }

    /// Reads a valid session with values of any kind; `None` if it is not valid.
    fn read_values(text: &'a str) -> Option<Self> {
        Self::read_valid(text, |data: &'a RawValue| {
            let (values, locations) = RawValues::read_data(text, data)?;
            Some(DraftPoints::Values(values, locations))
        })
    }

    /// Replaces columnar values by values that are parsed one by one.
    pub(super) fn with_values(mut self) -> Self {
        if let (DraftPoints::Numeric(_), Some(text)) = (&self.points, self.body)
            && let Some(read) = Self::read_values(text)
        {
            self.points = read.points;
        }
        self
    }

    /// Reads a valid session in one pass; `None` if it is not valid.
    fn read_valid<D: Deserialize<'a>>(
        text: &'a str,
        points: impl FnOnce(D) -> Option<DraftPoints<'a>>,
    ) -> Option<Self> {
        // Serde would also accept an array of the fields in their order.
        let fields: SessionFields<'a, D> = serde_json::from_str(text)
            .ok()
            .filter(|_| text.trim_start().starts_with('{'))?;
        let uuid = |text: &str| Uuid::try_parse(text).ok();
        let mut session = Self {
            user_id: None,
            lacks_user: fields.user_id.is_none(),
            session_id: None,
            start_ts: None,
            points: points(fields.data)?,
            errors: ValidationErrors::default(),
            body: Some(text),
        };
        if let Some(id) = fields.user_id {
            session.user_id = Some(UserId(uuid(&id.0)?));
        }
        if let Some(id) = fields.session_id {
            session.session_id = Some(SessionId(uuid(&id)?));
        }
        if let Some(start) = fields.start_ts {
            session.start_ts = Some(Timestamp::parse_rfc3339(&start).ok()?);
        }
        Some(session)
    }

    /// Reads the valid parts of a session and collects all errors.
    fn diagnose(text: &'a str) -> Result<Self, BodyError> {
        let fields: RawFields<'a> =
            serde_json::from_str(text).map_err(|e| BodyError(bounded(e, MAX_DESCRIPTION)))?;
        let mut session = Self {
            user_id: None,
            lacks_user: false,
            session_id: None,
            start_ts: None,
            points: DraftPoints::Values(RawValues::of_body(text), Locations::default()),
            errors: ValidationErrors::default(),
            body: Some(text),
        };
        let mut seen: Vec<&str> = Vec::new();
        for (key, raw) in &fields.0 {
            if !SESSION_FIELDS.contains(&key.as_ref()) {
                let message = "is not a field of a session; the fields are user_id, session_id, \
                               start_ts and data";
                session.add_field_error(key, FieldErrorCode::UnknownField, message);
                continue;
            }
            if seen.contains(&key.as_ref()) {
                session.add_field_error(
                    key,
                    FieldErrorCode::DuplicateKey,
                    "occurs twice; send it once",
                );
                continue;
            }
            seen.push(key);
            match key.as_ref() {
                "user_id" => session.user_id = session.uuid("user_id", raw).map(UserId),
                "session_id" => session.session_id = session.uuid("session_id", raw).map(SessionId),
                "start_ts" => session.start_ts = session.start(raw),
                _ => session.read_points(text, raw),
            }
        }
        session.lacks_user = !seen.contains(&"user_id");
        if !seen.contains(&"data") {
            session.add_field_error("data", FieldErrorCode::MissingField, "is required");
        }
        Ok(session)
    }

    /// Returns the user that a JSON body names, if it names one.
    #[must_use]
    pub fn user_of_json(body: &[u8]) -> Option<UserId> {
        #[derive(Deserialize)]
        struct Fields<'a> {
            #[serde(borrow)]
            user_id: Cow<'a, str>,
        }
        let fields: Fields<'_> = serde_json::from_slice(body).ok()?;
        Uuid::try_parse(&fields.user_id).ok().map(UserId)
    }

    fn uuid(&mut self, field: &str, raw: &RawValue) -> Option<Uuid> {
        let text: Option<Cow<'_, str>> = serde_json::from_str::<Text<'_>>(raw.get())
            .ok()
            .map(|t| t.0);
        let uuid = text.and_then(|t| Uuid::try_parse(&t).ok());
        if uuid.is_none() && !(field == "session_id" && raw.get() == "null") {
            let message = "must be a UUID such as 8b0e7a52-6a3f-4a8c-9d0a-0d6a7c1f2b3e";
            self.add_field_error(field, FieldErrorCode::InvalidUuid, message);
        }
        uuid
    }

    fn start(&mut self, raw: &RawValue) -> Option<Timestamp> {
        if raw.get() == "null" {
            return None;
        }
        match read_time(raw.get()) {
            Ok(time) => Some(time),
            Err(InvalidValue { code, message }) => {
                self.add_field_error("start_ts", code, &message);
                None
            }
        }
    }

    fn read_points(&mut self, text: &'a str, raw: &'a RawValue) {
        let Ok(raws) = serde_json::from_str::<BoundedSeq<&RawValue>>(raw.get()) else {
            self.add_field_error(
                "data",
                FieldErrorCode::InvalidType,
                "must be an array of points",
            );
            return;
        };
        let mut is_too_long = raws.is_too_long();
        let (mut points, mut locations) = (RawValues::of_body(text), Locations::default());
        for (entry, raw) in raws.0.into_iter().enumerate() {
            is_too_long |= points.len() > MAX_POINTS;
            if is_too_long {
                break;
            }
            let fields = serde_json::from_str::<Entry<'_>>(raw.get()).ok();
            if fields
                .and_then(|fields| points.read_entry(text, entry, &fields, &mut locations))
                .is_none()
            {
                self.diagnose_entry(text, entry, raw, &mut points, &mut locations);
            }
        }
        if is_too_long || points.len() > MAX_POINTS {
            let message =
                format!("has more than {MAX_POINTS} points, the limit of one session's body");
            self.add_field_error("data", FieldErrorCode::TooManyPoints, &message);
        }
        self.points = DraftPoints::Values(points, locations);
    }

    /// Reads an entry that is not valid and collects its errors.
    fn diagnose_entry(
        &mut self,
        text: &str,
        entry: usize,
        raw: &RawValue,
        points: &mut RawValues<'a>,
        locations: &mut Locations,
    ) {
        let mut errors: Vec<EntryError> = Vec::new();
        let Ok(fields) = serde_json::from_str::<RawFields<'_>>(raw.get()) else {
            let message = "must be an object {\"series\", \"time\", \"value\"}";
            let error = EntryError::new("", FieldErrorCode::InvalidType, message);
            self.add_entry_error(entry, None, &error);
            points.push(None, None, None);
            return;
        };
        let is_columns = fields
            .0
            .iter()
            .any(|(key, _)| *key == "times" || *key == "values");
        let series = if is_columns {
            diagnose_columns(text, entry, &fields, points, locations, &mut errors)
        } else {
            diagnose_point(text, &fields, points, &mut errors)
        };
        for error in errors {
            self.add_entry_error(entry, series.as_deref().map(str::to_owned), &error);
        }
    }

    /// Adds an error of the entry of `data` at `index`.
    fn add_entry_error(&mut self, index: usize, series: Option<String>, error: &EntryError) {
        let field = error.pointer.split('/').nth(1).unwrap_or("point");
        self.errors.push(FieldError {
            message: format!("{} {}", echo(field).escape_debug(), error.message),
            pointer: format!("/data/{index}{}", error.pointer),
            index: Some(index),
            series,
            code: error.code,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const USER: &str = r#""user_id":"8b0e7a52-6a3f-4a8c-9d0a-0d6a7c1f2b3e""#;

    /// Returns the pointers of the errors of a session with these entries.
    fn errors(entries: &str) -> Vec<String> {
        let body = format!("{{{USER},\"data\":[{entries}]}}");
        let session = SessionDraft::from_json(body.as_bytes()).expect("an object");
        session
            .errors
            .listed()
            .iter()
            .map(|error| error.pointer.clone())
            .collect()
    }

    fn columns(points: usize) -> String {
        let values = vec!["1"; points].join(",");
        format!(
            r#"{{"series":"a","times":{{"start":"2025-01-01T00:00:00Z","step":"1ms"}},"values":[{values}]}}"#
        )
    }

    #[test]
    fn an_array_of_the_fields_is_not_an_object() {
        assert_eq!(errors(r#"["a","2025-01-01T00:00:00Z",1]"#), ["/data/0"]);
        assert!(
            SessionDraft::from_json(br#"["8b0e7a52-6a3f-4a8c-9d0a-0d6a7c1f2b3e",null,null,[]]"#)
                .is_err()
        );
    }

    #[test]
    fn null_is_not_a_time() {
        assert_eq!(
            errors(r#"{"series":"a","time":null,"value":1}"#),
            ["/data/0/time"]
        );
        assert_eq!(
            errors(&columns(1).replace("\"times\"", "\"time\":null,\"times\"")),
            ["/data/0/time"]
        );
    }

    #[test]
    fn the_limit_of_points_holds_for_all_entries_together() {
        assert_eq!(errors(&columns(MAX_POINTS)), [""; 0]);
        assert_eq!(
            errors(&format!("{},{}", columns(MAX_POINTS), columns(1))),
            ["/data"]
        );
        let nothing = r#"{"series":"a","times":[],"values":[]}"#;
        assert_eq!(
            errors(&format!("{},{{}}", vec![nothing; MAX_POINTS + 1].join(","))),
            ["/data"]
        );
    }
}
