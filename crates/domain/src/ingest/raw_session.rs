//! A session as it was sent: read as far as it can be read, every fault noted.

use serde::Deserialize;
use serde_json::value::RawValue;
use std::borrow::Cow;
use uuid::Uuid;

use super::{Reject, RejectCode, Rejects};
use crate::json::RawFields;
use crate::{Json, SessionId, TimeSeriesPoint, Timestamp, TimestampError, UserId};

/// The most points of one session's body.
const MAX_POINTS: usize = 1_000_000;

const SESSION_FIELDS: [&str; 4] = ["user_id", "session_id", "start_ts", "data"];
const POINT_FIELDS: [&str; 3] = ["series", "time", "value"];

/// The body is no JSON object at all, so there is no place to point to.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct BodyError(String);

/// A session before validation: what could be read, and what was wrong with the rest.
#[derive(Debug)]
pub struct RawSession {
    pub(super) user_id: Option<UserId>,
    /// `None` when it was left out.
    pub(super) session_id: Option<SessionId>,
    pub(super) start_ts: Option<Timestamp>,
    pub(super) points: Vec<RawPoint>,
    pub(super) rejects: Rejects,
}

/// A point before validation; what could not be read is `None` and has its reject.
#[derive(Debug)]
pub(super) struct RawPoint {
    pub(super) series: Option<String>,
    pub(super) time: Option<Timestamp>,
    pub(super) value: Option<Json>,
}

/// The shape of a point without faults, borrowed from the body.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PointFields<'a> {
    #[serde(borrow)]
    series: Cow<'a, str>,
    #[serde(borrow)]
    time: Cow<'a, str>,
    #[serde(borrow)]
    value: &'a RawValue,
}

/// The shape of a session without faults.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SessionFields<'a> {
    #[serde(borrow)]
    user_id: Cow<'a, str>,
    #[serde(borrow)]
    session_id: Option<Cow<'a, str>>,
    #[serde(borrow)]
    start_ts: Option<Cow<'a, str>>,
    #[serde(borrow)]
    data: Vec<PointFields<'a>>,
}

impl RawPoint {
    /// A point without faults; `None` if there is any.
    fn read(fields: PointFields<'_>) -> Option<Self> {
        let time = Timestamp::parse_rfc3339(&fields.time).ok()?;
        let value = Json::parse_raw(fields.value).ok()?;
        Some(Self { series: Some(fields.series.into_owned()), time: Some(time), value: Some(value) })
    }
}

impl RawSession {
    /// Reads `{"user_id", "session_id"?, "start_ts"?, "data": [{"series", "time", "value"}]}`.
    ///
    /// # Errors
    /// [`BodyError`] when the body is not a JSON object. Anything less is noted as a reject.
    pub fn from_json(body: &[u8]) -> Result<Self, BodyError> {
        Self::read_faultless(body).map_or_else(|| Self::diagnose(body), Ok)
    }

    /// Reads a session without faults in one go; `None` if there is any.
    fn read_faultless(body: &[u8]) -> Option<Self> {
        let fields: SessionFields<'_> = serde_json::from_slice(body).ok()?;
        if fields.data.len() > MAX_POINTS {
            return None;
        }
        let uuid = |text: &str| Uuid::try_parse(text).ok();
        let mut session = Self {
            user_id: Some(UserId(uuid(&fields.user_id)?)),
            session_id: None,
            start_ts: None,
            points: Vec::with_capacity(fields.data.len()),
            rejects: Rejects::default(),
        };
        if let Some(id) = fields.session_id {
            session.session_id = Some(SessionId(uuid(&id)?));
        }
        if let Some(start) = fields.start_ts {
            session.start_ts = Some(Timestamp::parse_rfc3339(&start).ok()?);
        }
        for point in fields.data {
            session.points.push(RawPoint::read(point)?);
        }
        Some(session)
    }

