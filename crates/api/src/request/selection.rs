//! Parameters that several queries share: series, conditions, time ranges.

use std::fmt::Display;

use time_series_domain::query::ValueFilter;
use time_series_domain::{SelectorError, SeriesMode, SeriesSelector, Timestamp};

use super::QueryParams;
use crate::problem::Problem;

/// Parses `series` and `series_mode`. Returns the selector and the given values of `series`.
pub(crate) fn read_selector(params: &mut QueryParams) -> (SeriesSelector, Vec<String>) {
    let modes = [
        ("exact", SeriesMode::Exact),
        ("glob", SeriesMode::Glob),
        ("regex", SeriesMode::Regex),
    ];
    let mode = params.word("series_mode", &modes);
    if mode.is_some() && params.all("series").is_empty() {
        clash(params, "series_mode", "requires the parameter series");
    }
    let given: Vec<String> = params
        .all("series")
        .into_iter()
        .map(str::to_owned)
        .collect();
    let texts: Vec<&str> = given.iter().map(String::as_str).collect();
    let selector = SeriesSelector::parse(&texts, mode.unwrap_or_default());
    let selector = selector.unwrap_or_else(|e: SelectorError| {
        params.error("series", "invalid_parameter", e);
        SeriesSelector::all()
    });
    (selector, given)
}

/// Parses the parameter `where`.
pub(crate) fn read_filter(params: &mut QueryParams) -> Option<ValueFilter> {
    params.read("where", ValueFilter::parse)
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
