//! A figure: a measurement and its target.

use serde_json::{Value, json};

use super::statistics::Statistics;

/// The unit of a figure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unit {
    Milliseconds,
    PointsPerSecond,
    SessionsPerSecond,
    Mebibytes,
    BytesPerPoint,
    /// CPU seconds per million points.
    SecondsPerMillion,
    Ratio,
}

/// The target of a figure.
#[derive(Clone, Copy, Debug)]
pub(super) enum Goal {
    AtMost(f64),
    AtLeast(f64),
    /// No target.
    Unset,
}

/// A row of the report.
pub(super) struct Figure {
    pub(super) part: &'static str,
    pub(super) number: u8,
    pub(super) name: String,
    pub(super) unit: Unit,
    pub(super) goal: Goal,
    /// The limit of the ratio to SQL: a maximum if the goal is one, else a minimum.
    pub(super) goal_of_sql: Option<f64>,
    /// The minimum of the ratio to each peer.
    pub(super) goal_of_peers: Option<f64>,
    pub(super) measured: Result<Statistics, Failure>,
    /// The same measurement in plain SQL.
    pub(super) sql: Option<Statistics>,
    pub(super) comparisons: Vec<Comparison>,
    /// The number of rows or points in the responses.
    pub(super) rows: Option<u64>,
    pub(super) remarks: Vec<String>,
}

/// The same measurement of something else.
pub(super) struct Comparison {
    pub(super) name: String,
    pub(super) measured: Statistics,
    pub(super) is_peer: bool,
}

/// The reason why a figure has no measurement.
#[derive(Clone, Debug)]
pub(super) struct Failure {
    /// A few words for the table.
    pub(super) summary: String,
    /// A sentence for the remarks; may be empty.
    pub(super) detail: String,
}

impl Figure {
    /// Returns a figure without a measurement.
    pub(super) fn new(
        part: &'static str,
        number: u8,
        name: impl Into<String>,
        unit: Unit,
        goal: Goal,
    ) -> Self {
        Self {
            part,
            number,
            name: name.into(),
            unit,
            goal,
            goal_of_sql: None,
            goal_of_peers: None,
            measured: Err(Failure::new("not measured", "")),
            sql: None,
            comparisons: Vec::new(),
            rows: None,
            remarks: Vec::new(),
        }
    }

    /// Returns the ratio of the measured median to that of SQL.
    pub(super) fn ratio(&self) -> Option<f64> {
        Some(self.measured.as_ref().ok()?.p50 / self.sql.as_ref()?.p50)
    }

    /// Returns whether all goals are reached; `None` if that is unknown.
    pub(super) fn is_reached(&self) -> Option<bool> {
        let Ok(measured) = &self.measured else {
            return Some(false);
        };
        let is_own_goal_reached = match self.goal {
            Goal::AtMost(max) => measured.p50 <= max,
            Goal::AtLeast(min) => measured.p50 >= min,
            Goal::Unset => return None,
        };
        let is_ahead_of_peers = self.goal_of_peers.is_none_or(|min| {
            let mut peers = self.comparisons.iter().filter(|other| other.is_peer);
            peers.all(|peer| measured.p50 >= min * peer.measured.p50)
        });
        match (
            is_own_goal_reached && is_ahead_of_peers,
            self.goal_of_sql,
            self.goal,
        ) {
            (true, Some(max), Goal::AtMost(_)) => Some(self.ratio()? <= max),
            (true, Some(min), Goal::AtLeast(_)) => Some(self.ratio()? >= min),
            (is_reached, ..) => Some(is_reached),
        }
    }

