//! What the driver says, in the words of the ports.

use std::fmt::Display;

use deadpool_postgres::PoolError;
use time_series_domain::ports::{StoreError, WriteError};
use tokio_postgres::error::SqlState;

use super::pipeline::Told;

/// An error on the way, before it is known whether another try would help.
#[derive(Debug)]
pub(super) enum PgError {
    Driver(tokio_postgres::Error),
    /// The answer to a COMMIT did not come.
    Commit(tokio_postgres::Error),
    Store(StoreError),
    Write(WriteError),
}

impl From<tokio_postgres::Error> for PgError {
    fn from(e: tokio_postgres::Error) -> Self {
        Self::Driver(e)
    }
}

impl From<StoreError> for PgError {
    fn from(e: StoreError) -> Self {
        Self::Store(e)
    }
}

impl PgError {
    /// As it is when a COMMIT was sent behind the statement that failed: without a word from the server, who knows.
    pub(super) fn in_commit(self) -> Self {
        match self {
            Self::Driver(e) if !e.is_answer() => Self::Commit(e),
            other => other,
        }
    }

    /// Whether the transaction lost against another one and can simply be run again.
    pub(super) fn is_retryable(&self) -> bool {
        let (Self::Driver(e) | Self::Commit(e)) = self else {
            return false;
        };
        is_lost_race(e)
    }

    /// Converts the error of a read.
    pub(super) fn into_store_error(self, doing: &'static str) -> StoreError {
        match self.into_write_error(doing) {
            WriteError::Store(e) => e,
            // A read that waits for a lock, such as that of a migration, or loses its connection may succeed later.
            e => StoreError::Unavailable {
                doing,
                source: e.into(),
            },
        }
    }

    /// Converts the error of a write.
    pub(super) fn into_write_error(self, doing: &'static str) -> WriteError {
        match self {
            Self::Write(e) => e,
            Self::Store(e) => WriteError::Store(e),
            Self::Commit(e) if is_unavailable(&e) => WriteError::OutcomeUnknown {
                doing,
                source: e.into(),
            },
            Self::Driver(e) | Self::Commit(e) => match e.code() {
                Some(&SqlState::QUERY_CANCELED) => StoreError::TimedOut { doing }.into(),
                Some(&SqlState::LOCK_NOT_AVAILABLE) => WriteError::Locked { doing },
                // Run again, it may succeed: it lost against others, or against the recovery of a standby.
                _ if is_unavailable(&e) || is_lost_race(&e) => StoreError::Unavailable {
                    doing,
                    source: e.into(),
                }
                .into(),
                _ => StoreError::Failed {
                    doing,
                    source: e.into(),
                }
                .into(),
            },
        }
    }
}

fn is_lost_race(e: &tokio_postgres::Error) -> bool {
    let lost = [
        SqlState::T_R_SERIALIZATION_FAILURE,
        SqlState::T_R_DEADLOCK_DETECTED,
    ];
    e.code().is_some_and(|code| lost.contains(code))
}

/// No connection to be had.
pub(super) fn from_pool(doing: &'static str, e: PoolError) -> StoreError {
    StoreError::Unavailable {
        doing,
        source: e.into(),
    }
}

/// A stored value that cannot be read.
pub(super) fn unreadable(
    table: &'static str,
    column: &'static str,
    problem: impl Display,
) -> PgError {
    PgError::Store(StoreError::Inconsistent {
        table,
        column,
        problem: problem.to_string(),
    })
}

fn is_unavailable(e: &tokio_postgres::Error) -> bool {
    let Some(code) = e.code() else {
        let Some(source) = std::error::Error::source(e) else {
            return e.is_closed();
        };
        return e.is_closed() || source.is::<std::io::Error>();
    };
    // 08: connection; 53: out of resources; 57P: shut down or starting up; 25006: a standby, which takes no writes;
    // 25P03: idle in a transaction for too long, which ends the connection.
    ["08", "53", "57P", "25006", "25P03"]
        .iter()
        .any(|class| code.code().starts_with(class))
        || is_standby(e)
}

/// Returns true if the server rejected BEGIN READ WRITE because it is in recovery. The SQLSTATE is that of any unsupported
/// feature, and the message is translated, so the name of the function that checks settings is compared.
fn is_standby(e: &tokio_postgres::Error) -> bool {
    let Some(error) = e.as_db_error() else {
        return false;
    };
    *error.code() == SqlState::FEATURE_NOT_SUPPORTED
        && error.routine() == Some("call_bool_check_hook")
}
