//! What the points that join a stored session must fit.

use super::TimeRules;
use crate::Timestamp;

/// Where a stored session lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SessionExtent {
    /// When the recording started, if it was told.
    pub start_ts: Option<Timestamp>,
    /// The times of its earliest and latest point; `None` for a session without points.
    pub span: Option<(Timestamp, Timestamp)>,
}

/// What is known of the session that points are checked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Join {
    /// They are a session of their own.
    Alone,
    /// They may join one that is stored; how far their times fit it is told when they are stored.
    Unknown,
    /// They join this one.
    To(SessionExtent),
}

impl SessionExtent {
    /// The first and last time that a point joining it may have; `None` where nothing bounds them.
    #[must_use]
    pub fn window(&self, rules: &TimeRules) -> Option<(Timestamp, Timestamp)> {
        match (self.start_ts, self.span) {
            (Some(start), _) => Some((
                start.plus_days(-rules.days_before_start),
                start.plus_days(rules.days_after_start),
            )),
            (None, Some((first, last))) => Some((
                last.plus_days(-rules.days_after_start),
                first.plus_days(rules.days_after_start),
            )),
            (None, None) => None,
        }
    }

    /// As it is with points between two times more.
    #[must_use]
    pub fn joined(self, more: Option<(Timestamp, Timestamp)>) -> Self {
        let span = match (self.span, more) {
            (Some((first, last)), Some((from, to))) => Some((first.min(from), last.max(to))),
            (known, more) => known.or(more),
        };
        Self { span, ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(day: i64) -> Timestamp {
        Timestamp::EPOCH.plus_days(1_000 + day)
    }

    #[test]
    fn points_fit_the_start_or_else_the_points_that_are_there() {
        let rules = TimeRules::default();
        let extent = SessionExtent {
            start_ts: Some(day(0)),
            span: Some((day(0), day(40))),
        };
        assert_eq!(extent.window(&rules), Some((day(-1), day(31))));
        let extent = SessionExtent {
            start_ts: None,
            span: Some((day(0), day(5))),
        };
        assert_eq!(extent.window(&rules), Some((day(-26), day(31))));
        assert_eq!(
            extent.joined(Some((day(-2), day(3)))).span,
            Some((day(-2), day(5)))
        );
        let empty = SessionExtent {
            start_ts: None,
            span: None,
        };
        assert_eq!(empty.window(&rules), None);
        assert_eq!(empty.joined(extent.span), extent);
    }
}
