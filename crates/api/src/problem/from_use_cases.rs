//! Conversion of the errors of use cases to problems. A 5xx problem has a fixed text.

use time_series_domain::SessionId;
use time_series_domain::ingest::{FieldError, MAX_SESSION_POINTS, ValidationErrors, WriteConflict};
use time_series_domain::ports::{ChangeError, StoreError, WriteError};
use time_series_domain::query::{LimitExceeded, QueryError};
use time_series_domain::session::{DeleteError, FindError, IngestError};
use time_series_domain::text::echo;

use super::{Code, Estimate, FieldErrorView, Problem};

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
                    "The database is unavailable or does not accept writes; nothing was changed. \
                     Retry after 1 s.",
                )
            }
            StoreError::TimedOut { .. } => {
                tracing::warn!(error = %e, "statement timed out");
                Self::new(
                    Code::TimedOut,
                    "A database statement timed out; nothing was changed. Request a shorter range \
                     or fewer series, or retry.",
                )
            }
            StoreError::CatalogueChanged => Self::metric_type_changing(),
            StoreError::Stopped | StoreError::Corrupt { .. } | StoreError::Failed { .. } => {
                tracing::error!(error = %e, cause = causes(&e), "store failed");
                Self::internal()
            }
        }
    }
}

impl From<WriteError> for Problem {
    fn from(e: WriteError) -> Self {
        match e {
            WriteError::MetricTypeBusy => Self::metric_type_changing(),
            WriteError::QueueFull => Self::new(
                Code::Unavailable,
                "The write queue is full; nothing was changed. Retry after 1 s.",
            ),
            WriteError::Locked { .. } => Self::new(
                Code::Unavailable,
                "Another request is changing the same data; nothing was changed. Retry after 1 s.",
            ),
            WriteError::OutcomeUnknown { .. } => {
                tracing::warn!(error = %e, cause = causes(&e), "commit interrupted");
                Self::outcome_unknown("The connection to the database was lost during the commit.")
            }
            WriteError::Store(e) => e.into(),
        }
    }
}

impl Problem {
    fn metric_type_changing() -> Self {
        Self::new(
            Code::Unavailable,
            "A metric type of this request is being changed; nothing was stored. Retry after 1 s.",
        )
    }

    /// Creates the problem of a session that does not exist.
    pub(crate) fn no_such_session(id: &str, reason: &str) -> Self {
        Self::new(
            Code::SessionNotFound,
            format!("Session {} does not exist: {reason}.", echo(id)),
        )
    }

    /// Creates the problem of a write that may or may not be stored.
    pub(crate) fn outcome_unknown(reason: &str) -> Self {
        let detail = format!(
            "{reason} The change may or may not be stored. Send the same request again with the \
             same session_id; a stored change is not applied twice."
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
            IngestError::Invalid(errors) => errors.into(),
            IngestError::Find(e) => e.into(),
            IngestError::Conflict { session, conflict } => Self::of_conflict(session, conflict),
            IngestError::CatalogueChanged => Self::metric_type_changing(),
            IngestError::Busy(_) => Self::new(
                Code::Unavailable,
                "Too many sessions are waiting for validation; nothing was stored. Retry after 1 \
                 s.",
            ),
            IngestError::Write(e) => e.into(),
        }
    }
}

impl Problem {
    fn of_conflict(id: SessionId, conflict: WriteConflict) -> Self {
        match conflict {
            WriteConflict::SessionExists => Self::new(
                Code::SessionConflict,
                format!(
                    "A session {id} with other content is stored; nothing was changed. Send it \
                     under another session_id, or choose ?on_conflict=ignore to keep the stored \
                     one, ?on_conflict=replace to replace it or ?on_conflict=append to add to it."
                ),
            ),
            WriteConflict::SessionAbsent => Self::new(
                Code::SessionNotFound,
                format!(
                    "Session {id} does not exist. Store the session with POST /api/sessions/ \
                     before appending to it."
                ),
            ),
            WriteConflict::StartDiffers => Self::new(
                Code::AppendConflict,
                format!(
                    "The stored session {id} has another start_ts; nothing was added. Omit \
                     start_ts."
                ),
            ),
            WriteConflict::SessionFull => Self::new(
                Code::AppendConflict,
                format!(
                    "Session {id} would have more than {MAX_SESSION_POINTS} points; nothing was \
                     added. Store the points in a new session."
                ),
            ),
            WriteConflict::OutsideWindow => Self::new(
                Code::Unavailable,
                "Another request is changing the session; nothing was added. Retry after 1 s.",
            ),
            WriteConflict::KeyReused => Self::new(
                Code::IdempotencyKeyReused,
                "Other points were appended to this session with this Idempotency-Key; nothing was \
                 added. Use a new key for each append, and the same key only to retry it.",
            ),
        }
    }
}

impl From<FindError> for Problem {
    fn from(e: FindError) -> Self {
        match e {
            FindError::Absent(id) => {
                Self::no_such_session(&id.to_string(), "it was never stored or has been deleted")
            }
            FindError::NotOfUser(id) => {
                Self::no_such_session(&id.to_string(), "the user has no session with this id")
            }
            FindError::Ambiguous { session, users } => Self::new(
                Code::SessionAmbiguous,
                format!(
                    "{users} users have a session {session}. Choose one with the parameter user_id."
                ),
            ),
            FindError::Store(e) => e.into(),
        }
    }
}

impl From<DeleteError> for Problem {
    fn from(e: DeleteError) -> Self {
        match e {
            DeleteError::Find(e) => e.into(),
            DeleteError::Write(e) => e.into(),
        }
    }
}

impl From<ValidationErrors> for Problem {
    fn from(errors: ValidationErrors) -> Self {
        let total = errors.total();
        let detail = match total {
            1 => "There is 1 fault; nothing was stored.".to_owned(),
            n if n > errors.listed().len() => {
                format!(
                    "There are {n} faults, of which the first {} are listed; nothing was stored.",
                    errors.listed().len()
                )
            }
            n => format!("There are {n} faults; nothing was stored."),
        };
        let errors = errors.listed().iter().map(field_error).collect();
        Self::with_errors(Code::InvalidSession, detail, errors).total(total)
    }
}

fn field_error(error: &FieldError) -> FieldErrorView {
    FieldErrorView {
        pointer: error.pointer.clone(),
        index: error.index,
        series: error.series.clone(),
        code: error.code.as_str(),
        message: error.message.clone(),
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
            QueryError::LimitExceeded(exceeded) => return exceeded.into(),
            QueryError::Store(e) => return e.into(),
        };
        let message = e.to_string();
        Self::with_errors(
            Code::InvalidParameters,
            message.clone(),
            vec![FieldErrorView::new(parameter, code, message)],
        )
    }
}

impl From<LimitExceeded> for Problem {
    fn from(exceeded: LimitExceeded) -> Self {
        let (code, estimate) = match exceeded {
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
                metrics::counter!("queries_rejected_total").increment(1);
                let detail =
                    "Other queries are using the memory that this query needs. Retry after 1 s.";
                return Self::new(Code::Unavailable, detail);
            }
        };
        Self::new(code, exceeded.to_string()).estimate(estimate)
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
            ChangeError::Write(e) => return e.into(),
        };
        Self::new(code, e.to_string())
    }
}
