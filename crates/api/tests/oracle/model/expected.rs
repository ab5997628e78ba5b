//! Expected values, as far as the contract determines them.

use crate::fixture::json::Json;

/// A closed interval that contains a number.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Bounds {
    pub(crate) lower: f64,
    pub(crate) upper: f64,
}

impl Bounds {
    pub(crate) const fn exactly(number: f64) -> Self {
        Self {
            lower: number,
            upper: number,
        }
    }

    pub(crate) fn around(number: f64, tolerance: f64) -> Self {
        Self {
            lower: number - tolerance,
            upper: number + tolerance,
        }
    }

    /// The number itself if the bounds are exact.
    pub(crate) fn midpoint(self) -> f64 {
        if self.is_exact() {
            self.lower
        } else {
            self.lower.midpoint(self.upper)
        }
    }

    /// The maximum distance from the midpoint.
    pub(crate) fn tolerance(self) -> f64 {
        if self.is_exact() {
            0.0
        } else {
            (self.upper - self.lower) / 2.0 * (1.0 + 4.0 * f64::EPSILON)
        }
    }

    pub(crate) fn is_exact(self) -> bool {
        self.lower.total_cmp(&self.upper).is_eq() || (self.lower == 0.0 && self.upper == 0.0)
    }

    /// The smallest interval that contains both.
    pub(crate) fn hull(self, other: Self) -> Self {
        Self {
            lower: self.lower.min(other.lower),
            upper: self.upper.max(other.upper),
        }
    }

    fn contains(self, number: f64) -> bool {
        self.lower <= number && number <= self.upper
    }
}

/// The expected value in one place of an answer.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Expected {
    /// The answer leaves the place out.
    Absent,
    Null,
    Number(Bounds),
    /// A number written without a fraction.
    Integer(u64),
    /// A value in canonical form.
    Json(Json),
    AnyOf(Vec<Expected>),
}

impl Expected {
    pub(crate) fn exactly(number: f64) -> Self {
        Self::Number(Bounds::exactly(number))
    }

    /// Combines at least one alternative.
    pub(crate) fn any_of(alternatives: impl IntoIterator<Item = Self>) -> Self {
        let mut distinct: Vec<Self> = Vec::new();
        for alternative in alternatives {
            if !distinct.contains(&alternative) {
                distinct.push(alternative);
            }
        }
        if distinct.len() == 1 {
            distinct.remove(0)
        } else {
            Self::AnyOf(distinct)
        }
    }

    /// Returns the bounds of the expected number; `None` if it may be anything but a number.
    pub(crate) fn bounds(&self) -> Option<Bounds> {
        match self {
            Self::Number(bounds) => Some(*bounds),
            Self::Integer(n) => Some(Bounds::exactly(*n as f64)),
            Self::AnyOf(alternatives) => {
                let all: Option<Vec<Bounds>> = alternatives.iter().map(Self::bounds).collect();
                all?.into_iter().reduce(Bounds::hull)
            }
            Self::Absent | Self::Null | Self::Json(_) => None,
        }
    }

    /// The alternatives that are JSON values.
    pub(crate) fn json_values(&self) -> Vec<&Json> {
        match self {
            Self::Json(value) => vec![value],
            Self::AnyOf(alternatives) => alternatives.iter().flat_map(Self::json_values).collect(),
            _ => Vec::new(),
        }
    }

    pub(crate) fn allows_absence(&self) -> bool {
        match self {
            Self::Absent => true,
            Self::AnyOf(alternatives) => alternatives.iter().any(Self::allows_absence),
            _ => false,
        }
    }

    /// Returns whether the JSON text of an answer, or `None` for an absent value, is as expected.
    pub(crate) fn accepts(&self, text: Option<&str>) -> bool {
        match (self, text) {
            (Self::AnyOf(alternatives), _) => alternatives.iter().any(|one| one.accepts(text)),
            (Self::Absent, text) => text.is_none(),
            (_, None) => false,
            (Self::Null, Some(text)) => text == "null",
            (Self::Number(bounds), Some(text)) => {
                text.parse().is_ok_and(|number| bounds.contains(number))
            }
            (Self::Integer(n), Some(text)) => text.parse() == Ok(*n),
            (Self::Json(value), Some(text)) => Json::parse(text).canonical() == *value,
        }
    }
}
