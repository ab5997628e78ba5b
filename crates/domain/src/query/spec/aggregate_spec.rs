//! The specification of an aggregate query.

use std::ops::Range;

use super::{AggFunction, Axis, Fill, Lookback, ValueFilter};
use crate::bucket::Interval;
use crate::fingerprint::{FingerprintHasher, Fingerprinted};
use crate::metric_type::SeriesSelector;
use crate::{Calendar, SessionId, Timestamp, UserId};

/// The specification of an aggregate query. Every part was validated when it was parsed.
#[derive(Debug, Clone)]
pub struct AggregateSpec {
    /// The users whose data are aggregated: ascending, distinct, at least one. The data of several
    /// users are merged unless grouped.
    pub users: Vec<UserId>,
    /// Restriction to one session.
    pub session_id: Option<SessionId>,
    /// Selector of the series.
    pub selector: SeriesSelector,
    /// Time range of the points, half-open.
    pub range: Range<Timestamp>,
    /// Conditions that points must meet.
    pub filter: Option<ValueFilter>,
    /// Axis and length of the buckets.
    pub axis: Axis,
    /// Functions to compute, distinct.
    pub functions: Vec<AggFunction>,
    /// Grouping of the rows of a bucket.
    pub group_by: GroupBy,
    /// Functions to compute of the values of the groups of a bucket, distinct; empty to return the
    /// groups.
    pub over: Vec<AggFunction>,
    /// Filling of buckets without a point.
    pub fill: Fill,
    /// Length of time before the range that is searched for the first known bucket.
    pub lookback: Option<Lookback>,
    /// True if percentiles may be approximate if there are too many values.
    pub accuracy: Accuracy,
    /// True if the time of each stage is measured.
    pub explain: bool,
}

/// Grouping of rows within a series and bucket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum GroupBy {
    /// No grouping: everything is merged.
    #[default]
    Nothing,
    /// By user.
    User,
    /// By session.
    Session,
}

/// The required accuracy of percentiles.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Accuracy {
    /// Exact values only.
    #[default]
    Exact,
    /// Percentiles of more values than are retained may be approximate, within a relative error
    /// that the answer states.
    Approx,
}

impl AggregateSpec {
    /// Returns the specification of the mean of every series of a user by calendar bucket.
    #[must_use]
    pub fn new(user: UserId, calendar: Calendar, range: Range<Timestamp>) -> Self {
        Self {
            users: vec![user],
            session_id: None,
            selector: SeriesSelector::all(),
            range,
            filter: None,
            axis: Axis::Calendar(calendar),
            functions: vec![AggFunction::Avg],
            group_by: GroupBy::Nothing,
            over: Vec::new(),
            fill: Fill::None,
            lookback: None,
            accuracy: Accuracy::Exact,
            explain: false,
        }
    }

    /// Returns whether each session is aggregated over the whole range and then placed into the
    /// bucket of its first point.
    #[must_use]
    pub fn places_sessions(&self) -> bool {
        self.group_by == GroupBy::Session && !self.over.is_empty() && self.axis.calendar().is_some()
    }

    /// Returns the axis that points are bucketed on.
    pub(in crate::query) fn point_axis(&self) -> Axis {
        match &self.axis {
            Axis::Calendar(calendar) if self.places_sessions() => {
                Axis::Calendar(calendar.with_interval(Interval::All))
            }
            axis => axis.clone(),
        }
    }
}

impl Fingerprinted for AggregateSpec {
    fn feed(&self, hasher: &mut FingerprintHasher) {
        let Self {
            users,
            session_id,
            selector,
            range,
            filter,
            axis,
            functions,
            group_by,
            over,
            fill,
            lookback,
            accuracy,
            explain,
        } = self;
        hasher
            .field("users", users)
            .field("session_id", session_id)
            .field("selector", selector)
            .field("range", range)
            .field("filter", filter)
            .field("axis", axis)
            .field("functions", functions)
            .field("group_by", group_by)
            .field("over", over)
            .field("fill", fill)
            .field("lookback", lookback)
            .field("accuracy", accuracy)
            .field("explain", explain);
    }
}

impl Fingerprinted for GroupBy {
    fn feed(&self, hasher: &mut FingerprintHasher) {
        hasher.variant(match self {
            Self::Nothing => "nothing",
            Self::User => "user",
            Self::Session => "session",
        });
    }
}

impl Fingerprinted for Accuracy {
    fn feed(&self, hasher: &mut FingerprintHasher) {
        hasher.variant(match self {
            Self::Exact => "exact",
            Self::Approx => "approx",
        });
    }
}
