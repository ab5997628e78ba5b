//! A session as it was sent, read as far as it can be read, with every error noted.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;
use uuid::Uuid;

use super::bounded_seq::{BoundedSeq, MAX_POINTS};
use super::diagnose_entry::{diagnose_columns, diagnose_point};
use super::draft_points::{ColumnarData, DraftPoints, Entry};
use super::fields::{Text, pointer_to, read_time, text};
use super::location::Locations;
use super::raw_values::RawValues;
use super::{FieldError, FieldErrorCode, ValidationErrors};
use crate::json::RawFields;
use crate::text::{bounded, echo};
use crate::{SessionId, TimeSeriesPoint, Timestamp, UserId};

const SESSION_FIELDS: [&str; 4] = ["user_id", "session_id", "start_ts", "data"];

/// Maximum length of the description of a error, in bytes.
const MAX_FAULT: usize = 500;

/// The body is no JSON object at all, so there is no place to point to.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct BodyError(String);

/// A session before validation: what could be read, and what was wrong with the rest.
#[derive(Debug)]
pub struct SessionDraft<'a> {
    pub(super) user_id: Option<UserId>,
    /// The sender left the user out.
    pub(super) lacks_user: bool,
    /// `None` when it was left out.
    pub(super) session_id: Option<SessionId>,
    pub(super) start_ts: Option<Timestamp>,
    pub(super) points: DraftPoints<'a>,
    pub(super) errors: ValidationErrors,
    /// The body, if it is JSON.
    pub(super) body: Option<&'a str>,
}

/// A source of a session. It may be read more than once: a schema may change during validation.
pub trait SessionSource: Send + Sync {
    /// Reads the session.
    ///
    /// # Errors
    /// [`BodyError`] if there is nothing to validate.
    fn read(&self) -> Result<SessionDraft<'_>, BodyError>;

    /// Returns the user that the source names, if it names one. Required for appends only.
    fn user(&self) -> Option<UserId> {
        None
    }
}

