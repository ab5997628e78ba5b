//! A session as it was sent, read as far as it can be read, with every fault noted.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;
use uuid::Uuid;

use super::at_most::{AtMost, MAX_POINTS};
use super::diagnose_entry::{diagnose_columns, diagnose_point};
use super::fields::{Text, pointer_to, read_time, text};
use super::place::Places;
use super::raw_points::{Entry, NumericData, RawPoints};
use super::raw_values::RawValues;
use super::{Reject, RejectCode, Rejects};
use crate::json::RawFields;
use crate::text::{bounded, echo};
use crate::{SessionId, TimeSeriesPoint, Timestamp, UserId};

const SESSION_FIELDS: [&str; 4] = ["user_id", "session_id", "start_ts", "data"];

/// Maximum length of the description of a fault, in bytes.
const MAX_FAULT: usize = 500;

/// The body is no JSON object at all, so there is no place to point to.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct BodyError(String);

/// A session before validation: what could be read, and what was wrong with the rest.
#[derive(Debug)]
pub struct RawSession<'a> {
    pub(super) user_id: Option<UserId>,
    /// The sender left the user out.
    pub(super) lacks_user: bool,
    /// `None` when it was left out.
    pub(super) session_id: Option<SessionId>,
    pub(super) start_ts: Option<Timestamp>,
    pub(super) points: RawPoints<'a>,
    pub(super) rejects: Rejects,
    /// The body, if it is JSON.
    pub(super) body: Option<&'a str>,
}

/// A session that can be read as often as it is needed: a schema may change while it is checked.
pub trait SessionSource: Send + Sync {
    /// Reads the session.
    ///
    /// # Errors
    /// [`BodyError`] when there is nothing to check.
    fn read(&self) -> Result<RawSession<'_>, BodyError>;
}

/// The shape of a session without faults.
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

impl<'a> RawSession<'a> {
    /// Reads `{"user_id", "session_id"?, "start_ts"?, "data": [{"series", "time", "value"} or {"series", "times", "values"}]}`.
    ///
    /// # Errors
    /// [`BodyError`] when the body is not a JSON object. Anything less is noted as a reject.
    pub fn from_json(body: &'a [u8]) -> Result<Self, BodyError> {
        let text =
            std::str::from_utf8(body).map_err(|e| BodyError(format!("it is not UTF-8: {e}")))?;
        let numeric =
            || Self::read_faultless(text, |NumericData(points)| Some(RawPoints::Numeric(points)));
        numeric()
            .or_else(|| Self::read_values(text))
            .map_or_else(|| Self::diagnose(text), Ok)
    }

