//! Parameters that several queries share: series, conditions, time ranges.

use std::fmt::Display;

use time_series_domain::fingerprint::{FingerprintHasher, Fingerprinted};
use time_series_domain::{SelectorError, SeriesSelector, Timestamp};

use super::QueryParams;
use super::shared_params::{IS_COLUMNS, IS_FLAT, SERIES, SERIES_MODE};
use crate::problem::Problem;

/// The arrangement of the rows of a response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Output {
    /// One row per value or point, with nested leaves.
    Nested,
    /// One row per leaf.
    Flat,
    /// One array per leaf.
    Columns,
}

impl Fingerprinted for Output {
    fn feed(&self, hasher: &mut FingerprintHasher) {
        hasher.variant(match self {
            Self::Nested => "nested",
            Self::Flat => "flat",
            Self::Columns => "columns",
        });
    }
}

/// Parses `series` and `series_mode`. Returns the selector and the given values of `series`.
pub(crate) fn read_selector(params: &mut QueryParams) -> (SeriesSelector, Vec<String>) {
    let mode = SERIES_MODE.read(params);
    let given = SERIES.read_all(params);
    if mode.is_some() && given.is_empty() {
        clash(params, "series_mode", "requires the parameter series");
    }
    let texts: Vec<&str> = given.iter().map(String::as_str).collect();
    let selector = SeriesSelector::parse(&texts, mode.unwrap_or_default());
    let selector = selector.unwrap_or_else(|e: SelectorError| {
        params.error("series", "invalid_parameter", e);
        SeriesSelector::all()
    });
    (selector, given)
}

/// Parses `shape` and `layout`.
pub(crate) fn read_output(params: &mut QueryParams) -> Output {
    let flat = IS_FLAT.read(params).unwrap_or(false);
    let columns = IS_COLUMNS.read(params).unwrap_or(false);
    if columns && flat {
        clash(
            params,
            "layout",
            "is columns, which have no rows to be flat; leave out shape=flat or layout=columns",
        );
    }
    match (columns, flat) {
        (true, _) => Output::Columns,
        (false, true) => Output::Flat,
        (false, false) => Output::Nested,
    }
}

/// Returns a problem if the range is empty or reversed.
pub(crate) fn check_range(
    start: Timestamp,
    end: Timestamp,
    end_words: &str,
    label: impl Fn(Timestamp) -> String,
) -> Result<(), Problem> {
    if start < end {
        return Ok(());
    }
    let message = format!(
        "must be before {end_words}: {} is not before {}",
        label(start),
        label(end)
    );
    Err(Problem::parameter("start_time", message))
}

/// Records that a parameter needs another one, or excludes it.
pub(crate) fn clash(params: &mut QueryParams, name: &str, message: impl Display) {
    params.error(name, "invalid_parameter", message);
}
