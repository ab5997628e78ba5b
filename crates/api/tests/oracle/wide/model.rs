//! The naive model of all that an aggregate query may ask: points in a vector, put together by the definition.

use std::collections::BTreeMap;

use uuid::Uuid;

use crate::json::Json;
use crate::metrics::Metric;
use crate::model::Session;
use crate::wide::axis::Axis;
use crate::wide::functions::{Ties, Timed, aggregate, counts};
use crate::wide::texts::{self, Said};
use crate::wide::want::{Span, Want};
use crate::wide::{averages, fill, over};

/// What rows are apart by, besides series and bucket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum GroupBy {
    Nothing,
    User,
    Session,
}

/// Of whom a row is, where that is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Group {
    pub(crate) user: Option<Uuid>,
    pub(crate) session: Option<Uuid>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fill {
    None,
    Null,
    Zero,
    Previous,
    Linear,
}

/// What a point must fulfil.
#[derive(Debug, Clone)]
pub(crate) struct Condition {
    pub(crate) leaf: String,
    pub(crate) op: &'static str,
    pub(crate) number: f64,
}

/// A question about some users' sessions.
pub(crate) struct Question<'a> {
    pub(crate) catalogue: &'a [Metric],
    pub(crate) chosen: Vec<usize>,
    pub(crate) users: Vec<(Uuid, Vec<&'a Session>)>,
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

/// Keys that lead to a leaf; none where the value itself is the number.
pub(crate) type Path = Vec<String>;

/// What a row must say for one function, or one function over another.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Cell {
    Leaves(BTreeMap<Path, Want>),
    Text(Want),
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Row {
    pub(crate) cells: Vec<Cell>,
    /// Its first point: when, and where on the axis.
    pub(crate) begins: [i64; 2],
}

/// Rows by series, bucket and group, in the order of answers.
pub(crate) type Rows = BTreeMap<(String, i64, Group), Row>;

/// A point that counts.
pub(crate) struct Taken<'a> {
    pub(crate) user: Uuid,
    pub(crate) session: Uuid,
    pub(crate) time: i64,
    /// Where it is on the axis.
    pub(crate) at: i64,
    pub(crate) arrival: usize,
    pub(crate) value: &'a Json,
}

/// The name of a leaf, as a condition and a flat row spell it.
pub(crate) fn leaf_name(path: &[String]) -> String {
    if path.is_empty() {
        "value".to_owned()
    } else {
        path.join(".")
    }
}

impl Condition {
    /// Whether points of a metric type can fulfil it.
    pub(crate) fn is_about(&self, metric: &Metric) -> bool {
        metric
            .leaves
            .iter()
            .any(|path| leaf_name(path) == self.leaf)
    }

    pub(crate) fn holds(&self, metric: &Metric, value: &Json) -> bool {
        let path = metric
            .leaves
            .iter()
            .find(|path| leaf_name(path) == self.leaf);
        let Some(number) = path.and_then(|path| value.leaf(path)) else {
            return false;
        };
        match self.op {
            "=" => number == self.number,
            "!=" => number != self.number,
            "<" => number < self.number,
            "<=" => number <= self.number,
            ">" => number > self.number,
            ">=" => number >= self.number,
            other => unreachable!("{other}"),
        }
    }
}

/// Where the time of a session begins: its start, or its first point of any series.
pub(crate) fn anchor(session: &Session) -> i64 {
    session
        .start
        .or_else(|| session.points.iter().map(|p| p.time).min())
        .unwrap_or_default()
}

impl<'a> Question<'a> {
    pub(crate) fn is_aligned(&self) -> bool {
        matches!(self.axis, Axis::Offset(_))
    }

