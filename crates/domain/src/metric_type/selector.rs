//! Selection of series by names, globs and regular expressions.

use std::sync::Arc;

use regex::{Regex, RegexBuilder};

use super::catalogue::Catalogue;
use super::metric_type::MetricType;
use super::series_name::SeriesName;
use crate::fingerprint::{FingerprintHasher, Fingerprinted};
use crate::text::{bounded, echo};

/// Maximum length of a name or glob, in bytes; a regular expression may have four times as much.
const MAX_PATTERN: usize = 1_000;
/// Maximum length of the description of an invalid pattern, in bytes.
const MAX_DESCRIPTION: usize = 300;
/// Maximum memory of a compiled pattern, in bytes.
const COMPILED_BYTES: usize = 1 << 18;

/// Maximum number of parts of a selection.
const MAX_PARTS: usize = 1_000;
/// Maximum number of parts that are compiled.
const MAX_EXPRESSIONS: usize = 32;

/// The syntax of a `series` parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SeriesMode {
    /// The characters decide between names, globs and regular expressions.
    #[default]
    Auto,
    /// Every part is a name.
    Exact,
    /// Every part is a glob over the whole name: `*` matches any characters.
    Glob,
    /// The whole text is one regular expression, including commas.
    Regex,
}

/// A parsed selection of series.
///
/// ```
/// use time_series_domain::{SeriesMode, SeriesSelector};
///
/// let selector = SeriesSelector::parse(&["session.urine.*,heart_rate"], SeriesMode::Auto)?;
/// assert!(selector.matches("session.urine.color"));
/// assert!(selector.matches("heart_rate"));
/// assert!(!selector.matches("x.session.urine.color"));
/// # Ok::<(), time_series_domain::SelectorError>(())
/// ```
#[derive(Debug, Clone)]
pub struct SeriesSelector {
    /// The alternatives; every series is selected if there are none.
    patterns: Vec<Pattern>,
}

#[derive(Debug, Clone)]
enum Pattern {
    Exact(String),
    Matching(Regex),
}

/// The selection is not accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SelectorError {
    /// An empty part.
    #[error("has an empty part; leave `series` out to select every series")]
    Empty,
    /// Longer than 1,000 bytes.
    #[error("has a part longer than 1000 bytes")]
    TooLong,
    /// More than 1,000 parts, or more than 32 compiled ones.
    #[error(
        "has more than 1000 parts, or more than 32 patterns; combine them in one regular expression"
    )]
    TooMany,
    /// The regular expression does not compile.
    #[error("is not a valid regular expression: {0}")]
    Regex(String),
    /// A name without a metric type.
    #[error("names {:?}, which no metric type has{}", echo(.name), did_you_mean(.suggestions))]
    Unknown {
        /// The name.
        name: String,
        /// Similar existing names.
        suggestions: Vec<String>,
    },
}

fn did_you_mean(suggestions: &[String]) -> String {
    if suggestions.is_empty() {
        "; GET /api/metrictypes/ lists them".to_owned()
    } else {
        format!("; did you mean {}?", suggestions.join(" or "))
    }
}

impl SeriesSelector {
    /// Selects every series.
    #[must_use]
    pub const fn all() -> Self {
        Self {
            patterns: Vec::new(),
        }
    }

    /// Parses the values of repeated `series` parameters; no values select every series.
    ///
    /// # Errors
    /// [`SelectorError`] for empty, overlong or invalid patterns.
    pub fn parse(values: &[&str], mode: SeriesMode) -> Result<Self, SelectorError> {
        let mut patterns = Vec::new();
        for value in values {
            if patterns.len() > MAX_EXPRESSIONS
                && mode != SeriesMode::Exact
                && !value.split(',').all(is_name)
            {
                return Err(SelectorError::TooMany); // before compiling further patterns
            }
            let is_plain = |part: &str| {
                part.chars()
                    .all(|c| SeriesName::is_name_char(c) || c == '*')
            };
            let splits = match mode {
                SeriesMode::Regex => false,
                SeriesMode::Auto => value.split(',').all(is_plain),
                SeriesMode::Exact | SeriesMode::Glob => true,
            };
            if splits {
                for part in value.split(',') {
                    patterns.push(name_or_glob(part, mode)?);
                }
            } else {
                patterns.push(Pattern::Matching(regex(value)?));
            }
        }
        let expressions = patterns
            .iter()
            .filter(|p| matches!(p, Pattern::Matching(_)))
            .count();
        if patterns.len() > MAX_PARTS || expressions > MAX_EXPRESSIONS {
            return Err(SelectorError::TooMany);
        }
        Ok(Self { patterns })
    }

    /// Returns whether the selection contains a series.
    #[must_use]
    pub fn matches(&self, name: &str) -> bool {
        self.patterns.is_empty() || self.patterns.iter().any(|p| p.matches(name))
    }

