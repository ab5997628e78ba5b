//! Thins points out for a plot: fewer real points that look the same.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;

use super::point_reader::{PointSink, PointView};
use crate::block::join;
use crate::fingerprint::{FingerprintHasher, Fingerprinted};
use crate::json::Pointer;
use crate::metric_type::MetricType;
use crate::ports::{Flow, ScanHead};
use crate::query::fold::Refusal;
use crate::query::memory_budget::MemoryReservation;
use crate::{Json, SessionId, Timestamp};

/// Bytes of a gathered number or time, with the room into which its list grows.
const NUMBER_BYTES: usize = 12;
/// Bytes of the place where another session's points begin.
const RUN_BYTES: usize = 2 * size_of::<(usize, SessionId)>();

/// How points are chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Method {
    /// Largest triangle three buckets: Sveinn Steinarsson, Downsampling Time Series for Visual Representation (2013).
    /// The triangles of several leaves are added, each in units of its leaf's range.
    #[default]
    Lttb,
    /// The least and the greatest point of each of equally full buckets, by the first leaf that has numbers there.
    MinMax,
}

impl Fingerprinted for Method {
    fn feed(&self, hasher: &mut FingerprintHasher) {
        hasher.variant(match self {
            Self::Lttb => "lttb",
            Self::MinMax => "minmax",
        });
    }
}

/// Gathers the points of each series, to be thinned out.
pub struct Thinning {
    most: usize,
    method: Method,
    limit: usize,
    memory: MemoryReservation,
    series: BTreeMap<usize, Gathered>,
    values: usize,
    /// How often the session changes from one point to the next.
    runs: usize,
    head: Option<ScanHead>,
}

/// The points of one series, as columns.
struct Gathered {
    metric_type: Arc<MetricType>,
    pointers: Vec<Pointer>,
    times: Vec<Timestamp>,
    /// Each session, with the place of its first point in a row of points.
    sessions: Vec<(usize, SessionId)>,
    /// By channel; NaN where there is no number.
    numbers: Vec<Vec<f64>>,
    rests: BTreeMap<usize, Json>,
}

/// A point that stands for some.
#[derive(Debug, Clone)]
pub struct Thinned {
    /// Its series.
    pub metric_type: Arc<MetricType>,
    /// Its session.
    pub session_id: SessionId,
    /// When.
    pub time: Timestamp,
    /// The number of each channel.
    pub numbers: Vec<Option<f64>>,
    /// What no channel gives back.
    pub rest: Option<Json>,
    /// The whole value.
    pub value: Json,
    /// How many points it stands for, itself included.
    pub weight: u64,
}

impl Thinning {
    /// At most `most` points of each series, at least three; refuses to gather more than `limit` numbers.
    #[must_use]
    pub const fn new(most: usize, method: Method, limit: usize, memory: MemoryReservation) -> Self {
        Self {
            most,
            method,
            limit,
            memory,
            series: BTreeMap::new(),
            values: 0,
            runs: 0,
            head: None,
        }
    }

    /// The points chosen, by time, then series.
    #[must_use]
    pub fn into_points(self) -> Vec<Thinned> {
        let mut points: Vec<(usize, Thinned)> = Vec::new();
        for (rank, gathered) in &self.series {
            let chosen = choose(gathered, self.most, self.method);
            points.extend(
                chosen
                    .into_iter()
                    .map(|(place, weight)| (*rank, gathered.point(place, weight))),
            );
        }
        points.sort_by(|(a, p), (b, q)| (p.time, a).cmp(&(q.time, b))); // stable: a series' points are in order
        points.into_iter().map(|(_, point)| point).collect()
    }
}

#[async_trait]
impl PointSink for Thinning {
    async fn head(&mut self, head: ScanHead) {
        self.head = Some(head);
    }

    fn point(&mut self, point: &PointView<'_>) -> Result<(), Refusal> {
        let series = point.series;
        let gathered = self.series.entry(series.rank).or_insert_with(|| Gathered {
            metric_type: series.metric_type.clone(),
            pointers: series.pointers.clone(),
            times: Vec::new(),
            sessions: Vec::new(),
            numbers: vec![Vec::new(); series.pointers.len()],
            rests: BTreeMap::new(),
        });
        if let Some(rest) = point.rest() {
            self.values += rest.weight();
            gathered.rests.insert(gathered.times.len(), rest);
        }
        if gathered
            .sessions
            .last()
            .is_none_or(|(_, session)| *session != point.session_id)
        {
            gathered
                .sessions
                .push((gathered.times.len(), point.session_id));
            self.runs += 1;
        }
        gathered.times.push(point.time);
        for (channel, numbers) in gathered.numbers.iter_mut().enumerate() {
            numbers.push(point.number(channel).unwrap_or(f64::NAN));
        }
        self.values += 1 + series.pointers.len();
        if self.values > self.limit {
            return Err(Refusal::Thinned {
                numbers: self.values,
                limit: self.limit,
            });
        }
        self.memory
            .grow_to(self.values * NUMBER_BYTES + self.runs * RUN_BYTES)
    }

    async fn breathe(&mut self) -> Flow {
        Flow::More
    }
}

