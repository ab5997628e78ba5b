//! Converts errors of the driver to errors of the ports.

use std::fmt::Display;

use deadpool_postgres::PoolError;
use time_series_domain::ports::{StoreError, WriteError};
use tokio_postgres::error::SqlState;

use super::pipeline::ErrorOrigin;

/// An error within a transaction, before the decision on a retry.
#[derive(Debug)]
pub(super) enum PgError {
    Driver(tokio_postgres::Error),
    /// An error during COMMIT. The outcome is unknown if the server became unavailable.
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
    /// Converts the error of a statement with a pipelined COMMIT. If the server did not return the
    /// error, the COMMIT may have been executed.
    pub(super) fn in_commit(self) -> Self {
        match self {
            Self::Driver(e) if !e.is_from_server() => Self::Commit(e),
            other => other,
        }
    }

    /// Returns whether the transaction conflicted with another one and can be retried.
    pub(super) fn is_retryable(&self) -> bool {
        let (Self::Driver(e) | Self::Commit(e)) = self else {
            return false;
        };
        is_conflict(e)
    }

    /// Converts the error of a read.
    pub(super) fn into_store_error(self, doing: &'static str) -> StoreError {
        match self.into_write_error(doing) {
            WriteError::Store(e) => e,
            // A read that waits for a lock, such as that of a migration, or loses its connection
            // may succeed later.
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
                // A retry may succeed: of a conflict with other transactions or with a standby's
                // recovery.
                _ if is_unavailable(&e) || is_conflict(&e) => StoreError::Unavailable {
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

fn is_conflict(e: &tokio_postgres::Error) -> bool {
    let conflicts = [
        SqlState::T_R_SERIALIZATION_FAILURE,
        SqlState::T_R_DEADLOCK_DETECTED,
    ];
    e.code().is_some_and(|code| conflicts.contains(code))
}

/// Converts the error of a pool: no connection is available.
pub(super) fn from_pool(doing: &'static str, e: PoolError) -> StoreError {
    StoreError::Unavailable {
        doing,
        source: e.into(),
    }
}

/// Returns the error of a corrupt stored value.
pub(super) fn corrupt(table: &'static str, column: &'static str, problem: impl Display) -> PgError {
    PgError::Store(StoreError::Corrupt {
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
    // 08: connection; 53: out of resources; 57P: shutdown or startup; 25006: write on a standby;
    // 25P03: idle in a transaction for too long, which ends the connection.
    ["08", "53", "57P", "25006", "25P03"]
        .iter()
        .any(|class| code.code().starts_with(class))
        || is_standby(e)
}

/// Returns true if the server rejected BEGIN READ WRITE because it is in recovery. The SQLSTATE is
/// that of any unsupported feature, and the message is translated, so the name of the function that
/// checks settings is compared.
fn is_standby(e: &tokio_postgres::Error) -> bool {
    let Some(error) = e.as_db_error() else {
        return false;
    };
    *error.code() == SqlState::FEATURE_NOT_SUPPORTED
        && error.routine() == Some("call_bool_check_hook")
}