    /// Returns whether the selection contains `name` as a name, not through a pattern.
    #[must_use]
    pub fn names_exactly(&self, name: &str) -> bool {
        self.patterns
            .iter()
            .any(|p| matches!(p, Pattern::Exact(n) if n == name))
    }

    /// Returns whether the selection consists of names only.
    #[must_use]
    pub fn is_exact(&self) -> bool {
        !self.patterns.is_empty() && self.patterns.iter().all(|p| matches!(p, Pattern::Exact(_)))
    }

    /// Checks that every name exists.
    ///
    /// # Errors
    /// [`SelectorError::Unknown`] for a name that does not exist.
    pub fn check_names(&self, catalogue: &Catalogue) -> Result<(), SelectorError> {
        for pattern in &self.patterns {
            if let Pattern::Exact(name) = pattern
                && catalogue.get(name).is_none()
            {
                return Err(SelectorError::Unknown {
                    name: name.clone(),
                    suggestions: catalogue.suggestions(name),
                });
            }
        }
        Ok(())
    }

    /// Returns the selected metric types, sorted by name. A pattern may match nothing.
    ///
    /// # Errors
    /// [`SelectorError::Unknown`] for a name that does not exist.
    pub fn resolve(&self, catalogue: &Catalogue) -> Result<Vec<Arc<MetricType>>, SelectorError> {
        self.check_names(catalogue)?;
        if self.is_exact() {
            let name = |pattern: &Pattern| {
                if let Pattern::Exact(name) = pattern {
                    catalogue.get(name)
                } else {
                    None
                }
            };
            let mut named: Vec<Arc<MetricType>> = self
                .patterns
                .iter()
                .filter_map(name)
                .map(Arc::clone)
                .collect();
            named.sort_by(|a, b| a.series.cmp(&b.series));
            named.dedup_by_key(|metric_type| metric_type.id);
            return Ok(named);
        }
        let selected = catalogue.iter().filter(|t| self.matches(t.series.as_str()));
        Ok(selected.map(Arc::clone).collect())
    }
}

impl Pattern {
    fn matches(&self, name: &str) -> bool {
        match self {
            Self::Exact(n) => n == name,
            Self::Matching(regex) => regex.is_match(name),
        }
    }
}

fn is_name(part: &str) -> bool {
    part.chars().all(SeriesName::is_name_char)
}

fn name_or_glob(part: &str, mode: SeriesMode) -> Result<Pattern, SelectorError> {
    if part.is_empty() {
        return Err(SelectorError::Empty);
    }
    if part.len() > MAX_PATTERN {
        return Err(SelectorError::TooLong);
    }
    if mode == SeriesMode::Exact || (mode == SeriesMode::Auto && !part.contains('*')) {
        return Ok(Pattern::Exact(part.to_owned()));
    }
    let literals: Vec<String> = part.split('*').map(regex::escape).collect();
    regex(&format!("^(?s:{})$", literals.join(".*"))).map(Pattern::Matching)
}

fn regex(text: &str) -> Result<Regex, SelectorError> {
    if text.is_empty() {
        return Err(SelectorError::Empty);
    }
    if text.len() > 4 * MAX_PATTERN {
        return Err(SelectorError::TooLong);
    }
    RegexBuilder::new(text)
        .size_limit(COMPILED_BYTES)
        .build()
        .map_err(|e| SelectorError::Regex(bounded(e, MAX_DESCRIPTION)))
}

impl Fingerprinted for SeriesSelector {
    fn feed(&self, hasher: &mut FingerprintHasher) {
        let Self { patterns } = self;
        hasher.field("patterns", patterns);
    }
}

impl Fingerprinted for Pattern {
    fn feed(&self, hasher: &mut FingerprintHasher) {
        match self {
            Self::Exact(name) => hasher.variant("exact").field("name", name),
            // All expressions are compiled with the same options: the text identifies them.
            Self::Matching(regex) => hasher.variant("matching").field("regex", regex.as_str()),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn auto(text: &str) -> SeriesSelector {
        SeriesSelector::parse(&[text], SeriesMode::Auto).expect("a selector")
    }

    #[test]
    fn a_glob_covers_the_whole_name() {
        assert!(auto("a.*").matches("a.b"));
        assert!(!auto("a.*").matches("xa.b"));
        assert!(!auto("a.*").matches("ab"));
    }

    #[test]
    fn other_texts_are_unanchored_regular_expressions() {
        assert!(auto("^a|z$").matches("xyz"));
        assert!(auto(r"urine\..*").matches("session.urine.color"));
    }

    #[test]
    fn commas_split_only_plain_parts() {
        assert!(auto("a,b").matches("b"));
        assert!(auto("^a{1,2}$").matches("aa"));
        assert!(!auto("^a{1,2}$").matches("aaa"));
    }

    #[test]
    fn empty_parts_are_rejected() {
        let parse = |text| SeriesSelector::parse(&[text], SeriesMode::Auto).err();
        assert_eq!(parse("a,,b"), Some(SelectorError::Empty));
        assert_eq!(parse(""), Some(SelectorError::Empty));
    }
}
