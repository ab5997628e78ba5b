//! The error of a query.

use super::limits::LimitExceeded;
use crate::metric_type::SelectorError;
use crate::ports::StoreError;

/// The reason why a query was not answered.
#[derive(Debug, thiserror::Error)]
pub enum QueryError {
    /// The series selector is invalid. The client must correct it.
    #[error("series {0}")]
    Series(#[from] SelectorError),
    /// A numeric function was requested for a series without numbers that is selected by its name.
    #[error(
        "{what} needs numbers, but the values of {series} have none; \
         use first, last, count, mode or distinct"
    )]
    NoNumbers {
        /// The series.
        series: String,
        /// The function or parameter that needs numbers.
        what: String,
    },
    /// The query would exceed a limit. The client must request less.
    #[error("{0}")]
    LimitExceeded(LimitExceeded),
    /// The store failed. The client may try again.
    #[error(transparent)]
    Store(#[from] StoreError),
}
