//! Conditions on the numeric leaves of a point.

use std::fmt;

use crate::fingerprint::{FingerprintHasher, Fingerprinted};
use crate::metric_type::MetricType;
use crate::ports::LeafCondition;

/// Maximum conditions of a filter.
const MAX_CONDITIONS: usize = 32;

/// Conditions that a point must all meet. A point without the leaf of a condition does not meet it.
///
/// ```
/// use time_series_domain::query::ValueFilter;
///
/// let filter = ValueFilter::parse("r < 10, pos.x != -0.5")?;
/// assert_eq!(filter.to_string(), "r<10,pos.x!=-0.5");
/// assert!(ValueFilter::parse("value>>1").is_err());
/// # Ok::<(), time_series_domain::query::FilterError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct ValueFilter {
    conditions: Vec<Condition>,
}

#[derive(Debug, Clone, PartialEq)]
struct Condition {
    leaf: String,
    operator: Operator,
    number: f64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operator {
    Equal,
    NotEqual,
    Less,
    AtMost,
    Greater,
    AtLeast,
}

/// Operators by spelling, the longer ones first so that `<=` is not parsed as `<`.
const OPERATORS: [(&str, Operator); 6] = [
    ("!=", Operator::NotEqual),
    ("<=", Operator::AtMost),
    (">=", Operator::AtLeast),
    ("=", Operator::Equal),
    ("<", Operator::Less),
    (">", Operator::Greater),
];

/// The text is not a filter.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FilterError {
    /// A part is not of the form `leaf op number`.
    #[error(
        "has {0:?}, which is not a condition; write leaf, one of = != < <= > >=, and a number, \
         such as value>=120 or r<10,g>20"
    )]
    NoCondition(String),
    /// The right-hand side is not a finite number.
    #[error("compares {leaf} with {text:?}, which is not a number")]
    NoNumber {
        /// The leaf.
        leaf: String,
        /// The text in place of the number.
        text: String,
    },
    /// The filter has more than 32 conditions.
    #[error("has more than {MAX_CONDITIONS} conditions")]
    TooMany,
}

impl ValueFilter {
    /// Parses conditions of the form `leaf op number`, separated by commas.
    ///
    /// # Errors
    /// [`FilterError`], which names the invalid part.
    pub fn parse(text: &str) -> Result<Self, FilterError> {
        let conditions = text
            .split(',')
            .map(Condition::parse)
            .collect::<Result<Vec<_>, _>>()?;
        if conditions.len() > MAX_CONDITIONS {
            return Err(FilterError::TooMany);
        }
        Ok(Self { conditions })
    }

    /// Returns the conditions by channel; `None` for a metric type that lacks one of the leaves.
    #[must_use]
    pub fn on(&self, metric_type: &MetricType) -> Option<Vec<LeafCondition>> {
        let channel_of = |leaf: &str| {
            metric_type
                .channels
                .iter()
                .position(|c| c.pointer.dotted() == leaf)
        };
        self.conditions
            .iter()
            .map(|c| Some(c.on_channel(channel_of(&c.leaf)?)))
            .collect()
    }
}

impl Condition {
    fn parse(text: &str) -> Result<Self, FilterError> {
        let no_condition = || FilterError::NoCondition(text.trim().to_owned());
        let at = text.find(['=', '!', '<', '>']).ok_or_else(no_condition)?;
        let (leaf, rest) = text.split_at(at);
        let (spelling, operator) = OPERATORS
            .iter()
            .find(|(s, _)| rest.starts_with(s))
            .ok_or_else(no_condition)?;
        let (leaf, number) = (leaf.trim(), rest[spelling.len()..].trim());
        if leaf.is_empty() || number.is_empty() || number.starts_with(['=', '!', '<', '>']) {
            return Err(no_condition());
        }
        let no_number = || FilterError::NoNumber {
            leaf: leaf.to_owned(),
            text: number.to_owned(),
        };
        let number = number
            .parse::<f64>()
            .ok()
            .filter(|n| n.is_finite())
            .ok_or_else(no_number)?;
        Ok(Self {
            leaf: leaf.to_owned(),
            operator: *operator,
            number,
        })
    }

    /// Returns the condition on a channel. Any comparison is a closed interval of doubles or its
    /// complement.
    fn on_channel(&self, channel: usize) -> LeafCondition {
        let (least, greatest) = match self.operator {
            Operator::Equal | Operator::NotEqual => (self.number, self.number),
            Operator::Less => (f64::NEG_INFINITY, self.number.next_down()),
            Operator::AtMost => (f64::NEG_INFINITY, self.number),
            Operator::Greater => (self.number.next_up(), f64::INFINITY),
            Operator::AtLeast => (self.number, f64::INFINITY),
        };
        LeafCondition {
            channel,
            least,
            greatest,
            outside: self.operator == Operator::NotEqual,
        }
    }
}

impl fmt::Display for ValueFilter {
    /// Writes the filter as it is parsed, without spaces.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, c) in self.conditions.iter().enumerate() {
            let spelling = OPERATORS
                .iter()
                .find(|(_, o)| *o == c.operator)
                .map_or("", |(s, _)| s);
            write!(
                f,
                "{}{}{spelling}{}",
                if i == 0 { "" } else { "," },
                c.leaf,
                c.number
            )?;
        }
        Ok(())
    }
}

impl Fingerprinted for ValueFilter {
    fn feed(&self, hasher: &mut FingerprintHasher) {
        let Self { conditions } = self;
        hasher.field("conditions", conditions);
    }
}

impl Fingerprinted for Condition {
    fn feed(&self, hasher: &mut FingerprintHasher) {
        let Self {
            leaf,
            operator,
            number,
        } = self;
        hasher
            .field("leaf", leaf)
            .field("operator", operator)
            .field("number", number);
    }
}

impl Fingerprinted for Operator {
    fn feed(&self, hasher: &mut FingerprintHasher) {
        hasher.variant(match self {
            Self::Equal => "=",
            Self::NotEqual => "!=",
            Self::Less => "<",
            Self::AtMost => "<=",
            Self::Greater => ">",
            Self::AtLeast => ">=",
        });
    }
}