    /// Reads a session without faults whose values may be of any kind; `None` if there is any.
    fn read_values(text: &'a str) -> Option<Self> {
        Self::read_faultless(text, |data: &'a RawValue| {
            let (values, places) = RawValues::read_data(text, data)?;
            Some(RawPoints::Values(values, places))
        })
    }

    /// The same session with values that are parsed one by one.
    pub(super) fn with_values(mut self) -> Self {
        if let (RawPoints::Numeric(_), Some(text)) = (&self.points, self.body)
            && let Some(read) = Self::read_values(text)
        {
            self.points = read.points;
        }
        self
    }

    /// Reads a session without faults in one go; `None` if there is any.
    fn read_faultless<D: Deserialize<'a>>(
        text: &'a str,
        points: impl FnOnce(D) -> Option<RawPoints<'a>>,
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
            rejects: Rejects::default(),
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

    /// Reads what can be read of a session, naming each fault.
    fn diagnose(text: &'a str) -> Result<Self, BodyError> {
        let fields: RawFields<'a> =
            serde_json::from_str(text).map_err(|e| BodyError(bounded(e, MAX_FAULT)))?;
        let mut session = Self {
            user_id: None,
            lacks_user: false,
            session_id: None,
            start_ts: None,
            points: RawPoints::Values(RawValues::of_body(text), Places::default()),
            rejects: Rejects::default(),
            body: Some(text),
        };
        let mut seen: Vec<&str> = Vec::new();
        for (key, raw) in &fields.0 {
            if !SESSION_FIELDS.contains(&key.as_ref()) {
                let message =
                    "is not a field of a session; there are user_id, session_id, start_ts and data";
                session.reject_field(key, RejectCode::UnknownField, message);
                continue;
            }
            if seen.contains(&key.as_ref()) {
                session.reject_field(
                    key,
                    RejectCode::DuplicateKey,
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
            session.reject_field("data", RejectCode::MissingField, "is required");
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
            points: RawPoints::Values(RawValues::of_points(points), Places::default()),
            rejects: Rejects::default(),
            body: None,
        }
    }

    /// Gives the session this id where it has none. An id that could not be read keeps its reject.
    #[must_use]
    pub fn or_session_id(mut self, id: SessionId) -> Self {
        self.session_id = self.session_id.or(Some(id));
        self
    }

    /// Gives the session this id; a sender who chose another has a fault.
    #[must_use]
    pub fn at_session_id(mut self, id: SessionId) -> Self {
        if self.session_id.is_some_and(|sent| sent != id) {
            let message =
                format!("must be left out or be {id}, the one that the session is stored under");
            self.reject_field("session_id", RejectCode::InvalidUuid, &message);
        }
        self.session_id = Some(id);
        self
    }

    /// Makes it this user's; a sender who named another has a fault.
    #[must_use]
    pub fn of_user(mut self, user: UserId) -> Self {
        if self.user_id.is_some_and(|sent| sent != user) {
            let message = format!("must be left out or be {user}, whose session is meant");
            self.reject_field("user_id", RejectCode::InvalidUuid, &message);
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
            self.reject_field(field, RejectCode::InvalidUuid, message);
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
        let Ok(raws) = serde_json::from_str::<AtMost<&RawValue>>(raw.get()) else {
            self.reject_field(
                "data",
                RejectCode::InvalidType,
                "must be an array of points",
            );
            return;
        };
        let mut is_too_long = raws.is_too_long();
        let (mut points, mut places) = (RawValues::of_body(text), Places::default());
        for (entry, raw) in raws.0.into_iter().enumerate() {
            is_too_long |= points.len() > MAX_POINTS;
            if is_too_long {
                break;
            }
            let fields = serde_json::from_str::<Entry<'_>>(raw.get()).ok();
            if fields
                .and_then(|fields| points.read_entry(text, entry, &fields, &mut places))
                .is_none()
            {
                self.diagnose_entry(text, entry, raw, &mut points, &mut places);
            }
        }
        if is_too_long || points.len() > MAX_POINTS {
            let message =
                format!("has more than {MAX_POINTS} points, the most of one session's body");
            self.reject_field("data", RejectCode::TooManyPoints, &message);
        }
        self.points = RawPoints::Values(points, places);
    }

    /// Reads an entry that has a fault, naming each.
    fn diagnose_entry(
        &mut self,
        text: &str,
        entry: usize,
        raw: &RawValue,
        points: &mut RawValues<'a>,
        places: &mut Places,
    ) {
        let mut faults: Vec<(String, RejectCode, String)> = Vec::new();
        let Ok(fields) = serde_json::from_str::<RawFields<'_>>(raw.get()) else {
            let message = "must be an object {\"series\", \"time\", \"value\"}".to_owned();
            self.reject_point(
                entry,
                None,
                (String::new(), RejectCode::InvalidType, message),
            );
            points.push(None, None, None);
            return;
        };
        let is_columns = fields
            .0
            .iter()
            .any(|(key, _)| *key == "times" || *key == "values");
        let series = if is_columns {
            diagnose_columns(text, entry, &fields, points, places, &mut faults)
        } else {
            diagnose_point(text, &fields, points, &mut faults)
        };
        for fault in faults {
            self.reject_point(entry, series.as_deref().map(str::to_owned), fault);
        }
    }

    fn reject_field(&mut self, field: &str, code: RejectCode, message: &str) {
        self.rejects.push(Reject {
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
        (at, code, message): (String, RejectCode, String),
    ) {
        let field = at.split('/').nth(1).unwrap_or("point");
        self.rejects.push(Reject {
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

    /// Where the faults of a session with these entries are.
    fn faults(entries: &str) -> Vec<String> {
        let body = format!("{{{USER},\"data\":[{entries}]}}");
        let session = RawSession::from_json(body.as_bytes()).expect("an object");
        session
            .rejects
            .listed()
            .iter()
            .map(|reject| reject.pointer.clone())
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
        assert_eq!(faults(r#"["a","2025-01-01T00:00:00Z",1]"#), ["/data/0"]);
        assert!(
            RawSession::from_json(br#"["8b0e7a52-6a3f-4a8c-9d0a-0d6a7c1f2b3e",null,null,[]]"#)
                .is_err()
        );
    }

    #[test]
    fn null_is_no_time() {
        assert_eq!(
            faults(r#"{"series":"a","time":null,"value":1}"#),
            ["/data/0/time"]
        );
        assert_eq!(
            faults(&columns(1).replace("\"times\"", "\"time\":null,\"times\"")),
            ["/data/0/time"]
        );
    }

    #[test]
    fn the_most_points_are_those_of_all_entries() {
        assert_eq!(faults(&columns(MAX_POINTS)), [""; 0]);
        assert_eq!(
            faults(&format!("{},{}", columns(MAX_POINTS), columns(1))),
            ["/data"]
        );
        let nothing = r#"{"series":"a","times":[],"values":[]}"#;
        assert_eq!(
            faults(&format!("{},{{}}", vec![nothing; MAX_POINTS + 1].join(","))),
            ["/data"]
        );
    }
}
