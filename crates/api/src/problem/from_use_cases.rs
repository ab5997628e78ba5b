//! What the use cases say, as problems. A 5xx says nothing from below this crate.

use time_series_domain::ingest::{IngestError, MAX_SESSION_POINTS, Reject, Rejects};
use time_series_domain::ports::{ChangeError, StoreError};
use time_series_domain::query::{LimitExceeded, QueryError};

use super::{Code, Estimate, FieldError, Problem};

/// Returns the chain of causes of an error, for the log.
fn causes(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |error| error.source());
    causes
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(": ")
}

impl From<StoreError> for Problem {
    fn from(e: StoreError) -> Self {
        match e {
            StoreError::Unavailable { .. } => {
                tracing::warn!(error = %e, cause = causes(&e), "store unavailable");
                Self::new(
                    Code::Unavailable,
                    "The database cannot be reached, or takes no writes now; nothing was changed. Try again.",
                )
            }
            StoreError::Busy { .. } => Self::new(
                Code::Unavailable,
                "More is waiting to be stored than can be stored in time; nothing was changed. Retry after 1 s.",
            ),
            StoreError::Locked { .. } => Self::new(
                Code::Unavailable,
                "Another request is changing the same data and did not end in time; nothing was changed. Retry after 1 s.",
            ),
            StoreError::OutcomeUnknown { .. } => {
                tracing::warn!(error = %e, cause = causes(&e), "commit interrupted");
                Self::outcome_unknown("The database was lost during the commit.")
            }
            StoreError::CatalogueChanged | StoreError::MetricTypeBusy => Self::new(
                Code::Unavailable,
                "A metric type of this request is being changed right now; nothing was stored. Try again.",
            ),
            StoreError::TimedOut { .. } => {
                tracing::warn!(error = %e, "statement timed out");
                Self::new(
                    Code::TimedOut,
                    "The database took too long; nothing was changed. Try again, and ask for a shorter range or fewer series.",
                )
            }
            StoreError::OutOfSession => Self::new(
                Code::Unavailable,
                "The session is being changed right now; nothing was added. Try again.",
            ),
            StoreError::SessionConflict
            | StoreError::SessionAbsent
            | StoreError::StartConflict
            | StoreError::SessionFull
            | StoreError::KeyReused
            | StoreError::Stopped
            | StoreError::Inconsistent { .. }
            | StoreError::Failed { .. } => {
                tracing::error!(error = %e, cause = causes(&e), "store failed");
                Self::internal()
            }
        }
    }
}

impl Problem {
    /// A write that may have happened or not.
    pub(crate) fn outcome_unknown(why: &str) -> Self {
        let detail = format!(
            "{why} The change may have happened or not. Send the same request again, with the session_id: what has \
             happened already does not happen twice."
        );
        Self::new(Code::OutcomeUnknown, detail)
    }
}

impl From<IngestError> for Problem {
    fn from(e: IngestError) -> Self {
        match e {
            IngestError::Body(e) => Self::new(
                Code::InvalidBody,
                format!("The body is not a JSON object: {e}"),
            ),
            IngestError::Rejected(rejects) => rejects.into(),
            IngestError::Conflict(id) => Self::new(
                Code::SessionConflict,
                format!(
                    "A session {id} with other content is stored; nothing was changed. Send it under another \
                     session_id, or choose ?on_conflict=ignore to keep the stored one, ?on_conflict=replace to replace it \
                     or ?on_conflict=append to add to it."
                ),
            ),
            IngestError::Absent(id) => Self::new(
                Code::SessionNotFound,
                format!(
                    "There is no session {id} to append to; store it first with POST /api/sessions/."
                ),
            ),
            IngestError::StartConflict(id) => Self::new(
                Code::AppendConflict,
                format!(
                    "The stored session {id} has another start_ts; nothing was added. Leave start_ts out."
                ),
            ),
            IngestError::Full(id) => Self::new(
                Code::AppendConflict,
                format!(
                    "Session {id} would have more than {MAX_SESSION_POINTS} points; nothing was added. Begin another session."
                ),
            ),
            IngestError::KeyReused => Self::new(
                Code::IdempotencyKeyReused,
                "Other points were appended to this session under this Idempotency-Key; nothing was added. Send each \
                 part under a key of its own, and the same part again under the same key.",
            ),
            IngestError::Busy(_) => Self::new(
                Code::Unavailable,
                "More sessions are waiting to be checked than can be checked in time; nothing was stored. Retry after 1 s.",
            ),
            IngestError::Store(e) => e.into(),
        }
    }
}

