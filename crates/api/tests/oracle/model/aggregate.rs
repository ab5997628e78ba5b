//! Reference implementation of aggregate queries.

use std::collections::BTreeMap;

use uuid::Uuid;

use crate::fixture::json::Json;
use crate::fixture::metric_type::MetricType;
use crate::fixture::session::Session;
use crate::model::axis::Axis;
use crate::model::expected::{Bounds, Expected};
use crate::model::functions::{TieBreak, TimedNumber, aggregate, is_count};
use crate::model::rows::{Column, GroupKey, Position, Row, RowKey, Rows};
use crate::model::text::{self, TextValue};
use crate::model::{fill, over, time_average};
use crate::query::condition::Condition;

/// The `group_by` parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum GroupBy {
    Nothing,
    User,
    Session,
}

impl GroupBy {
    pub(crate) fn text(self) -> Option<&'static str> {
        match self {
            Self::Nothing => None,
            Self::User => Some("user"),
            Self::Session => Some("session"),
        }
    }
}

/// The `fill` parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fill {
    None,
    Null,
    Zero,
    Previous,
    Linear,
}

impl Fill {
    pub(crate) fn text(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Null => "null",
            Self::Zero => "zero",
            Self::Previous => "previous",
            Self::Linear => "linear",
        }
    }
}

/// A user and the stored sessions.
pub(crate) struct UserSessions<'a> {
    pub(crate) user: Uuid,
    pub(crate) sessions: Vec<&'a Session>,
}

/// An aggregate query over stored sessions.
pub(crate) struct Query<'a> {
    pub(crate) catalogue: &'a [MetricType],
    /// The metric types that the answer is about.
    pub(crate) metric_indices: Vec<usize>,
    pub(crate) users: Vec<UserSessions<'a>>,
    /// The only session that counts.
    pub(crate) session: Option<Uuid>,
    pub(crate) start: i64,
    pub(crate) end: i64,
    pub(crate) axis: Axis,
    pub(crate) group_by: GroupBy,
    pub(crate) functions: Vec<&'static str>,
    pub(crate) over: Vec<&'static str>,
    pub(crate) conditions: Vec<Condition>,
    pub(crate) fill: Fill,
    /// Microseconds.
    pub(crate) lookback: i64,
}

/// A point that matches a query.
pub(crate) struct MatchingPoint<'a> {
    pub(crate) user: Uuid,
    pub(crate) session: Uuid,
    pub(crate) position: Position,
    pub(crate) arrival: usize,
    pub(crate) value: &'a Json,
}

/// A point and the number of one of its leaves.
#[derive(Clone, Copy)]
pub(crate) struct LeafNumber<'a> {
    pub(crate) point: &'a MatchingPoint<'a>,
    pub(crate) number: f64,
}

impl<'a> Query<'a> {
    /// Returns whether buckets are offsets along sessions.
    pub(crate) fn is_aligned(&self) -> bool {
        matches!(self.axis, Axis::Offset(_))
    }

    /// Computes the expected answer.
    pub(crate) fn answer(&self) -> Rows {
        let rows = self.rows(self.start, self.end);
        if self.fill == Fill::None {
            return rows;
        }
        let before = if self.lookback > 0 {
            self.rows(self.start - self.lookback, self.start)
        } else {
            Rows::new()
        };
        fill::filled(self, rows, &before)
    }

    fn rows(&self, start: i64, end: i64) -> Rows {
        let mut rows = Rows::new();
        // A function over sessions on a calendar aggregates each session as a whole, and counts the
        // result in the bucket of its first point.
        let is_whole =
            !self.over.is_empty() && !self.is_aligned() && self.group_by != GroupBy::User;
        let axis = if is_whole { &Axis::Whole } else { &self.axis };
        for index in &self.metric_indices {
            let metric_type = &self.catalogue[*index];
            let mut groups: BTreeMap<GroupKey, Vec<MatchingPoint<'a>>> = BTreeMap::new();
            for point in self.matching_points(*index, start, end) {
                groups.entry(self.group(&point)).or_default().push(point);
            }
            for (group, points) in groups {
                for (bucket, mut row) in self.bucket_rows(metric_type, axis, start, &points) {
                    if is_whole {
                        row.first = first_position(&points); // of a point without numbers as well
                    }
                    let series = metric_type.series.clone();
                    let key = RowKey {
                        series,
                        bucket,
                        group,
                    };
                    rows.insert(key, row);
                }
            }
        }
        if self.over.is_empty() {
            rows
        } else {
            over::combined(self, rows, start)
        }
    }

    fn group(&self, point: &MatchingPoint<'_>) -> GroupKey {
        let by = match self.group_by {
            GroupBy::Nothing if !self.over.is_empty() => GroupBy::Session,
            by => by,
        };
        GroupKey {
            user: (by != GroupBy::Nothing).then_some(point.user),
            session: (by == GroupBy::Session).then_some(point.session),
        }
    }

