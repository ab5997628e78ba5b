//! Parameters that several queries have: series, conditions, instants.

use std::fmt::Display;

use time_series_domain::query::ValueFilter;
use time_series_domain::{SelectorError, SeriesMode, SeriesSelector, Timestamp};

use super::Pairs;
use crate::problem::Problem;

/// The parameters `series` and `series_mode`, and the former as it was given.
pub(crate) fn read_selector(pairs: &mut Pairs) -> (SeriesSelector, Vec<String>) {
    let modes = [
        ("exact", SeriesMode::Exact),
        ("glob", SeriesMode::Glob),
        ("regex", SeriesMode::Regex),
    ];
    let mode = pairs.word("series_mode", &modes);
    if mode.is_some() && pairs.all("series").is_empty() {
        clash(
            pairs,
            "series_mode",
            "says how series is read; give series too",
        );
    }
    let given: Vec<String> = pairs.all("series").into_iter().map(str::to_owned).collect();
    let texts: Vec<&str> = given.iter().map(String::as_str).collect();
    let selector = SeriesSelector::parse(&texts, mode.unwrap_or_default());
    let selector = selector.unwrap_or_else(|e: SelectorError| {
        pairs.fault("series", "invalid_parameter", e);
        SeriesSelector::all()
    });
    (selector, given)
}

/// The parameter `where`.
pub(crate) fn read_filter(pairs: &mut Pairs) -> Option<ValueFilter> {
    pairs.read("where", ValueFilter::parse)
}

/// Refuses an empty or reversed range.
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
        "must lie before {end_words}: {} is not before {}",
        label(start),
        label(end)
    );
    Err(Problem::parameter("start_time", message))
}

/// What a parameter needs besides, or cannot be with.
pub(crate) fn clash(pairs: &mut Pairs, name: &str, message: impl Display) {
    pairs.fault(name, "invalid_parameter", message);
}
