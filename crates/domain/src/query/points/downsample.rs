//! Downsampling: selects a subset of real points that looks the same in a plot.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::Arc;

use async_trait::async_trait;

use super::point_reader::{PointSink, PointView};
use crate::block::join;
use crate::fingerprint::{FingerprintHasher, Fingerprinted};
use crate::json::Pointer;
use crate::metric_type::MetricType;
use crate::ports::DataVersion;
use crate::query::limits::LimitExceeded;
use crate::query::memory_budget::MemoryReservation;
use crate::{Json, SessionId, Timestamp};

/// Bytes of a number or time, with the spare capacity of its list.
const NUMBER_BYTES: usize = 12;
/// Bytes of the start of a run of one session's points.
const RUN_BYTES: usize = 2 * size_of::<(usize, SessionId)>();

/// The algorithm that chooses points.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Method {
    /// Largest triangle three buckets: Sveinn Steinarsson, Downsampling Time Series for Visual
    /// Representation (2013). The triangles of several leaves are added, each in units of the
    /// leaf's range.
    #[default]
    Lttb,
    /// The least and the greatest point of each of equally full buckets, by the first leaf that has
    /// a number in the bucket.
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

/// Collects the points of each series and chooses among them.
pub struct Downsampler {
    /// Maximum points of each series.
    max_points: usize,
    method: Method,
    /// Maximum numbers that may be collected.
    limit: usize,
    memory: MemoryReservation,
    series: BTreeMap<usize, SeriesColumns>,
    values: usize,
    /// Number of runs of points of the same session.
    runs: usize,
    data_version: Option<DataVersion>,
}

/// The points of one series, as columns.
struct SeriesColumns {
    metric_type: Arc<MetricType>,
    pointers: Vec<Pointer>,
    times: Vec<Timestamp>,
    /// Each run of points of one session: the index of its first point, and the session.
    sessions: Vec<(usize, SessionId)>,
    /// The numbers by channel; NaN where there is none.
    numbers: Vec<Vec<f64>>,
    /// The remainders, by index of the point.
    remainders: BTreeMap<usize, Json>,
}

/// A point that represents several points.
#[derive(Debug, Clone)]
pub struct DownsampledPoint {
    /// The series of the point.
    pub metric_type: Arc<MetricType>,
    /// The session of the point.
    pub session_id: SessionId,
    /// The time of the point.
    pub time: Timestamp,
    /// The number of each channel.
    pub numbers: Vec<Option<f64>>,
    /// The part of the value that no channel contains.
    pub remainder: Option<Json>,
    /// The whole value.
    pub value: Json,
    /// The number of points that it represents, including itself.
    pub weight: u64,
}

impl Downsampler {
    /// Chooses at most `max_points` points of each series, which must be at least three. Collects
    /// at most `limit` numbers.
    #[must_use]
    pub const fn new(
        max_points: usize,
        method: Method,
        limit: usize,
        memory: MemoryReservation,
    ) -> Self {
        Self {
            max_points,
            method,
            limit,
            memory,
            series: BTreeMap::new(),
            values: 0,
            runs: 0,
            data_version: None,
        }
    }

    /// Returns the chosen points, by time, then series.
    #[must_use]
    pub fn into_points(self) -> Vec<DownsampledPoint> {
        let mut points: Vec<(usize, DownsampledPoint)> = Vec::new();
        for (rank, columns) in &self.series {
            let chosen = choose(columns, self.max_points, self.method);
            points.extend(
                chosen
                    .into_iter()
                    .map(|(index, weight)| (*rank, columns.point(index, weight))),
            );
        }
        // The sort is stable, so that it keeps the order within a series.
        points.sort_by(|(a, p), (b, q)| (p.time, a).cmp(&(q.time, b)));
        points.into_iter().map(|(_, point)| point).collect()
    }
}

#[async_trait]
impl PointSink for Downsampler {
    async fn begin(&mut self, data_version: DataVersion) {
        self.data_version = Some(data_version);
    }

    fn point(&mut self, point: &PointView<'_>) -> Result<(), LimitExceeded> {
        let series = point.series;
        let columns = self
            .series
            .entry(series.rank)
            .or_insert_with(|| SeriesColumns {
                metric_type: series.metric_type.clone(),
                pointers: series.pointers.clone(),
                times: Vec::new(),
                sessions: Vec::new(),
                numbers: vec![Vec::new(); series.pointers.len()],
                remainders: BTreeMap::new(),
            });
        if let Some(remainder) = point.remainder() {
            self.values += remainder.weight();
            columns.remainders.insert(columns.times.len(), remainder);
        }
        if columns
            .sessions
            .last()
            .is_none_or(|(_, session)| *session != point.session_id)
        {
            columns
                .sessions
                .push((columns.times.len(), point.session_id));
            self.runs += 1;
        }
        columns.times.push(point.time);
        for (channel, numbers) in columns.numbers.iter_mut().enumerate() {
            numbers.push(point.number(channel).unwrap_or(f64::NAN));
        }
        self.values += 1 + series.pointers.len();
        if self.values > self.limit {
            return Err(LimitExceeded::Downsampling {
                numbers: self.values,
                limit: self.limit,
            });
        }
        self.memory
            .grow_to(self.values * NUMBER_BYTES + self.runs * RUN_BYTES)
    }