impl Gathered {
    fn point(&self, place: usize, weight: u64) -> Thinned {
        let numbers: Vec<Option<f64>> = self
            .numbers
            .iter()
            .map(|numbers| Some(numbers[place]).filter(|n| !n.is_nan()))
            .collect();
        let rest = self.rests.get(&place).cloned();
        let run = self.sessions.partition_point(|(first, _)| *first <= place) - 1; // the first run begins at place 0
        Thinned {
            metric_type: self.metric_type.clone(),
            session_id: self.sessions[run].1,
            time: self.times[place],
            value: join(numbers.iter().copied(), &self.pointers, rest.clone()),
            numbers,
            rest,
            weight,
        }
    }
}

/// The places of the chosen points, ascending, and how many each stands for.
fn choose(gathered: &Gathered, most: usize, method: Method) -> Vec<(usize, u64)> {
    let len = gathered.times.len();
    if len <= most {
        return (0..len).map(|place| (place, 1)).collect();
    }
    let mut chosen = vec![(0, 1)];
    match method {
        Method::Lttb => lttb(gathered, most - 2, &mut chosen),
        Method::MinMax => min_max(gathered, most - 2, &mut chosen),
    }
    chosen.push((len - 1, 1));
    chosen
}

/// The places between the first and the last point, in so many parts of nearly the same length.
fn parts(len: usize, parts: usize) -> impl Iterator<Item = std::ops::Range<usize>> {
    let inner = len - 2;
    (0..parts).map(move |i| 1 + inner * i / parts..1 + inner * (i + 1) / parts)
}

#[expect(
    clippy::cast_precision_loss,
    reason = "times relative to the first are far below 2^53; areas may be rounded"
)]
fn lttb(gathered: &Gathered, most: usize, chosen: &mut Vec<(usize, u64)>) {
    let first = gathered.times[0].micros();
    let at = |place: usize| (gathered.times[place].micros() - first) as f64;
    let scales: Vec<f64> = gathered
        .numbers
        .iter()
        .map(|numbers| scale(numbers))
        .collect();
    let ranges: Vec<_> = parts(gathered.times.len(), most).collect();
    let last = gathered.times.len() - 1..gathered.times.len();
    let mut before = 0;
    for (i, range) in ranges.iter().enumerate() {
        let next = ranges.get(i + 1).unwrap_or(&last);
        let mean_time = next.clone().map(at).sum::<f64>() / next.len() as f64;
        let mut areas = vec![0.0_f64; range.len()];
        for (numbers, scale) in gathered.numbers.iter().zip(&scales) {
            let (mean, start) = (mean(&numbers[next.clone()]), numbers[before]);
            if mean.is_nan() || start.is_nan() {
                continue;
            }
            let (base, rise) = (at(before) - mean_time, mean - start);
            for (area, place) in areas.iter_mut().zip(range.clone()) {
                // Twice the triangle's area; a point without the number has none.
                let twice = (base * (numbers[place] - start) - (at(before) - at(place)) * rise)
                    .abs()
                    * scale;
                *area += if twice.is_nan() { 0.0 } else { twice };
            }
        }
        let greatest =
            (0..areas.len()).reduce(|best, i| if areas[i] > areas[best] { i } else { best });
        before = range.start + greatest.unwrap_or(0);
        chosen.push((before, range.len() as u64));
    }
}

/// One over the range of some numbers, so that leaves of other units count alike.
fn scale(numbers: &[f64]) -> f64 {
    let (least, greatest) = numbers
        .iter()
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(l, g), n| {
            (l.min(*n), g.max(*n))
        });
    if greatest > least {
        (greatest - least).recip()
    } else {
        1.0
    }
}

/// The mean of the numbers there are; NaN if there is none.
#[expect(clippy::cast_precision_loss, reason = "few numbers")]
fn mean(numbers: &[f64]) -> f64 {
    let (sum, n) = numbers
        .iter()
        .filter(|n| !n.is_nan())
        .fold((0.0, 0_usize), |(sum, n), number| (sum + number, n + 1));
    sum / n as f64
}

fn min_max(gathered: &Gathered, most: usize, chosen: &mut Vec<(usize, u64)>) {
    for range in parts(gathered.times.len(), (most / 2).max(1)) {
        let of_part = |numbers: &&Vec<f64>| numbers[range.clone()].iter().any(|n| !n.is_nan());
        let all = range.len() as u64;
        let Some(numbers) = gathered.numbers.iter().find(of_part) else {
            chosen.push((range.start, all));
            continue;
        };
        let with_number = || range.clone().filter(|place| !numbers[*place].is_nan());
        let least = with_number()
            .min_by(|a, b| numbers[*a].total_cmp(&numbers[*b]))
            .unwrap_or(range.start);
        let greatest = with_number()
            .max_by(|a, b| numbers[*a].total_cmp(&numbers[*b]))
            .unwrap_or(range.start);
        if least == greatest || most < 2 {
            chosen.push((least, all));
        } else {
            chosen.push((least.min(greatest), all / 2));
            chosen.push((least.max(greatest), all - all / 2));
        }
    }
}
