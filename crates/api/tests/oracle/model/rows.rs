//! The rows of an expected answer.

use std::collections::BTreeMap;

use uuid::Uuid;

use crate::fixture::metric_type::Path;
use crate::model::expected::Expected;

/// An instant, and its position on the axis of buckets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Position {
    pub(crate) instant: i64,
    pub(crate) on_axis: i64,
}

/// The clocks that may determine the first and the last of sessions aligned with each other.
pub(crate) const CLOCKS: [fn(Position) -> i64; 2] =
    [|position| position.instant, |position| position.on_axis];

impl Position {
    /// A position later than any other.
    pub(crate) const MAX: Self = Self::at(i64::MAX);

    /// A position that is the same on both clocks.
    pub(crate) const fn at(instant: i64) -> Self {
        Self {
            instant,
            on_axis: instant,
        }
    }

    /// The earlier reading of each clock.
    pub(crate) fn earliest(self, other: Self) -> Self {
        Self {
            instant: self.instant.min(other.instant),
            on_axis: self.on_axis.min(other.on_axis),
        }
    }
}

/// The user and the session of a row, if the query groups by them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct GroupKey {
    pub(crate) user: Option<Uuid>,
    pub(crate) session: Option<Uuid>,
}

impl GroupKey {
    pub(crate) const NONE: Self = Self {
        user: None,
        session: None,
    };
}

/// The key of a row. Answers are sorted by it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct RowKey {
    pub(crate) series: String,
    pub(crate) bucket: i64,
    pub(crate) group: GroupKey,
}

/// The expected result of a function, or of a function over another.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Column {
    Leaves(BTreeMap<Path, Expected>),
    Text(Expected),
}

impl Column {
    pub(crate) fn no_leaves() -> Self {
        Self::Leaves(BTreeMap::new())
    }

    /// The leaves of a column of a numeric series.
    pub(crate) fn leaves(&self) -> &BTreeMap<Path, Expected> {
        match self {
            Self::Leaves(leaves) => leaves,
            Self::Text(_) => unreachable!("all columns of a numeric series have leaves"),
        }
    }

    pub(crate) fn leaves_mut(&mut self) -> &mut BTreeMap<Path, Expected> {
        match self {
            Self::Leaves(leaves) => leaves,
            Self::Text(_) => unreachable!("all columns of a numeric series have leaves"),
        }
    }

    /// The value of a column of a series without numbers.
    pub(crate) fn text(&self) -> &Expected {
        match self {
            Self::Text(expected) => expected,
            Self::Leaves(_) => unreachable!("no column of a series without numbers has leaves"),
        }
    }

    pub(crate) fn is_text(&self) -> bool {
        matches!(self, Self::Text(_))
    }
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Row {
    /// A column for each function, or for each pair of a function and a function over it.
    pub(crate) columns: Vec<Column>,
    /// The position of the first point.
    pub(crate) first: Position,
}

pub(crate) type Rows = BTreeMap<RowKey, Row>;