    /// The matching points of a metric type by time, session, user and arrival.
    fn matching_points(&self, index: usize, start: i64, end: i64) -> Vec<MatchingPoint<'a>> {
        let metric_type = &self.catalogue[index];
        let mut matching = Vec::new();
        for UserSessions { user, sessions } in &self.users {
            for session in sessions
                .iter()
                .filter(|s| self.session.is_none_or(|only| only == s.id))
            {
                let origin = if self.is_aligned() {
                    session.origin()
                } else {
                    0
                };
                for (arrival, point) in session.points.iter().enumerate() {
                    let fulfils_conditions = || {
                        self.conditions
                            .iter()
                            .all(|c| c.holds(metric_type, &point.value))
                    };
                    if point.metric_index == index
                        && (start..end).contains(&point.time)
                        && fulfils_conditions()
                    {
                        matching.push(MatchingPoint {
                            user: *user,
                            session: session.id,
                            position: Position {
                                instant: point.time,
                                on_axis: point.time - origin,
                            },
                            arrival,
                            value: &point.value,
                        });
                    }
                }
            }
        }
        matching.sort_by_key(|p| (p.position.instant, p.session, p.user, p.arrival));
        matching
    }

    fn bucket_rows(
        &self,
        metric_type: &MetricType,
        axis: &Axis,
        start: i64,
        points: &[MatchingPoint<'_>],
    ) -> BTreeMap<i64, Row> {
        if !metric_type.is_numeric() {
            return self.text_rows(axis, start, points);
        }
        let mut rows: BTreeMap<i64, Row> = BTreeMap::new();
        for path in &metric_type.leaves {
            let mut buckets: BTreeMap<i64, Vec<LeafNumber<'_>>> = BTreeMap::new();
            for point in points {
                if let Some(number) = point.value.leaf(path) {
                    let bucket = axis.bucket(point.position.on_axis, start);
                    let numbers = buckets.entry(bucket).or_default();
                    numbers.push(LeafNumber { point, number });
                }
            }
            let averages = if self.functions.contains(&"time_avg") {
                time_average::by_bucket(axis, &buckets)
            } else {
                BTreeMap::new()
            };
            // Includes buckets through which a number held, and that have none of their own.
            for bucket in averages.keys() {
                buckets.entry(*bucket).or_default();
            }
            for (bucket, numbers) in buckets {
                let row = rows.entry(bucket).or_insert_with(|| Row {
                    columns: vec![Column::no_leaves(); self.functions.len()],
                    first: Position::MAX,
                });
                row.first = numbers
                    .iter()
                    .fold(row.first, |first, n| first.earliest(n.point.position));
                let average = averages.get(&bucket).copied();
                for (function, column) in self.functions.iter().zip(&mut row.columns) {
                    if let Some(expected) = self.leaf_result(function, &numbers, average) {
                        let path = metric_type.aggregate_path(path);
                        column.leaves_mut().insert(path, expected);
                    }
                }
            }
        }
        for (bucket, row) in &mut rows {
            if row.first == Position::MAX {
                row.first = Position::at(*bucket);
            }
        }
        rows
    }

    /// The result of a function of one leaf in one bucket; `None` if the leaf is absent.
    fn leaf_result(
        &self,
        function: &str,
        numbers: &[LeafNumber<'_>],
        time_average: Option<Bounds>,
    ) -> Option<Expected> {
        if function == "time_avg" {
            return time_average.map(Expected::Number);
        }
        if numbers.is_empty() {
            return is_count(function).then_some(Expected::Integer(0));
        }
        let timed: Vec<TimedNumber> = numbers
            .iter()
            .map(|n| TimedNumber {
                position: self.clocks(n.point.position),
                bounds: Bounds::exactly(n.number),
            })
            .collect();
        Some(aggregate(function, &timed, TieBreak::ByValue))
    }

    fn text_rows(
        &self,
        axis: &Axis,
        start: i64,
        points: &[MatchingPoint<'_>],
    ) -> BTreeMap<i64, Row> {
        let mut buckets: BTreeMap<i64, Vec<&MatchingPoint<'_>>> = BTreeMap::new();
        for point in points.iter().filter(|p| *p.value != Json::Null) {
            let bucket = axis.bucket(point.position.on_axis, start);
            buckets.entry(bucket).or_default().push(point);
        }
        let row = |points: Vec<&MatchingPoint<'_>>| {
            let values: Vec<TextValue> = points.iter().map(|p| self.text_value(p)).collect();
            Row {
                columns: self
                    .functions
                    .iter()
                    .map(|function| Column::Text(text::aggregate(function, &values)))
                    .collect(),
                first: first_position(points),
            }
        };
        buckets
            .into_iter()
            .map(|(bucket, points)| (bucket, row(points)))
            .collect()
    }

    fn text_value(&self, point: &MatchingPoint<'_>) -> TextValue {
        TextValue {
            position: self.clocks(point.position),
            ordered_within: GroupKey {
                user: Some(point.user),
                session: None,
            },
            session: point.session,
            arrival: point.arrival,
            alternatives: vec![point.value.unwrap_value().canonical()],
        }
    }

    /// The clocks that may determine the first and the last value. Along sessions, the first may be
    /// that of the earliest instant or of the least offset.
    pub(crate) fn clocks(&self, position: Position) -> Position {
        if self.is_aligned() {
            position
        } else {
            Position::at(position.instant)
        }
    }
}

fn first_position<'a>(points: impl IntoIterator<Item = &'a MatchingPoint<'a>>) -> Position {
    points
        .into_iter()
        .fold(Position::MAX, |first, point| first.earliest(point.position))
}
