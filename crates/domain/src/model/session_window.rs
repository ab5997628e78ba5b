//! The window of a session: the times that its points may have.

#[cfg(feature = "schema")]
use super::TimeRuleError;
use super::TimeRules;
use crate::Timestamp;

/// The start of a stored session and the times of its points.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SessionExtent {
    /// The start of the recording; `None` if the client did not send one.
    pub start_ts: Option<Timestamp>,
    /// The times of the earliest and the latest point; `None` for a session without points.
    pub span: Option<(Timestamp, Timestamp)>,
}

/// The session that points are validated against.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AppendTarget {
    /// None: the points are a session of their own.
    Alone,
    /// Possibly a stored one. The store checks the window under the lock of the user.
    Unknown,
    /// This stored session.
    To(SessionExtent),
}

/// The first and the last time that a point may have; `None` if nothing bounds the points.
///
/// | the session has | window |
/// | --- | --- |
/// | a start | [`TimeRules::days_before_start`] before it to [`TimeRules::days_after_start`] after it |
/// | stored points, no start | all points within `days_after_start` of each other |
/// | no start, no stored points | from the first new point to `days_after_start` after it |
pub type SessionWindow = Option<(Timestamp, Timestamp)>;

impl SessionExtent {
    /// Returns the window of points that are appended to the session.
    #[must_use]
    pub fn window(&self, rules: &TimeRules) -> SessionWindow {
        match (self.start_ts, self.span) {
            (Some(start), _) => Some(window_of_start(start, rules)),
            (None, Some((first, last))) => Some((
                last.plus_days(-rules.days_after_start),
                first.plus_days(rules.days_after_start),
            )),
            (None, None) => None,
        }
    }

    /// Returns the extent after points of the span `added` were appended.
    #[must_use]
    pub fn with_span(self, added: Option<(Timestamp, Timestamp)>) -> Self {
        let span = match (self.span, added) {
            (Some((first, last)), Some((from, to))) => Some((first.min(from), last.max(to))),
            (stored, added) => stored.or(added),
        };
        Self { span, ..self }
    }
}

/// Returns the window of a new session: by its start, or else by its first point.
#[must_use]
#[cfg(feature = "schema")]
pub(crate) fn window_of_new_session(
    start_ts: Option<Timestamp>,
    first: Option<Timestamp>,
    rules: &TimeRules,
) -> SessionWindow {
    match start_ts {
        Some(start) => Some(window_of_start(start, rules)),
        None => first.map(|first| (first, first.plus_days(rules.days_after_start))),
    }
}

/// Checks the time of a point against the window of its session.
///
/// # Errors
/// [`TimeRuleError::FarFromStart`] with both bounds.
#[cfg(feature = "schema")]
pub(crate) fn check_in_window(t: Timestamp, window: SessionWindow) -> Result<(), TimeRuleError> {
    match window {
        Some((earliest, latest)) if !(earliest..=latest).contains(&t) => {
            Err(TimeRuleError::FarFromStart { earliest, latest })
        }
        _ => Ok(()),
    }
}

fn window_of_start(start: Timestamp, rules: &TimeRules) -> (Timestamp, Timestamp) {
    (
        start.plus_days(-rules.days_before_start),
        start.plus_days(rules.days_after_start),
    )
}

#[cfg(all(test, feature = "schema"))]
mod tests {
    use super::*;

    fn day(day: i64) -> Timestamp {
        Timestamp::EPOCH.plus_days(1_000 + day)
    }

    fn extent(start_ts: Option<Timestamp>, span: Option<(Timestamp, Timestamp)>) -> SessionExtent {
        SessionExtent { start_ts, span }
    }

    #[test]
    fn a_start_sets_the_window_whatever_points_are_stored() {
        let extent = extent(Some(day(0)), Some((day(0), day(40))));
        let expected = Some((day(-1), day(31)));
        assert_eq!(extent.window(&TimeRules::default()), expected);
    }

    #[test]
    fn without_a_start_all_points_lie_within_31_days() {
        let extent = extent(None, Some((day(0), day(5))));
        let expected = Some((day(-26), day(31)));
        assert_eq!(extent.window(&TimeRules::default()), expected);
    }

    #[test]
    fn an_empty_session_without_a_start_has_no_window() {
        assert_eq!(extent(None, None).window(&TimeRules::default()), None);
    }

    #[test]
    fn appended_points_widen_the_span() {
        let stored = extent(None, Some((day(0), day(5))));
        let widened = stored.with_span(Some((day(-2), day(3))));
        assert_eq!(widened.span, Some((day(-2), day(5))));
        assert_eq!(extent(None, None).with_span(stored.span), stored);
    }

    #[test]
    fn the_first_point_opens_the_window_of_a_new_session_without_a_start() {
        let rules = TimeRules::default();
        let window = window_of_new_session(None, Some(day(3)), &rules);
        assert_eq!(window, Some((day(3), day(34))));
        assert!(check_in_window(day(34), window).is_ok());
        assert!(check_in_window(day(35), window).is_err());
        let window = window_of_new_session(Some(day(3)), Some(day(9)), &rules);
        assert_eq!(window, Some((day(2), day(34))));
    }
}
