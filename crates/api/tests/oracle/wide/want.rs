//! What an answer must say in one place, as far as it can be known.

use crate::json::Json;

/// Where a number lies.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Span {
    pub(crate) least: f64,
    pub(crate) most: f64,
}

impl Span {
    pub(crate) const fn exactly(number: f64) -> Self {
        Self {
            least: number,
            most: number,
        }
    }

    pub(crate) fn near(number: f64, slack: f64) -> Self {
        Self {
            least: number - slack,
            most: number + slack,
        }
    }

    /// A number of it; the number where there is one.
    pub(crate) fn middle(self) -> f64 {
        if self.is_exact() {
            self.least
        } else {
            self.least.midpoint(self.most)
        }
    }

    pub(crate) fn slack(self) -> f64 {
        if self.is_exact() {
            0.0
        } else {
            (self.most - self.least) / 2.0 * (1.0 + 4.0 * f64::EPSILON)
        }
    }

    pub(crate) fn is_exact(self) -> bool {
        self.least.total_cmp(&self.most).is_eq() || (self.least == 0.0 && self.most == 0.0)
    }

    pub(crate) fn hull(self, other: Self) -> Self {
        Self {
            least: self.least.min(other.least),
            most: self.most.max(other.most),
        }
    }

    pub(crate) fn holds(self, number: f64) -> bool {
        self.least <= number && number <= self.most
    }
}

/// What must stand in a place.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Want {
    /// Nothing: the place is not there.
    Absent,
    Null,
    Number(Span),
    /// A number without a fraction, spelled so.
    Whole(u64),
    /// A value, as `Json::normal` has it.
    Json(Json),
    OneOf(Vec<Want>),
}

impl Want {
    pub(crate) fn exactly(number: f64) -> Self {
        Self::Number(Span::exactly(number))
    }

    /// One of these, of which there is at least one.
    pub(crate) fn one_of(wants: impl IntoIterator<Item = Self>) -> Self {
        let mut different: Vec<Self> = Vec::new();
        for want in wants {
            if !different.contains(&want) {
                different.push(want);
            }
        }
        if different.len() == 1 {
            different.remove(0)
        } else {
            Self::OneOf(different)
        }
    }

    /// The number that is wanted; none where it may be something else.
    pub(crate) fn span(&self) -> Option<Span> {
        match self {
            Self::Number(span) => Some(*span),
            Self::Whole(n) => Some(Span::exactly(*n as f64)),
            Self::OneOf(wants) => {
                let spans: Option<Vec<Span>> = wants.iter().map(Self::span).collect();
                spans?.into_iter().reduce(Span::hull)
            }
            Self::Absent | Self::Null | Self::Json(_) => None,
        }
    }

    /// The values of which one is wanted.
    pub(crate) fn values(&self) -> Vec<&Json> {
        match self {
            Self::Json(value) => vec![value],
            Self::OneOf(wants) => wants.iter().flat_map(Self::values).collect(),
            _ => Vec::new(),
        }
    }

    pub(crate) fn allows_absence(&self) -> bool {
        match self {
            Self::Absent => true,
            Self::OneOf(wants) => wants.iter().any(Self::allows_absence),
            _ => false,
        }
    }

    /// Whether this spelling, or that nothing is there, is what is wanted.
    pub(crate) fn fits(&self, got: Option<&str>) -> bool {
        match (self, got) {
            (Self::OneOf(wants), _) => wants.iter().any(|want| want.fits(got)),
            (Self::Absent, got) => got.is_none(),
            (_, None) => false,
            (Self::Null, Some(got)) => got == "null",
            (Self::Number(span), Some(got)) => got.parse().is_ok_and(|number| span.holds(number)),
            (Self::Whole(n), Some(got)) => got.parse() == Ok(*n),
            (Self::Json(value), Some(got)) => Json::read(got).normal() == *value,
        }
    }
}
