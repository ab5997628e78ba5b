//! Limits of one query.

use std::fmt;

use crate::fingerprint::{FingerprintHasher, Fingerprinted};

/// Ratio of the values that all buckets together may retain to those of one bucket.
pub(super) const BUCKETS: usize = 4;

/// Limits of one query.
#[derive(Debug, Clone, Copy)]
pub struct QueryLimits {
    /// Maximum rows of an answer.
    pub rows: usize,
    /// Maximum values that one bucket retains for percentiles; all buckets together retain at most
    /// four times as many.
    pub bucket_values: usize,
    /// Maximum points that are read.
    pub points_read: u64,
}

impl Default for QueryLimits {
    fn default() -> Self {
        Self {
            rows: 1_000_000,
            bucket_values: 5_000_000,
            points_read: 100_000_000,
        }
    }
}

/// The limit that a query would exceed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LimitExceeded {
    /// Rows of the answer.
    Rows {
        /// The minimum number of rows.
        rows: usize,
        /// The maximum number of rows.
        limit: usize,
    },
    /// Rows of groups that `over` would aggregate.
    Groups {
        /// The minimum number of rows.
        rows: usize,
        /// The maximum number of rows.
        limit: usize,
    },
    /// Numbers that downsampling would choose among.
    Downsampling {
        /// The minimum number of numbers.
        numbers: usize,
        /// The maximum number of numbers.
        limit: usize,
    },
    /// Values retained for percentiles.
    Values {
        /// True if one bucket, and not all together, exceeds the limit.
        in_bucket: bool,
        /// The minimum number of values.
        values: u64,
        /// The maximum number of values per bucket.
        limit: usize,
    },
    /// Points read.
    Points {
        /// The minimum number of points.
        points: u64,
        /// The maximum number of points.
        limit: u64,
    },
    /// Memory held.
    Memory {
        /// The maximum number of bytes of all queries.
        limit: usize,
    },
    /// Memory held together with the queries that run now. The client may try again later.
    MemoryBusy,
}

impl fmt::Display for LimitExceeded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rows { rows, limit } => write!(
                f,
                "the answer would have at least {rows} rows, more than the {limit} that are \
                 allowed; use a longer interval, a shorter range or fewer series"
            ),
            Self::Groups { rows, limit } => write!(
                f,
                "over would aggregate at least {rows} rows of groups, more than the {limit} that \
                 are held; use a longer interval, a shorter range or fewer series"
            ),
            Self::Downsampling { numbers, limit } => write!(
                f,
                "max_points would choose among at least {numbers} numbers, more than the {limit} \
                 that are held; use a shorter range or fewer series"
            ),
            Self::Values {
                in_bucket: true,
                values,
                limit,
            } => write!(
                f,
                "a bucket has at least {values} values, more than the {limit} that are kept for \
                 percentiles, mode and distinct; use a shorter interval, or accuracy=approx, \
                 which is for percentiles without mode and distinct"
            ),
            Self::Values {
                in_bucket: false,
                values,
                limit,
            } => write!(
                f,
                "the buckets have at least {values} values together, more than the {} that are \
                 kept for percentiles, mode, distinct and time_avg; use a shorter range, fewer \
                 series, or accuracy=approx, which is for percentiles without the others",
                limit.saturating_mul(BUCKETS)
            ),
            Self::Points { points, limit } => write!(
                f,
                "the query would read at least {points} points, more than the {limit} that are \
                 allowed; use a shorter range, fewer series, for aggregates functions that \
                 summaries answer (avg, min, max, count, sum), for points a limit and the cursor"
            ),
            Self::Memory { limit } => write!(
                f,
                "the query would hold more than the {limit} bytes of memory that all queries may \
                 have; use a longer interval, a shorter range or fewer series"
            ),
            Self::MemoryBusy => f.write_str("other queries hold the memory that this one needs"),
        }
    }
}

impl Fingerprinted for QueryLimits {
    fn feed(&self, hasher: &mut FingerprintHasher) {
        let Self {
            rows,
            bucket_values,
            points_read,
        } = self;
        hasher
            .field("rows", rows)
            .field("bucket_values", bucket_values)
            .field("points_read", points_read);
    }
}