impl From<Rejects> for Problem {
    fn from(rejects: Rejects) -> Self {
        let total = rejects.total();
        let detail = match total {
            1 => "There is 1 fault; nothing was stored.".to_owned(),
            n if n > rejects.listed().len() => {
                format!(
                    "There are {n} faults, the first {} are listed; nothing was stored.",
                    rejects.listed().len()
                )
            }
            n => format!("There are {n} faults; nothing was stored."),
        };
        let errors = rejects.listed().iter().map(field_error).collect();
        Self::with_errors(Code::InvalidSession, detail, errors).total(total)
    }
}

fn field_error(reject: &Reject) -> FieldError {
    FieldError {
        pointer: reject.pointer.clone(),
        index: reject.index,
        series: reject.series.clone(),
        code: reject.code.as_str(),
        message: reject.message.clone(),
    }
}

impl From<QueryError> for Problem {
    fn from(e: QueryError) -> Self {
        let (parameter, code) = match e {
            QueryError::Series(time_series_domain::SelectorError::Unknown { .. }) => {
                ("series", "unknown_series")
            }
            QueryError::Series(_) => ("series", "invalid_parameter"),
            QueryError::NoNumbers { .. } => ("agg_func", "no_numbers"),
            QueryError::LimitExceeded(refusal) => return refusal.into(),
            QueryError::Store(e) => return e.into(),
        };
        let message = e.to_string();
        Self::with_errors(
            Code::InvalidParameters,
            message.clone(),
            vec![FieldError::new(parameter, code, message)],
        )
    }
}

impl From<LimitExceeded> for Problem {
    fn from(refusal: LimitExceeded) -> Self {
        let (code, estimate) = match refusal {
            LimitExceeded::Rows { rows, limit } | LimitExceeded::Groups { rows, limit } => (
                Code::TooManyRows,
                Estimate {
                    rows: Some(rows as u64),
                    limit: limit as u64,
                    ..Estimate::default()
                },
            ),
            LimitExceeded::Values { values, limit, .. } => (
                Code::TooManyValues,
                Estimate {
                    values: Some(values),
                    limit: limit as u64,
                    ..Estimate::default()
                },
            ),
            LimitExceeded::Downsampling { numbers, limit } => {
                let (values, limit) = (Some(numbers as u64), limit as u64);
                (
                    Code::TooManyValues,
                    Estimate {
                        values,
                        limit,
                        ..Estimate::default()
                    },
                )
            }
            LimitExceeded::Points { points, limit } => (
                Code::TooManyPoints,
                Estimate {
                    points: Some(points),
                    limit,
                    ..Estimate::default()
                },
            ),
            LimitExceeded::Memory { limit } => (
                Code::TooMuchMemory,
                Estimate {
                    limit: limit as u64,
                    ..Estimate::default()
                },
            ),
            LimitExceeded::MemoryBusy => {
                metrics::counter!("queries_turned_away_total").increment(1);
                let detail = "Other queries hold the memory that this one needs. Retry after 1 s.";
                return Self::new(Code::Unavailable, detail);
            }
        };
        Self::new(code, refusal.to_string()).estimate(estimate)
    }
}

impl From<ChangeError> for Problem {
    fn from(e: ChangeError) -> Self {
        let code = match e {
            ChangeError::Absent => Code::MetricTypeNotFound,
            ChangeError::Exists => Code::MetricTypeExists,
            ChangeError::InUse | ChangeError::Misfits { .. } | ChangeError::LeafInUse { .. } => {
                Code::MetricTypeInUse
            }
            ChangeError::Store(e) => return e.into(),
        };
        Self::new(code, e.to_string())
    }
}
