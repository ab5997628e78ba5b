//! An aggregate query.

use std::ops::Range;

use super::{AggFunction, Axis, Fill, Lookback, ValueFilter};
use crate::bucket::Interval;
use crate::fingerprint::{FingerprintHasher, Fingerprinted};
use crate::metric_type::SeriesSelector;
use crate::{Calendar, SessionId, Timestamp, UserId};

/// What is asked. Made by parsing at the edge: every part is valid by itself.
#[derive(Debug, Clone)]
pub struct AggregateQuery {
    /// Whose data: ascending, each once, at least one. Several are merged unless they are grouped.
    pub users: Vec<UserId>,
    /// Only this session, if any.
    pub session_id: Option<SessionId>,
    /// Which series.
    pub selector: SeriesSelector,
    /// Which points, half-open.
    pub range: Range<Timestamp>,
    /// Only points that meet these conditions, if any.
    pub filter: Option<ValueFilter>,
    /// How time is cut.
    pub axis: Axis,
    /// What is computed, without repetition.
    pub functions: Vec<AggFunction>,
    /// What is told apart.
    pub group_by: GroupBy,
    /// What is computed of the values of the groups of a bucket, without repetition; empty to show the groups.
    pub over: Vec<AggFunction>,
    /// What stands in buckets without a point.
    pub fill: Fill,
    /// How far before the range the first known bucket is looked for.
    pub lookback: Option<Lookback>,
    /// Whether percentiles may be approximate where there are too many values.
    pub accuracy: Accuracy,
    /// Whether the time of each stage is taken.
    pub explain: bool,
}

/// What is told apart besides series and bucket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum GroupBy {
    /// Nothing: everything is merged.
    #[default]
    Nothing,
    /// Users.
    User,
    /// Sessions.
    Session,
}

/// Whether an answer may be approximate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Accuracy {
    /// Never.
    #[default]
    Exact,
    /// Percentiles of more values than are kept, within a relative error that the answer states.
    Approx,
}

impl AggregateQuery {
    /// The mean of every series of a user by calendar bucket; to be refined by setting fields.
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

    /// Whether sessions are aggregated over the whole range, to fall into the bucket of their first point.
    #[must_use]
    pub fn places_sessions(&self) -> bool {
        self.group_by == GroupBy::Session && !self.over.is_empty() && self.axis.calendar().is_some()
    }

    /// The axis that points are bucketed on.
    pub(in crate::query) fn point_axis(&self) -> Axis {
        match &self.axis {
            Axis::Calendar(calendar) if self.places_sessions() => {
                Axis::Calendar(calendar.with_interval(Interval::All))
            }
            axis => axis.clone(),
        }
    }
}

impl Fingerprinted for AggregateQuery {
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