    /// The answer by the definition.
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
        let whole = Axis::Whole;
        // Over sessions of a calendar, each is put together whole, and then put where it begins.
        let at_once = !self.over.is_empty() && !self.is_aligned() && self.group_by != GroupBy::User;
        let axis = if at_once { &whole } else { &self.axis };
        for place in &self.chosen {
            let metric = &self.catalogue[*place];
            let mut groups: BTreeMap<Group, Vec<Taken<'a>>> = BTreeMap::new();
            for point in self.taken(*place, start, end) {
                groups.entry(self.group(&point)).or_default().push(point);
            }
            for (group, points) in groups {
                for (bucket, mut row) in self.rows_of(metric, axis, start, &points) {
                    if at_once {
                        // Also a point that has no number.
                        row.begins = earliest([i64::MAX; 2], points.iter());
                    }
                    rows.insert((metric.series.clone(), bucket, group), row);
                }
            }
        }
        if self.over.is_empty() {
            rows
        } else {
            over::across(self, rows, start)
        }
    }

    fn group(&self, point: &Taken<'_>) -> Group {
        let by = match self.group_by {
            GroupBy::Nothing if !self.over.is_empty() => GroupBy::Session,
            by => by,
        };
        Group {
            user: (by != GroupBy::Nothing).then_some(point.user),
            session: (by == GroupBy::Session).then_some(point.session),
        }
    }

    /// The points of a series that count, in (time, session, arrival) order.
    fn taken(&self, place: usize, start: i64, end: i64) -> Vec<Taken<'a>> {
        let metric = &self.catalogue[place];
        let mut taken = Vec::new();
        for (user, sessions) in &self.users {
            for session in sessions
                .iter()
                .filter(|s| self.session.is_none_or(|only| only == s.id))
            {
                let anchor = if self.is_aligned() {
                    anchor(session)
                } else {
                    0
                };
                for (arrival, point) in session.points.iter().enumerate() {
                    let in_range = start <= point.time && point.time < end;
                    let fulfils = || {
                        self.conditions
                            .iter()
                            .all(|c| c.holds(metric, &point.value))
                    };
                    if point.metric == place && in_range && fulfils() {
                        let (time, at) = (point.time, point.time - anchor);
                        taken.push(Taken {
                            user: *user,
                            session: session.id,
                            time,
                            at,
                            arrival,
                            value: &point.value,
                        });
                    }
                }
            }
        }
        taken.sort_by_key(|point| (point.time, point.session, point.user, point.arrival));
        taken
    }

    fn rows_of(
        &self,
        metric: &Metric,
        axis: &Axis,
        start: i64,
        points: &[Taken<'_>],
    ) -> BTreeMap<i64, Row> {
        if metric.leaves.is_empty() {
            return self.text_rows(axis, start, points);
        }
        let mut rows: BTreeMap<i64, Row> = BTreeMap::new();
        for path in &metric.leaves {
            let numbers: Vec<(&Taken<'_>, f64)> = points
                .iter()
                .filter_map(|p| Some((p, p.value.leaf(path)?)))
                .collect();
            let mut buckets: BTreeMap<i64, Vec<(&Taken<'_>, f64)>> = BTreeMap::new();
            for number in numbers {
                buckets
                    .entry(axis.bucket(number.0.at, start))
                    .or_default()
                    .push(number);
            }
            let averages = if self.functions.contains(&"time_avg") {
                averages::by_time(axis, &buckets)
            } else {
                BTreeMap::new()
            };
            // A bucket that a value held through, and that has no number itself.
            for held in averages.keys() {
                buckets.entry(*held).or_default();
            }
            let path = if metric.is_scalar() {
                Path::new()
            } else {
                path.clone()
            };
            for (bucket, numbers) in buckets {
                let row = rows.entry(bucket).or_insert_with(|| Row {
                    cells: vec![Cell::Leaves(BTreeMap::new()); self.functions.len()],
                    begins: [i64::MAX; 2],
                });
                row.begins = earliest(row.begins, numbers.iter().map(|(point, _)| *point));
                let timed: Vec<Timed> = numbers
                    .iter()
                    .map(|(p, n)| self.timed(p, Span::exactly(*n)))
                    .collect();
                for (function, cell) in self.functions.iter().zip(&mut row.cells) {
                    if timed.is_empty() && *function != "time_avg" && !counts(function) {
                        continue;
                    }
                    let want = match *function {
                        "time_avg" => Want::Number(averages[&bucket]),
                        _ if timed.is_empty() => Want::Whole(0),
                        other => aggregate(other, &timed, Ties::ByValue),
                    };
                    let Cell::Leaves(leaves) = cell else {
                        unreachable!("numbers have leaves")
                    };
                    leaves.insert(path.clone(), want);
                }
            }
        }
        for (bucket, row) in &mut rows {
            if row.begins == [i64::MAX; 2] {
                row.begins = [*bucket; 2];
            }
        }
        rows
    }

    fn text_rows(&self, axis: &Axis, start: i64, points: &[Taken<'_>]) -> BTreeMap<i64, Row> {
        let mut buckets: BTreeMap<i64, Vec<&Taken<'_>>> = BTreeMap::new();
        for point in points.iter().filter(|p| *p.value != Json::Null) {
            buckets
                .entry(axis.bucket(point.at, start))
                .or_default()
                .push(point);
        }
        let row = |points: Vec<&Taken<'_>>| {
            let said: Vec<Said> = points.iter().map(|point| self.said(point)).collect();
            let cells = self
                .functions
                .iter()
                .map(|function| Cell::Text(texts::aggregate(function, &said)))
                .collect();
            Row {
                cells,
                begins: earliest([i64::MAX; 2], points.iter().copied()),
            }
        };
        buckets
            .into_iter()
            .map(|(bucket, points)| (bucket, row(points)))
            .collect()
    }

    fn timed(&self, point: &Taken<'_>, span: Span) -> Timed {
        Timed {
            at: self.clocks([point.time, point.at]),
            span,
        }
    }

    fn said(&self, point: &Taken<'_>) -> Said {
        Said {
            at: self.clocks([point.time, point.at]),
            party: (point.user, Uuid::nil()),
            rank: (point.session, point.arrival),
            values: vec![point.value.unwrapped().normal()],
        }
    }

    /// Among sessions laid over each other, the first may be that of the earliest instant or of the least offset.
    pub(crate) fn clocks(&self, of: [i64; 2]) -> [i64; 2] {
        if self.is_aligned() { of } else { [of[0]; 2] }
    }
}

fn earliest<'a>(sofar: [i64; 2], points: impl Iterator<Item = &'a Taken<'a>>) -> [i64; 2] {
    points.fold(sofar, |[time, at], point| {
        [time.min(point.time), at.min(point.at)]
    })
}
