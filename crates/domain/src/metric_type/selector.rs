//! Which series a query asks for: names, globs, regular expressions.

use std::sync::Arc;

use regex::{Regex, RegexBuilder};

use super::{Catalogue, MetricType, SeriesName};
use crate::fingerprint::{FingerprintHasher, Fingerprinted};
use crate::text::{bounded, echo};

/// The longest pattern, in bytes.
const MAX_PATTERN: usize = 1_000;
/// Maximum length of the description of a wrong pattern, in bytes.
const MAX_FAULT: usize = 300;
/// A compiled pattern may take so much memory.
const COMPILED_BYTES: usize = 1 << 18;

/// Parts of a selection, and those of them that are compiled.
const MAX_PARTS: usize = 1_000;
const MAX_EXPRESSIONS: usize = 32;

/// How the text of a `series` parameter is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SeriesMode {
    /// Names, globs and regular expressions are told apart by their characters.
    #[default]
    Auto,
    /// Every part is a name.
    Exact,
    /// Every part is a glob over the whole name: `*` stands for any characters.
    Glob,
    /// The whole text is one regular expression; commas belong to it.
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
    /// Empty: every series.
    patterns: Vec<Pattern>,
}

#[derive(Debug, Clone)]
enum Pattern {
    Exact(String),
    Matching(Regex),
}

/// Why a selection cannot be answered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SelectorError {
    /// An empty part.
    #[error("has an empty part; leave `series` out to select every series")]
    Empty,
    /// Longer than 1,000 bytes.
    #[error("has a part longer than 1000 bytes")]
    TooLong,
    /// More parts than anybody needs.
    #[error(
        "has more than 1000 parts, or more than 32 patterns; one regular expression can say the same"
    )]
    TooMany,
    /// The regular expression does not compile.
    #[error("is not a valid regular expression: {0}")]
    Regex(String),
    /// A name that no metric type has.
    #[error("names {:?}, which no metric type has{}", echo(.name), did_you_mean(.suggestions))]
    Unknown {
        /// The name.
        name: String,
        /// Existing names near to it.
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
    /// Every series there is.
    #[must_use]
    pub const fn all() -> Self {
        Self {
            patterns: Vec::new(),
        }
    }

    /// Reads the values of repeated `series` parameters; none selects every series.
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
                return Err(SelectorError::TooMany); // before more is compiled
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

    /// Whether a series of that name is selected.
    #[must_use]
    pub fn matches(&self, name: &str) -> bool {
        self.patterns.is_empty() || self.patterns.iter().any(|p| p.matches(name))
    }

    /// Whether the selection says this very name.
    #[must_use]
    pub fn names_exactly(&self, name: &str) -> bool {
        self.patterns
            .iter()
            .any(|p| matches!(p, Pattern::Exact(n) if n == name))
    }

    /// Whether it consists of names only, so that other metric types can never be selected.
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

    /// The metric types selected, by name.
    ///
    /// # Errors
    /// [`SelectorError::Unknown`] for a name that does not exist; a pattern may match nothing.
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
        .map_err(|e| SelectorError::Regex(bounded(e, MAX_FAULT)))
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
            // All expressions are compiled with the same options, so that the text is all there is.
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
    fn anything_else_is_searched_as_a_regular_expression() {
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
    fn empty_parts_are_named() {
        let parse = |text| SeriesSelector::parse(&[text], SeriesMode::Auto).err();
        assert_eq!(parse("a,,b"), Some(SelectorError::Empty));
        assert_eq!(parse(""), Some(SelectorError::Empty));
    }
}
