//! What is too much for one query.

use std::fmt;

use crate::fingerprint::{FingerprintHasher, Fingerprinted};

/// So many times the values of a bucket may be kept in all buckets together.
pub(super) const BUCKETS: usize = 4;

/// What is too much for one query.
#[derive(Debug, Clone, Copy)]
pub struct QueryLimits {
    /// The most rows of an answer.
    pub rows: usize,
    /// The most values of a bucket that are kept for percentiles; four times as many in all buckets.
    pub bucket_values: usize,
    /// The most points that are read.
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

/// Which limit a query would exceed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// Rows of the answer, at least.
    Rows {
        /// How many it would have.
        rows: usize,
        /// How many it may have.
        limit: usize,
    },
    /// Rows of groups that `over` would aggregate, at least.
    Groups {
        /// How many there would be.
        rows: usize,
        /// How many there may be.
        limit: usize,
    },
    /// Numbers that are looked at to thin points out, at least.
    Thinned {
        /// How many there would be.
        numbers: usize,
        /// How many there may be.
        limit: usize,
    },
    /// Values kept for percentiles, at least.
    Values {
        /// Of one bucket, and not of all together.
        in_bucket: bool,
        /// How many there would be.
        values: u64,
        /// How many there may be in a bucket.
        limit: usize,
    },
    /// Points read, at least.
    Points {
        /// How many it would read.
        points: u64,
        /// How many it may read.
        limit: u64,
    },
    /// Bytes held.
    Memory {
        /// How many it may hold.
        limit: usize,
    },
    /// Bytes held together with the queries that run now: try again later.
    MemoryBusy,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rows { rows, limit } => write!(
                f,
                "the answer would have at least {rows} rows, more than the {limit} that are allowed; use a longer \
                 interval, a shorter range or fewer series"
            ),
            Self::Groups { rows, limit } => write!(
                f,
                "over would aggregate at least {rows} rows of groups, more than the {limit} that are held; use a longer \
                 interval, a shorter range or fewer series"
            ),
            Self::Thinned { numbers, limit } => write!(
                f,
                "max_points would choose among at least {numbers} numbers, more than the {limit} that are held; use a \
                 shorter range or fewer series"
            ),
            Self::Values {
                in_bucket: true,
                values,
                limit,
            } => write!(
                f,
                "a bucket has at least {values} values, more than the {limit} that are kept for percentiles, mode and \
                 distinct; use a shorter interval, or accuracy=approx, which is for percentiles without mode and distinct"
            ),
            Self::Values {
                in_bucket: false,
                values,
                limit,
            } => write!(
                f,
                "the buckets have at least {values} values together, more than the {} that are kept for percentiles, \
                 mode, distinct and time_avg; use a shorter range, fewer series, or accuracy=approx, which is \
                 for percentiles without the others",
                limit.saturating_mul(BUCKETS)
            ),
            Self::Points { points, limit } => write!(
                f,
                "the query would read at least {points} points, more than the {limit} that are allowed; use a shorter \
                 range, fewer series, for aggregates functions that summaries answer (avg, min, max, count, sum), for \
                 points a limit and the cursor"
            ),
            Self::Memory { limit } => write!(
                f,
                "the query would hold more than the {limit} bytes of memory that all queries may have; use a longer \
                 interval, a shorter range or fewer series"
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