    pub(super) fn json(&self) -> Value {
        let comparisons: Vec<Value> = self
            .comparisons
            .iter()
            .map(|other| json!({"name": other.name, "measured": other.measured.json()}))
            .collect();
        let failure = self.measured.as_ref().err();
        json!({
            "part": self.part,
            "figure": self.number,
            "name": self.name,
            "unit": self.unit.name(),
            "goal": self.goal.json(),
            "goal_of_sql": self.goal_of_sql,
            "measured": self.measured.as_ref().ok().map(Statistics::json),
            "problem": failure.map(|failure| format!("{}: {}", failure.summary, failure.detail)),
            "sql": self.sql.as_ref().map(Statistics::json),
            "ratio": self.ratio(),
            "goal_of_peers": self.goal_of_peers,
            "beside": comparisons,
            "rows": self.rows,
            "remarks": self.remarks,
        })
    }
}

impl Failure {
    pub(super) fn new(summary: impl Into<String>, detail: impl Into<String>) -> Self {
        Self {
            summary: summary.into(),
            detail: detail.into(),
        }
    }
}

impl Unit {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Milliseconds => "ms",
            Self::PointsPerSecond => "points/s",
            Self::SessionsPerSecond => "sessions/s",
            Self::Mebibytes => "MiB",
            Self::BytesPerPoint => "bytes/point",
            Self::SecondsPerMillion => "s/M points",
            Self::Ratio => "×",
        }
    }

    /// Formats a number with the digits that suit the unit.
    pub(super) fn number(self, value: f64) -> String {
        match self {
            Self::PointsPerSecond | Self::SessionsPerSecond => format!("{value:.0}"),
            Self::Milliseconds if value < 10.0 => format!("{value:.2}"),
            Self::SecondsPerMillion | Self::Ratio => format!("{value:.2}"),
            Self::Milliseconds | Self::Mebibytes | Self::BytesPerPoint => format!("{value:.1}"),
        }
    }
}

impl Goal {
    /// Formats the goal for people, such as `≤ 40 ms`.
    pub(super) fn text(self, unit: Unit) -> String {
        let (sign, value) = match self {
            Self::AtMost(max) => ('≤', max),
            Self::AtLeast(min) => ('≥', min),
            Self::Unset => return String::new(),
        };
        format!("{sign} {} {}", (value * 1e3).round() / 1e3, unit.name())
    }

    fn json(self) -> Value {
        match self {
            Self::AtMost(max) => json!({"at_most": max}),
            Self::AtLeast(min) => json!({"at_least": min}),
            Self::Unset => json!(null),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Figure, Goal, Statistics, Unit};

    fn figure(goal: Goal, goal_of_sql: Option<f64>, measured: f64, sql: Option<f64>) -> Figure {
        let mut figure = Figure::new("queries", 1, "one", Unit::Milliseconds, goal);
        figure.goal_of_sql = goal_of_sql;
        figure.measured = Ok(Statistics::single(measured));
        figure.sql = sql.map(Statistics::single);
        figure
    }

    #[test]
    fn a_figure_must_reach_its_own_goal() {
        let at_most = figure(Goal::AtMost(10.0), None, 10.0, None);
        assert_eq!(at_most.is_reached(), Some(true));
        let at_least = figure(Goal::AtLeast(10.0), None, 9.0, None);
        assert_eq!(at_least.is_reached(), Some(false));
    }

    #[test]
    fn a_figure_must_reach_its_goal_relative_to_sql_as_well() {
        let is_reached =
            |measured, sql| figure(Goal::AtMost(10.0), Some(0.5), measured, sql).is_reached();
        assert_eq!(is_reached(9.0, Some(18.0)), Some(true));
        assert_eq!(is_reached(9.0, Some(17.0)), Some(false));
        assert_eq!(is_reached(9.0, None), None);
        assert_eq!(is_reached(11.0, None), Some(false));
    }

    #[test]
    fn a_figure_without_a_measurement_does_not_reach_its_goal() {
        let figure = Figure::new("queries", 1, "one", Unit::Milliseconds, Goal::AtMost(1.0));
        assert_eq!(figure.is_reached(), Some(false));
        assert!(figure.json()["measured"].is_null());
    }
}
