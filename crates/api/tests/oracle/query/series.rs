//! Selections of series, and the reference implementation of their matching.

use proptest::sample::Index;

use crate::fixture::metric_type::MetricType;
use crate::fixture::session::Point;
use crate::query::parameters::Parameters;

/// Selections of series. `&` separates values of a repeated `series` parameter, and `!` precedes
/// the `series_mode`.
pub(crate) const SELECTIONS: [&str; 22] = [
    "",
    "",
    "",
    "*",
    "num.*",
    "num*,text.*",
    "num.score",
    "num.score,num.Color",
    "num.bare&num.place",
    "num-*",
    "text.mood",
    "text.note,text.form,text.flag",
    "text.*",
    "*e*",
    "num.score,num-gaps,num.n*",
    "^num",
    "s(core|teps)$",
    MATCHES_NOTHING,
    "num.made_[0-2]",
    "*o!glob",
    "num.extra!exact",
    "a{1,2}!regex",
];

pub(crate) const MATCHES_NOTHING: &str = "nothing.*";

/// The selection of series of a query, before the data are known.
#[derive(Debug, Clone)]
pub(crate) enum SeriesSpec {
    /// One of `SELECTIONS`.
    Selection(&'static str),
    /// The exact name of the series of a stored point.
    OfPoint(Index),
}

impl SeriesSpec {
    /// Returns the selection in the notation of `SELECTIONS`.
    pub(crate) fn resolve<'a>(&self, catalogue: &'a [MetricType], points: &[&Point]) -> &'a str {
        match self {
            Self::Selection(selection) => selection,
            Self::OfPoint(_) if points.is_empty() => "num.score",
            Self::OfPoint(index) => &catalogue[index.get(points).metric_index].series,
        }
    }
}

/// The way in which a selection matches a series.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SeriesMatch {
    ByName,
    ByPattern,
}

/// Matches a series against a selection.
pub(crate) fn match_series(selection: &str, series: &str) -> Option<SeriesMatch> {
    let matches_pattern = match selection {
        "" => true,
        "^num" => series.starts_with("num"),
        "s(core|teps)$" => series.ends_with("score") || series.ends_with("steps"),
        "num.made_[0-2]" => ["num.made_0", "num.made_1", "num.made_2"].contains(&series),
        "a{1,2}!regex" => series.contains('a'),
        _ => {
            let list = selection
                .split_once('!')
                .map_or(selection, |(list, _)| list);
            let mut patterns = list.split([',', '&']);
            if patterns.clone().any(|name| name == series) {
                return Some(SeriesMatch::ByName);
            }
            patterns.any(|pattern| pattern.contains('*') && matches_glob(pattern, series))
        }
    };
    matches_pattern.then_some(SeriesMatch::ByPattern)
}

pub(crate) fn is_selected(selection: &str, series: &str) -> bool {
    match_series(selection, series).is_some()
}

fn matches_glob(pattern: &str, text: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == text,
        Some((prefix, rest)) => text.strip_prefix(prefix).is_some_and(|suffix| {
            (0..=suffix.len())
                .filter(|cut| suffix.is_char_boundary(*cut))
                .any(|cut| matches_glob(rest, &suffix[cut..]))
        }),
    }
}

pub(crate) fn add_series(parameters: &mut Parameters, selection: &str) {
    let (series, mode) = selection.split_once('!').unwrap_or((selection, ""));
    for value in series.split('&').filter(|value| !value.is_empty()) {
        parameters.add("series", value);
    }
    if !mode.is_empty() {
        parameters.add("series_mode", mode);
    }
}
