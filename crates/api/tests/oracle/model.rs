//! The naive model: all points in a vector, aggregated by the definition.

use std::collections::BTreeMap;

use uuid::Uuid;

use crate::calendar::Calendar;
use crate::json::Json;
use crate::metrics::Metric;

pub(crate) const FUNCTIONS: [&str; 8] = [
    "avg", "min", "max", "count", "sum", "first", "last", "stddev",
];

/// One point.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Point {
    /// Its place in the catalogue.
    pub(crate) metric: usize,
    /// Microseconds since 1970.
    pub(crate) time: i64,
    pub(crate) value: Json,
}

/// One recording, its points in order of arrival.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Session {
    pub(crate) id: Uuid,
    pub(crate) start: Option<i64>,
    pub(crate) points: Vec<Point>,
}

impl Session {
    /// The points in the order that is said to matter: by series and time, then as they came.
    pub(crate) fn in_order(&self) -> Vec<&Point> {
        let mut points: Vec<&Point> = self.points.iter().collect();
        points.sort_by_key(|p| (p.metric, p.time));
        points
    }

    /// Whether posting the one after the other changes nothing.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        self.start == other.start && self.in_order() == other.in_order()
    }
}

/// Which points a query is about, and how they are put together.
pub(crate) struct Question<'a> {
    pub(crate) calendar: &'a Calendar,
    pub(crate) start: i64,
    pub(crate) end: i64,
    pub(crate) session: Option<Uuid>,
    pub(crate) functions: &'a [&'static str],
}

/// What a row must say about one leaf for one function.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Want {
    Null,
    Exactly(f64),
    /// A number, and how far from it an answer may be.
    Near(f64, f64),
}

/// What a row must say for one function.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Cell {
    Leaves(BTreeMap<Vec<String>, Want>),
    Value(Json),
}

/// A row: its series, its bucket, and a cell for each function.
pub(crate) type Row = (String, i64, Vec<Cell>);

/// A point's time, session, place in it, and value.
type Arrived<'a> = (i64, Uuid, usize, &'a Json);

/// The answer by the definition.
pub(crate) fn answer(
    catalogue: &[Metric],
    chosen: &[usize],
    sessions: &[&Session],
    asked: &Question<'_>,
) -> Vec<Row> {
    let mut rows = Vec::new();
    for place in chosen {
        let metric = &catalogue[*place];
        let mut buckets: BTreeMap<i64, Vec<Arrived<'_>>> = BTreeMap::new();
        for session in sessions
            .iter()
            .filter(|s| asked.session.is_none_or(|only| only == s.id))
        {
            for (arrival, point) in session.points.iter().enumerate() {
                if point.metric == *place && asked.start <= point.time && point.time < asked.end {
                    let bucket = asked.calendar.bucket(point.time, asked.start);
                    buckets.entry(bucket).or_default().push((
                        point.time,
                        session.id,
                        arrival,
                        &point.value,
                    ));
                }
            }
        }
        for (bucket, mut points) in buckets {
            points.sort_by_key(|(time, session, arrival, _)| (*time, *session, *arrival));
            let cells = if metric.leaves.is_empty() {
                texts(&points, asked)
            } else {
                numbers(metric, &points, asked)
            };
            if let Some(cells) = cells {
                rows.push((metric.series.clone(), bucket, cells));
            }
        }
    }
    rows.sort_by(|a, b| (&a.0, a.1).cmp(&(&b.0, b.1)));
    rows
}

