//! Response to a write of a session.

use actix_web::http::StatusCode;
use actix_web::http::header::{HeaderName, LOCATION};
use apistos::ApiComponent;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Value, json};
use time_series_domain::ingest::Outcome;
use time_series_domain::session::Ingested;
use uuid::Uuid;

use crate::openapi::{Answer, Example, Reply};
use crate::request::USER_VERSION;

/// Header that marks the repetition of an earlier response.
const REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");

/// Result of a write of a session.
#[derive(Serialize, JsonSchema, ApiComponent)]
pub(crate) struct Receipt {
    /// Human-readable result.
    message: &'static str,
    /// `created`, `unchanged` (the same session was already stored), `ignored`, `replaced`,
    /// `appended` or `checked` (dry run).
    outcome: &'static str,
    /// User that owns the session.
    user_id: Uuid,
    /// Id of the session, sent or generated.
    session_id: Uuid,
    /// Number of points in the request.
    points: u64,
    /// Version of the user's data, which increases with every change. Absent for a dry run.
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<u64>,
    /// Number of points in the stored session. Absent for a dry run.
    #[serde(skip_serializing_if = "Option::is_none")]
    total_points: Option<u64>,
}

impl Example for Receipt {
    fn example() -> Value {
        json!({
            "message": "Data ingested successfully",
            "outcome": "created",
            "user_id": "d38834e0-fe46-4bf9-831d-1d5b125bdc9b",
            "session_id": "0191d9f0-6d2c-7c3e-9b1a-3f8f0c5b7a11",
            "points": 2,
            "version": 1,
            "total_points": 2
        })
    }
}

impl Answer for Receipt {
    const STATUSES: &'static [(u16, &'static str)] = &[
        (
            200,
            "No new session: `outcome` is `unchanged`, `ignored`, `replaced`, `appended` or \
             `checked`.",
        ),
        (201, "The session is stored, committed and fsynced."),
    ];
}

/// Returns the name of an outcome.
pub(super) const fn name(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Created => "created",
        Outcome::Unchanged => "unchanged",
        Outcome::Ignored => "ignored",
        Outcome::Replaced => "replaced",
        Outcome::Appended => "appended",
        Outcome::Checked => "checked",
    }
}

/// Counts a write in the metrics.
pub(super) fn count(done: &Ingested) {
    if done.outcome == Outcome::Checked {
        return;
    }
    metrics::counter!("sessions_ingested_total", "outcome" => name(done.outcome)).increment(1);
    if matches!(
        done.outcome,
        Outcome::Created | Outcome::Replaced | Outcome::Appended
    ) {
        metrics::counter!("points_ingested_total").increment(done.points);
    }
}

pub(super) fn receipt(done: &Ingested) -> Reply<Receipt> {
    count(done);
    let message = match done.outcome {
        Outcome::Created => "Data ingested successfully",
        Outcome::Unchanged => "The same session is already stored; nothing was changed",
        Outcome::Ignored => "Another session is stored under this id and was kept",
        Outcome::Replaced => "The session was replaced",
        Outcome::Appended => "The points were added to the session",
        Outcome::Checked => "The session is valid; nothing was stored",
    };
    let body = Receipt {
        message,
        outcome: name(done.outcome),
        user_id: done.user_id.0,
        session_id: done.session_id.0,
        points: done.points,
        version: done.version,
        total_points: done.total_points,
    };
    let reply = if done.outcome == Outcome::Created {
        let location = format!(
            "/api/sessions/{}/?user_id={}",
            done.session_id, done.user_id
        );
        Reply::new(StatusCode::CREATED, body).header(LOCATION, &location)
    } else {
        Reply::ok(body)
    };
    let reply = if done.is_replay {
        reply.header(REPLAYED, "true")
    } else {
        reply
    };
    match done.version {
        Some(version) => reply.header(USER_VERSION, &version.to_string()),
        None => reply,
    }
}
