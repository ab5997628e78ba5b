//! Limits on requests, queries and times.

use time_series_domain::TimeRules;
use time_series_domain::query::QueryLimits;

use super::env::{ConfigError, Env};
use super::memory;

/// Divisor of the available memory for the default of `MAX_BYTES_IN_FLIGHT`.
const BODIES_MEMORY_DIVISOR: usize = 8;
/// Divisor of the available memory for the default of `MAX_ANSWER_BYTES`.
const QUERIES_MEMORY_DIVISOR: usize = 4;
/// Minimum of both defaults, in bytes.
const MIN_DEFAULT_BYTES: usize = 8 << 20;
/// Maximum default of `MAX_BYTES_IN_FLIGHT`, in bytes.
const MAX_DEFAULT_BYTES_IN_FLIGHT: usize = 128 << 20;
/// Maximum default of `MAX_ANSWER_BYTES`, in bytes.
const MAX_DEFAULT_ANSWER_BYTES: usize = 256 << 20;
/// Maximum of `MAX_BODY_BYTES`, in bytes: positions in a body have 32 bits.
const MAX_BODY_BYTES: usize = 1 << 30;

/// Limits on requests, queries and times.
#[derive(Debug, Clone)]
pub struct LimitsConfig {
    /// `MAX_BODY_BYTES` (default half of `MAX_BYTES_IN_FLIGHT`): maximum length of a decompressed
    /// request body, at most 1 GiB.
    pub body_bytes: usize,
    /// `MAX_BYTES_IN_FLIGHT` (default 1/8 of the available memory, 8 to 128 MiB): maximum bytes of
    /// all request bodies in memory. Half of them are reserved for bulk uploads.
    pub bytes_in_flight: usize,
    /// `MAX_ANSWER_BYTES` (default 1/4 of the available memory, 8 to 256 MiB): maximum memory of
    /// all queries together, from the first value that they hold to the last byte that they send.
    pub answer_bytes: usize,
    /// `MAX_ROWS` (default `1000000`): maximum number of rows of a response.
    pub rows: usize,
    /// `MAX_BUCKET_VALUES` (default `5000000`): maximum number of values of a bucket that are held
    /// for percentiles. A query holds at most four times as many.
    pub bucket_values: usize,
    /// `MAX_POINTS_READ` (default `100000000`): maximum number of points that a query reads.
    pub points_read: u64,
    /// Limits on the times of points.
    ///
    /// `MAX_DAYS_BEFORE_START` (default `1`): days before `start_ts` in which points are accepted.
    ///
    /// `MAX_DAYS_AFTER_START` (default `31`): days after `start_ts`, or after the first point, in
    /// which points are accepted.
    ///
    /// `MAX_FUTURE_DAYS` (default `1`): days ahead of the clock of the service in which times are
    /// accepted.
    pub times: TimeRules,
}

impl LimitsConfig {
    pub(super) fn read(env: &Env) -> Result<Self, ConfigError> {
        let limits = QueryLimits::default();
        let available = memory::available();
        let default_in_flight = (available / BODIES_MEMORY_DIVISOR)
            .clamp(MIN_DEFAULT_BYTES, MAX_DEFAULT_BYTES_IN_FLIGHT);
        let default_answer_bytes =
            (available / QUERIES_MEMORY_DIVISOR).clamp(MIN_DEFAULT_BYTES, MAX_DEFAULT_ANSWER_BYTES);
        let bytes_in_flight = env.positive("MAX_BYTES_IN_FLIGHT", default_in_flight)?;
        let body_bytes = env.positive("MAX_BODY_BYTES", (bytes_in_flight / 2).max(1))?;
        if body_bytes > MAX_BODY_BYTES {
            return Err(ConfigError::new(
                "MAX_BODY_BYTES",
                format!("must be at most {MAX_BODY_BYTES}"),
            ));
        }
        Ok(Self {
            body_bytes,
            bytes_in_flight,
            answer_bytes: env.positive("MAX_ANSWER_BYTES", default_answer_bytes)?,
            rows: env.positive("MAX_ROWS", limits.rows)?,
            bucket_values: env.positive("MAX_BUCKET_VALUES", limits.bucket_values)?,
            points_read: env.parsed("MAX_POINTS_READ", limits.points_read)?,
            times: read_time_rules(env)?,
        })
    }

    /// Returns the limits on queries.
    #[must_use]
    pub const fn queries(&self) -> QueryLimits {
        QueryLimits {
            rows: self.rows,
            bucket_values: self.bucket_values,
            points_read: self.points_read,
        }
    }
}

fn read_time_rules(env: &Env) -> Result<TimeRules, ConfigError> {
    let rules = TimeRules::default();
    Ok(TimeRules {
        days_before_start: days(env, "MAX_DAYS_BEFORE_START", rules.days_before_start)?,
        days_after_start: days(env, "MAX_DAYS_AFTER_START", rules.days_after_start)?,
        days_ahead_of_clock: days(env, "MAX_FUTURE_DAYS", rules.days_ahead_of_clock)?,
    })
}

fn days(env: &Env, name: &'static str, default: i64) -> Result<i64, ConfigError> {
    let days: u16 = env.parsed(name, u16::try_from(default).unwrap_or(u16::MAX))?;
    Ok(days.into())
}