    async fn yield_now(&mut self) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }
}

impl SeriesColumns {
    fn point(&self, index: usize, weight: u64) -> DownsampledPoint {
        let numbers: Vec<Option<f64>> = self
            .numbers
            .iter()
            .map(|numbers| Some(numbers[index]).filter(|n| !n.is_nan()))
            .collect();
        let remainder = self.remainders.get(&index).cloned();
        // The first run begins at index 0, so that there is one.
        let run = self.sessions.partition_point(|(first, _)| *first <= index) - 1;
        DownsampledPoint {
            metric_type: self.metric_type.clone(),
            session_id: self.sessions[run].1,
            time: self.times[index],
            value: join(numbers.iter().copied(), &self.pointers, remainder.clone()),
            numbers,
            remainder,
            weight,
        }
    }
}

/// Returns the indices of the chosen points, ascending, and the number of points each represents.
fn choose(columns: &SeriesColumns, max_points: usize, method: Method) -> Vec<(usize, u64)> {
    let len = columns.times.len();
    if len <= max_points {
        return (0..len).map(|index| (index, 1)).collect();
    }
    let mut chosen = vec![(0, 1)];
    match method {
        Method::Lttb => lttb(columns, max_points - 2, &mut chosen),
        Method::MinMax => min_max(columns, max_points - 2, &mut chosen),
    }
    chosen.push((len - 1, 1));
    chosen
}

/// Divides the indices between the first and the last point into parts of nearly equal length.
fn parts(len: usize, parts: usize) -> impl Iterator<Item = std::ops::Range<usize>> {
    let inner = len - 2;
    (0..parts).map(move |i| 1 + inner * i / parts..1 + inner * (i + 1) / parts)
}

#[expect(
    clippy::cast_precision_loss,
    reason = "times relative to the first are far below 2^53; areas may be rounded"
)]
fn lttb(columns: &SeriesColumns, most: usize, chosen: &mut Vec<(usize, u64)>) {
    let first = columns.times[0].micros();
    let at = |index: usize| (columns.times[index].micros() - first) as f64;
    let scales: Vec<f64> = columns
        .numbers
        .iter()
        .map(|numbers| scale(numbers))
        .collect();
    let ranges: Vec<_> = parts(columns.times.len(), most).collect();
    let last = columns.times.len() - 1..columns.times.len();
    let mut before = 0;
    for (i, range) in ranges.iter().enumerate() {
        let next = ranges.get(i + 1).unwrap_or(&last);
        let mean_time = next.clone().map(at).sum::<f64>() / next.len() as f64;
        let mut areas = vec![0.0_f64; range.len()];
        for (numbers, scale) in columns.numbers.iter().zip(&scales) {
            let (mean, start) = (mean(&numbers[next.clone()]), numbers[before]);
            if mean.is_nan() || start.is_nan() {
                continue;
            }
            let (base, rise) = (at(before) - mean_time, mean - start);
            for (area, index) in areas.iter_mut().zip(range.clone()) {
                // Twice the area of the triangle; zero for a point without the number.
                let twice = (base * (numbers[index] - start) - (at(before) - at(index)) * rise)
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

/// Returns the reciprocal of the range of some numbers, so that leaves of different units have
/// equal weight.
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

/// Returns the mean of the numbers that are not NaN; NaN if there is none.
#[expect(clippy::cast_precision_loss, reason = "few numbers")]
fn mean(numbers: &[f64]) -> f64 {
    let (sum, n) = numbers
        .iter()
        .filter(|n| !n.is_nan())
        .fold((0.0, 0_usize), |(sum, n), number| (sum + number, n + 1));
    sum / n as f64
}

fn min_max(columns: &SeriesColumns, most: usize, chosen: &mut Vec<(usize, u64)>) {
    for range in parts(columns.times.len(), (most / 2).max(1)) {
        let of_part = |numbers: &&Vec<f64>| numbers[range.clone()].iter().any(|n| !n.is_nan());
        let all = range.len() as u64;
        let Some(numbers) = columns.numbers.iter().find(of_part) else {
            chosen.push((range.start, all));
            continue;
        };
        let with_number = || range.clone().filter(|index| !numbers[*index].is_nan());
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
