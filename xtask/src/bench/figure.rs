//! One figure: what was aimed at, and what was measured.

use serde_json::{Value, json};

use super::spread::Spread;

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unit {
    Milliseconds,
    PointsPerSecond,
    SessionsPerSecond,
    Mebibytes,
    BytesPerPoint,
    /// Processor time a million points.
    SecondsPerMillion,
    Ratio,
}

/// What a figure should be.
#[derive(Clone, Copy, Debug)]
pub(super) enum Goal {
    BoundedSeq(f64),
    AtLeast(f64),
    /// Nobody said.
    Unset,
}

/// One line of the report.
pub(super) struct Figure {
    pub(super) part: &'static str,
    pub(super) number: u8,
    pub(super) name: String,
    pub(super) unit: Unit,
    pub(super) goal: Goal,
    /// At most so much of what SQL takes, or at least so much of what it reaches.
    pub(super) goal_of_sql: Option<f64>,
    /// Or why there is nothing.
    pub(super) measured: Result<Spread, Obstacle>,
    pub(super) sql: Option<Spread>,
    /// At least so much of what each peer reaches.
    pub(super) goal_of_peers: Option<f64>,
    /// The same, by others.
    pub(super) beside: Vec<Beside>,
    /// How many rows, or points, the answers had.
    pub(super) rows: Option<u64>,
    pub(super) remarks: Vec<String>,
}

/// The same figure of something else.
pub(super) struct Beside {
    pub(super) name: String,
    pub(super) measured: Spread,
    pub(super) is_peer: bool,
}

/// Why something was not measured: in a word or two, and in a sentence.
#[derive(Clone, Debug)]
pub(super) struct Obstacle {
    pub(super) short: String,
    pub(super) long: String,
}

impl Figure {
    /// What is measured, with nothing measured yet.
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
            measured: Err(Obstacle::new("not measured", "")),
            sql: None,
            goal_of_peers: None,
            beside: Vec::new(),
            rows: None,
            remarks: Vec::new(),
        }
    }

    /// What was measured, as a part of what SQL took.
    pub(super) fn ratio(&self) -> Option<f64> {
        Some(self.measured.as_ref().ok()?.p50 / self.sql.as_ref()?.p50)
    }

    /// Whether the goal was reached; `None` where that cannot be told.
    pub(super) fn reached(&self) -> Option<bool> {
        let Ok(measured) = &self.measured else {
            return Some(false);
        };
        let alone = match self.goal {
            Goal::BoundedSeq(most) => measured.p50 <= most,
            Goal::AtLeast(least) => measured.p50 >= least,
            Goal::Unset => return None,
        };
        let peers = || self.beside.iter().filter(|beside| beside.is_peer);
        let is_ahead = self
            .goal_of_peers
            .is_none_or(|part| peers().all(|p| measured.p50 >= part * p.measured.p50));
        match (alone && is_ahead, self.goal_of_sql, self.goal) {
            (true, Some(most), Goal::BoundedSeq(_)) => Some(self.ratio()? <= most),
            (true, Some(least), Goal::AtLeast(_)) => Some(self.ratio()? >= least),
            (reached, ..) => Some(reached),
        }
    }

    pub(super) fn json(&self) -> Value {
        json!({
            "part": self.part,
            "figure": self.number,
            "name": self.name,
            "unit": self.unit.name(),
            "goal": self.goal.json(),
            "goal_of_sql": self.goal_of_sql,
            "measured": self.measured.as_ref().ok().map(Spread::json),
            "problem": self.measured.as_ref().err().map(|o| format!("{}: {}", o.short, o.long)),
            "sql": self.sql.as_ref().map(Spread::json),
            "ratio": self.ratio(),
            "goal_of_peers": self.goal_of_peers,
            "beside": self.beside.iter().map(|b| json!({"name": b.name, "measured": b.measured.json()})).collect::<Vec<_>>(),
            "rows": self.rows,
            "remarks": self.remarks,
        })
    }
}

impl Obstacle {
    pub(super) fn new(short: impl Into<String>, long: impl Into<String>) -> Self {
        Self {
            short: short.into(),
            long: long.into(),
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
            Self::Ratio => "of it",
        }
    }

    /// A number with as many digits as it deserves.
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
    /// As a person would write it.
    pub(super) fn words(self, unit: Unit) -> String {
        let (sign, value) = match self {
            Self::BoundedSeq(most) => ('≤', most),
            Self::AtLeast(least) => ('≥', least),
            Self::Unset => return String::new(),
        };
        format!("{sign} {} {}", (value * 1e3).round() / 1e3, unit.name())
    }

    fn json(self) -> Value {
        match self {
            Self::BoundedSeq(most) => json!({"at_most": most}),
            Self::AtLeast(least) => json!({"at_least": least}),
            Self::Unset => json!(null),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Figure, Goal, Spread, Unit};

    fn figure(goal: Goal, of_sql: Option<f64>, measured: f64, sql: Option<f64>) -> Figure {
        let mut figure = Figure::new("queries", 1, "one", Unit::Milliseconds, goal);
        figure.goal_of_sql = of_sql;
        figure.measured = Ok(Spread::of(vec![measured]).expect("one"));
        figure.sql = sql.and_then(|sql| Spread::of(vec![sql]));
        figure
    }

    #[test]
    fn both_goals_count() {
        assert_eq!(
            figure(Goal::BoundedSeq(10.0), None, 10.0, None).reached(),
            Some(true)
        );
        assert_eq!(
            figure(Goal::AtLeast(10.0), None, 9.0, None).reached(),
            Some(false)
        );
        assert_eq!(
            figure(Goal::BoundedSeq(10.0), Some(0.5), 9.0, Some(18.0)).reached(),
            Some(true)
        );
        assert_eq!(
            figure(Goal::BoundedSeq(10.0), Some(0.5), 9.0, Some(17.0)).reached(),
            Some(false)
        );
        assert_eq!(
            figure(Goal::BoundedSeq(10.0), Some(0.5), 9.0, None).reached(),
            None
        );
        assert_eq!(
            figure(Goal::BoundedSeq(10.0), Some(0.5), 11.0, None).reached(),
            Some(false)
        );
    }

    #[test]
    fn what_was_refused_was_not_reached() {
        let figure = Figure::new(
            "queries",
            1,
            "one",
            Unit::Milliseconds,
            Goal::BoundedSeq(1.0),
        );
        assert_eq!(figure.reached(), Some(false));
        assert!(figure.json()["measured"].is_null());
    }
}