    /// Reads what can be read of a session, naming each fault.
    fn diagnose(body: &[u8]) -> Result<Self, BodyError> {
        let fields: RawFields<'_> = serde_json::from_slice(body).map_err(|e| BodyError(e.to_string()))?;
        let mut session =
            Self { user_id: None, session_id: None, start_ts: None, points: Vec::new(), rejects: Rejects::default() };
        let mut seen: Vec<&str> = Vec::new();
        for (key, raw) in &fields.0 {
            if !SESSION_FIELDS.contains(&key.as_ref()) {
                let message = "is not a field of a session; there are user_id, session_id, start_ts and data";
                session.reject_field(key, RejectCode::UnknownField, message);
                continue;
            }
            if seen.contains(&key.as_ref()) {
                session.reject_field(key, RejectCode::DuplicateKey, "is there twice; send it once");
                continue;
            }
            seen.push(key);
            match key.as_ref() {
                "user_id" => session.user_id = session.uuid("user_id", raw).map(UserId),
                "session_id" => session.session_id = session.uuid("session_id", raw).map(SessionId),
                "start_ts" => session.start_ts = session.start(raw),
                _ => session.read_points(raw),
            }
        }
        for required in ["user_id", "data"] {
            if !seen.contains(&required) {
                session.reject_field(required, RejectCode::MissingField, "is required");
            }
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
        let raw = |p: TimeSeriesPoint| RawPoint {
            series: Some(p.series.as_str().to_owned()),
            time: Some(p.time),
            value: Some(p.value),
        };
        Self {
            user_id: Some(user_id),
            session_id: Some(session_id),
            start_ts,
            points: points.into_iter().map(raw).collect(),
            rejects: Rejects::default(),
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
            let message = format!("must be left out or be {id}, the one that the session is stored under");
            self.reject_field("session_id", RejectCode::InvalidUuid, &message);
        }
        self.session_id = Some(id);
        self
    }

    fn uuid(&mut self, field: &str, raw: &RawValue) -> Option<Uuid> {
        let text: Option<Cow<'_, str>> = serde_json::from_str::<Text<'_>>(raw.get()).ok().map(|t| t.0);
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

    fn read_points(&mut self, raw: &RawValue) {
        let Ok(raws) = serde_json::from_str::<Vec<&RawValue>>(raw.get()) else {
            self.reject_field("data", RejectCode::InvalidType, "must be an array of points");
            return;
        };
        if raws.len() > MAX_POINTS {
            let message = format!("has {} points; at most {MAX_POINTS} fit one session's body", raws.len());
            self.reject_field("data", RejectCode::TooManyPoints, &message);
            return;
        }
        self.points.reserve(raws.len());
        for (index, raw) in raws.into_iter().enumerate() {
            let point = self.read_point(index, raw);
            self.points.push(point);
        }
    }

    fn read_point(&mut self, index: usize, raw: &RawValue) -> RawPoint {
        let fields = serde_json::from_str::<PointFields<'_>>(raw.get()).ok();
        fields.and_then(RawPoint::read).unwrap_or_else(|| self.diagnose_point(index, raw))
    }

    /// Reads a point that has a fault, naming each.
    fn diagnose_point(&mut self, index: usize, raw: &RawValue) -> RawPoint {
        let mut point = RawPoint { series: None, time: None, value: None };
        let mut faults: Vec<(String, RejectCode, String)> = Vec::new();
        let Ok(fields) = serde_json::from_str::<RawFields<'_>>(raw.get()) else {
            let message = "must be an object {\"series\", \"time\", \"value\"}".to_owned();
            self.reject_point(index, None, (String::new(), RejectCode::InvalidType, message));
            return point;
        };
        let mut seen: Vec<&str> = Vec::new();
        for (key, raw) in &fields.0 {
            let at = format!("/{}", key.replace('~', "~0").replace('/', "~1"));
            if !POINT_FIELDS.contains(&key.as_ref()) {
                let message = "is not a field of a point; there are series, time and value".to_owned();
                faults.push((at, RejectCode::UnknownField, message));
                continue;
            }
            if seen.contains(&key.as_ref()) {
                faults.push((at, RejectCode::DuplicateKey, "is there twice; send it once".to_owned()));
                continue;
            }
            seen.push(key);
            match key.as_ref() {
                "series" => match serde_json::from_str::<Text<'_>>(raw.get()) {
                    Ok(Text(series)) => point.series = Some(series.into_owned()),
                    Err(_) => {
                        faults.push((at, RejectCode::InvalidType, "must be the name of a metric type".to_owned()));
                    }
                },
                "time" => match read_time(raw.get()) {
                    Ok(time) => point.time = Some(time),
                    Err((code, message)) => faults.push((at, code, message)),
                },
                _ => match Json::parse_raw(raw) {
                    Ok(value) => point.value = Some(value),
                    Err(e) => faults.push((format!("{at}{}", e.pointer), (&e.kind).into(), e.to_string())),
                },
            }
        }
        for required in POINT_FIELDS {
            if !seen.contains(&required) {
                faults.push((format!("/{required}"), RejectCode::MissingField, "is required".to_owned()));
            }
        }
        for fault in faults {
            let series = point.series.clone();
            self.reject_point(index, series, fault);
        }
        point
    }

    fn reject_field(&mut self, field: &str, code: RejectCode, message: &str) {
        self.rejects.push(Reject {
            pointer: format!("/{}", field.replace('~', "~0").replace('/', "~1")),
            index: None,
            series: None,
            code,
            message: format!("{} {message}", field.escape_debug()),
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
            message: format!("{} {message}", field.escape_debug()),
            pointer: format!("/data/{index}{at}"),
            index: Some(index),
            series,
            code,
        });
    }
}

/// A JSON string, borrowed where it has no escapes.
#[derive(Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

fn read_time(raw: &str) -> Result<Timestamp, (RejectCode, String)> {
    let Ok(Text(text)) = serde_json::from_str::<Text<'_>>(raw) else {
        return Err((RejectCode::InvalidType, "must be a string with an RFC 3339 time".to_owned()));
    };
    Timestamp::parse_rfc3339(&text).map_err(|e| {
        let code = match e {
            TimestampError::TooFine => RejectCode::TimeTooFine,
            TimestampError::OutOfRange => RejectCode::ImplausibleTime,
            TimestampError::NotRfc3339 | TimestampError::LeapSecond => RejectCode::InvalidTime,
        };
        (code, e.to_string())
    })
}