/// The shape of a session without errors.
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
    /// Reads `{"user_id", "session_id"?, "start_ts"?, "data": [{"series", "time", "value"} or {"series", "times", "values"}]}`.
    ///
    /// # Errors
    /// [`BodyError`] when the body is not a JSON object. Anything less is noted as a reject.
    pub fn from_json(body: &'a [u8]) -> Result<Self, BodyError> {
        let text =
            std::str::from_utf8(body).map_err(|e| BodyError(format!("it is not UTF-8: {e}")))?;
        let numeric = || {
            Self::read_faultless(text, |ColumnarData(points)| {
                Some(DraftPoints::Numeric(points))
            })
        };
        numeric()
            .or_else(|| Self::read_values(text))
            .map_or_else(|| Self::diagnose(text), Ok)
    }

    /// Reads a session without errors whose values may be of any kind; `None` if there is any.
    fn read_values(text: &'a str) -> Option<Self> {
        Self::read_faultless(text, |data: &'a RawValue| {
            let (values, locations) = RawValues::read_data(text, data)?;
            Some(DraftPoints::Values(values, locations))
        })
    }

    /// The same session with values that are parsed one by one.
    pub(super) fn with_values(mut self) -> Self {
        if let (DraftPoints::Numeric(_), Some(text)) = (&self.points, self.body)
            && let Some(read) = Self::read_values(text)
        {
            self.points = read.points;
        }
        self
    }

    /// Reads a session without errors in one go; `None` if there is any.
    fn read_faultless<D: Deserialize<'a>>(
        text: &'a str,
        points: impl FnOnce(D) -> Option<DraftPoints<'a>>,
    ) -> Option<Self> {
        // An array would be taken for the fields in their order.
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

    /// Reads what can be read of a session, naming each error.
    fn diagnose(text: &'a str) -> Result<Self, BodyError> {
        let fields: RawFields<'a> =
            serde_json::from_str(text).map_err(|e| BodyError(bounded(e, MAX_FAULT)))?;
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
                let message =
                    "is not a field of a session; there are user_id, session_id, start_ts and data";
                session.reject_field(key, FieldErrorCode::UnknownField, message);
                continue;
            }
            if seen.contains(&key.as_ref()) {
                session.reject_field(
                    key,
                    FieldErrorCode::DuplicateKey,
                    "is there twice; send it once",
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
            session.reject_field("data", FieldErrorCode::MissingField, "is required");
        }
        Ok(session)
    }

    /// A session made in code; its values are checked like any other's.
    #[must_use]
    pub fn new(
        user_id: UserId,
        session_id: SessionId,
        start_ts: Option<Timestamp>,
        points: Vec<TimeSeriesPoint>,
    ) -> Self {
        Self {
            user_id: Some(user_id),
            lacks_user: false,
            session_id: Some(session_id),
            start_ts,
            points: DraftPoints::Values(RawValues::of_points(points), Locations::default()),
            errors: ValidationErrors::default(),
            body: None,
        }
    }

    /// Gives the session this id where it has none. An id that could not be read keeps its reject.
    #[must_use]
    pub fn or_session_id(mut self, id: SessionId) -> Self {
        self.session_id = self.session_id.or(Some(id));
        self
    }

    /// Gives the session this id; a sender who chose another has a error.
    #[must_use]
    pub fn at_session_id(mut self, id: SessionId) -> Self {
        if self.session_id.is_some_and(|sent| sent != id) {
            let message =
                format!("must be left out or be {id}, the one that the session is stored under");
            self.reject_field("session_id", FieldErrorCode::InvalidUuid, &message);
        }
        self.session_id = Some(id);
        self
    }

    /// Makes it this user's; a sender who named another has a error.
    #[must_use]
    pub fn of_user(mut self, user: UserId) -> Self {
        if self.user_id.is_some_and(|sent| sent != user) {
            let message = format!("must be left out or be {user}, whose session is meant");
            self.reject_field("user_id", FieldErrorCode::InvalidUuid, &message);
        }
        self.user_id = Some(user);
        self.lacks_user = false;
        self
    }

    /// The user whom a body names, if it names one.
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
            self.reject_field(field, FieldErrorCode::InvalidUuid, message);
        }
        uuid
    }

    fn start(&mut self, raw: &RawValue) -> Option<Timestamp> {
        if raw.get() == "null" {
            return None;
        }
        match read_time(raw.get()) {
            Ok(time) => Some(time),
            Err((code, message)) => {
                self.reject_field("start_ts", code, &message);
                None
            }
        }
    }

    fn read_points(&mut self, text: &'a str, raw: &'a RawValue) {
        let Ok(raws) = serde_json::from_str::<BoundedSeq<&RawValue>>(raw.get()) else {
            self.reject_field(
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
                format!("has more than {MAX_POINTS} points, the most of one session's body");
            self.reject_field("data", FieldErrorCode::TooManyPoints, &message);
        }
        self.points = DraftPoints::Values(points, locations);
    }

    /// Reads an entry that has a error, naming each.
    fn diagnose_entry(
        &mut self,
        text: &str,
        entry: usize,
        raw: &RawValue,
        points: &mut RawValues<'a>,
        locations: &mut Locations,
    ) {
        let mut errors: Vec<(String, FieldErrorCode, String)> = Vec::new();
        let Ok(fields) = serde_json::from_str::<RawFields<'_>>(raw.get()) else {
            let message = "must be an object {\"series\", \"time\", \"value\"}".to_owned();
            self.reject_point(
                entry,
                None,
                (String::new(), FieldErrorCode::InvalidType, message),
            );
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
            self.reject_point(entry, series.as_deref().map(str::to_owned), error);
        }
    }

    fn reject_field(&mut self, field: &str, code: FieldErrorCode, message: &str) {
        self.errors.push(FieldError {
            pointer: pointer_to(field),
            index: None,
            series: None,
            code,
            message: format!("{} {message}", echo(field).escape_debug()),
        });
    }

    fn reject_point(
        &mut self,
        index: usize,
        series: Option<String>,
        (at, code, message): (String, FieldErrorCode, String),
    ) {
        let field = at.split('/').nth(1).unwrap_or("point");
        self.errors.push(FieldError {
            message: format!("{} {message}", echo(field).escape_debug()),
            pointer: format!("/data/{index}{at}"),
            index: Some(index),
            series,
            code,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const USER: &str = r#""user_id":"8b0e7a52-6a3f-4a8c-9d0a-0d6a7c1f2b3e""#;

    /// Where the errors of a session with these entries are.
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
    fn an_array_is_no_object_however_well_it_would_fit() {
        assert_eq!(errors(r#"["a","2025-01-01T00:00:00Z",1]"#), ["/data/0"]);
        assert!(
            SessionDraft::from_json(br#"["8b0e7a52-6a3f-4a8c-9d0a-0d6a7c1f2b3e",null,null,[]]"#)
                .is_err()
        );
    }

    #[test]
    fn null_is_no_time() {
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
    fn the_most_points_are_those_of_all_entries() {
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