fn texts(points: &[Arrived<'_>], asked: &Question<'_>) -> Option<Vec<Cell>> {
    let value = |point: Option<&Arrived<'_>>| Some(Cell::Value(point?.3.unwrapped().clone()));
    let cell = |function: &&str| match *function {
        "first" => value(points.first()),
        "last" => value(points.last()),
        "count" => Some(Cell::Value(Json::Number(points.len().to_string()))),
        _ => None,
    };
    asked.functions.iter().map(cell).collect()
}

fn numbers(metric: &Metric, points: &[Arrived<'_>], asked: &Question<'_>) -> Option<Vec<Cell>> {
    let mut leaves: BTreeMap<Vec<String>, Vec<(i64, f64)>> = BTreeMap::new();
    for path in &metric.leaves {
        let found: Vec<(i64, f64)> = points
            .iter()
            .filter_map(|p| Some((p.0, p.3.leaf(path)?)))
            .collect();
        if !found.is_empty() {
            leaves.insert(
                if metric.is_scalar() {
                    Vec::new()
                } else {
                    path.clone()
                },
                found,
            );
        }
    }
    if leaves.is_empty() {
        return None; // nothing in this bucket counts
    }
    let cell = |function: &&str| {
        Cell::Leaves(
            leaves
                .iter()
                .map(|(path, found)| (path.clone(), aggregate(function, found)))
                .collect(),
        )
    };
    Some(asked.functions.iter().map(cell).collect())
}

/// The function of some numbers, of which there is at least one.
fn aggregate(function: &str, found: &[(i64, f64)]) -> Want {
    let numbers: Vec<f64> = found.iter().map(|(_, number)| *number).collect();
    let n = numbers.len() as f64;
    let by_time = |a: &&(i64, f64), b: &&(i64, f64)| a.0.cmp(&b.0).then(a.1.total_cmp(&b.1));
    match function {
        "count" => Want::Exactly(n),
        "min" => Want::Exactly(numbers.iter().copied().fold(f64::INFINITY, f64::min)),
        "max" => Want::Exactly(numbers.iter().copied().fold(f64::NEG_INFINITY, f64::max)),
        "first" => Want::Exactly(found.iter().min_by(by_time).expect("a number").1),
        "last" => Want::Exactly(found.iter().max_by(by_time).expect("a number").1),
        "sum" => Want::Near(total(&numbers), slack(&numbers)),
        "avg" => Want::Near(total(&numbers) / n, slack(&numbers) / n + f64::MIN_POSITIVE),
        "stddev" if numbers.len() == 1 => Want::Null,
        "stddev" => stddev(&numbers),
        other => unreachable!("{other}"),
    }
}

/// A sum whose rounding is made good.
pub(crate) fn total(numbers: &[f64]) -> f64 {
    let (mut sum, mut lost) = (0.0_f64, 0.0_f64);
    for number in numbers {
        let next = sum + number;
        lost += if sum.abs() >= number.abs() {
            (sum - next) + number
        } else {
            (number - next) + sum
        };
        sum = next;
    }
    sum + lost
}

/// How far any order of adding may be from the sum: ε·n·Σ|x|.
pub(crate) fn slack(numbers: &[f64]) -> f64 {
    let sizes: Vec<f64> = numbers.iter().map(|x| x.abs()).collect();
    2.0 * f64::EPSILON * numbers.len() as f64 * total(&sizes)
}

pub(crate) fn stddev(numbers: &[f64]) -> Want {
    let n = numbers.len() as f64;
    let mean = total(numbers) / n;
    let off: Vec<f64> = numbers.iter().map(|x| x - mean).collect();
    let squares: Vec<f64> = off.iter().map(|d| d * d).collect();
    let m2 = (total(&squares) - total(&off).powi(2) / n).max(0.0);
    // What the updates of a sum of squared distances may lose: ε·n·(m2 + √(m2·Σx²)) + (ε·n)²·Σx².
    let size: f64 = numbers.iter().map(|x| x * x).sum();
    let epsilon = 8.0 * f64::EPSILON * n;
    let lost = epsilon * (m2 + m2.sqrt() * size.sqrt()) + epsilon * epsilon * size;
    let deviation = (m2 / (n - 1.0)).sqrt();
    let most = ((m2 + lost) / (n - 1.0)).sqrt() - deviation;
    let least = deviation - ((m2 - lost).max(0.0) / (n - 1.0)).sqrt();
    // Squares of numbers under 1e-160 underflow.
    Want::Near(deviation, most.max(least) + 1e-155)
}

/// What is wrong with an answer's spelling of a leaf.
pub(crate) fn fault(want: &Want, got: &str) -> Option<String> {
    let number = got.parse::<f64>().ok();
    let fits = match want {
        Want::Null => got == "null",
        Want::Exactly(wanted) => number == Some(*wanted),
        Want::Near(wanted, slack) => number.is_some_and(|number| (number - wanted).abs() <= *slack),
    };
    (!fits).then(|| format!("{want:?} expected, {got} answered"))
}
