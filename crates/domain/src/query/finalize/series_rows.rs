//! Computes the rows of a series from its bucket states.

use std::cmp::Ordering;
use std::sync::Arc;

use crate::metric_type::MetricType;
use crate::query::answer::{BucketRow, Column, Figure, Group, SeriesAnswer};
use crate::query::execute::{Accumulator, BucketState, Rows, TextAccumulator, Values, runs};
use crate::query::spec::AggFunction;
use crate::{Summary, Timestamp};

/// The rows of a series, and the time of the first point of each.
pub(super) struct SeriesRows {
    pub(super) series: SeriesAnswer,
    pub(super) first_at: Vec<Timestamp>,
    /// Number of rows with an approximate figure.
    pub(super) approximate: usize,
}

/// Computes the functions of every bucket state. States that were only counted are left out.
/// `first_point` returns the first point of a group if the fold recorded it.
pub(super) fn series_rows(
    metric_type: Arc<MetricType>,
    functions: &[AggFunction],
    rows: Rows,
    groups: &[Group],
    first_point: impl Fn(u32) -> Option<Timestamp>,
) -> SeriesRows {
    let columns = columns(&metric_type, functions, &[]);
    let group = |number: u32| groups.get(number as usize).copied().unwrap_or_default();
    let mut series_rows = SeriesRows {
        first_at: Vec::with_capacity(rows.len()),
        approximate: 0,
        series: SeriesAnswer {
            rows: Vec::with_capacity(rows.len()),
            figures: Vec::with_capacity(rows.len() * columns.len()),
            metric_type,
            columns,
        },
    };
    // Bucket by bucket, so that the states, which take most of the memory, are dropped early.
    let mut rows = rows.into_iter().peekable();
    let mut of_bucket: Vec<(BucketRow, u32, BucketState)> = Vec::new();
    while let Some(((bucket, number), state)) = rows.next() {
        of_bucket.push((
            BucketRow {
                bucket,
                group: group(number),
            },
            number,
            state,
        ));
        if rows.peek().is_none_or(|((next, _), _)| *next != bucket) {
            of_bucket.sort_by_key(|(row, ..)| row.group);
            for (row, number, state) in of_bucket.drain(..) {
                series_rows.push(row, state, functions, first_point(number));
            }
        }
    }
    series_rows
}

/// Returns the columns of a row: by function, then function of groups, then leaf.
pub(super) fn columns(
    metric_type: &MetricType,
    functions: &[AggFunction],
    over: &[AggFunction],
) -> Vec<Column> {
    let channels = 0..metric_type.channels.len().max(1);
    let overs: Vec<Option<AggFunction>> = if over.is_empty() {
        vec![None]
    } else {
        over.iter().copied().map(Some).collect()
    };
    let mut columns = Vec::with_capacity(functions.len() * overs.len() * channels.len());
    for &function in functions {
        for &over in &overs {
            columns.extend(channels.clone().map(|channel| Column {
                function,
                over,
                channel,
            }));
        }
    }
    columns
}

impl SeriesRows {
    fn push(
        &mut self,
        row: BucketRow,
        state: BucketState,
        functions: &[AggFunction],
        first_point: Option<Timestamp>,
    ) {
        let first_at = match state {
            BucketState::Counted => return,
            BucketState::Text(accumulator) => {
                self.series
                    .figures
                    .extend(functions.iter().map(|f| text_figure(&accumulator, *f)));
                accumulator.first().map(|first| first.order.0)
            }
            BucketState::Numbers(mut accumulators) => {
                let first_at = accumulators
                    .iter()
                    .filter_map(|t| t.summary.first())
                    .map(|s| s.time)
                    .min();
                let sketched =
                    |t: &&Accumulator| t.values.as_ref().is_some_and(|v| v.is_approximate());
                self.approximate += usize::from(accumulators.iter().any(|t| sketched(&t)));
                let by_channel: Vec<Vec<Figure>> = accumulators
                    .iter_mut()
                    .map(|t| figures(t, functions))
                    .collect();
                for index in 0..functions.len() {
                    self.series
                        .figures
                        .extend(by_channel.iter().map(|figures| figures[index].clone()));
                }
                first_at
            }
        };
        self.series.rows.push(row);
        self.first_at
            .push(first_point.or(first_at).unwrap_or(row.bucket));
    }
}

/// Computes the figures of a channel, one per function.
pub(super) fn figures(accumulator: &mut Accumulator, functions: &[AggFunction]) -> Vec<Figure> {
    if accumulator.summary.count() == 0 {
        let without_points = |f: &AggFunction| match f {
            _ if accumulator.time_weighted.is_empty() => Figure::Absent,
            // A value was in effect throughout the bucket, which has no point.
            AggFunction::TimeAvg => Figure::of(accumulator.time_average()),
            f if f.counts() => Figure::Count(0),
            _ => Figure::Absent,
        };
        return functions.iter().map(without_points).collect();
    }
    let mut percentiles = percentiles(accumulator, functions).into_iter();
    let mut figures = Vec::with_capacity(functions.len());
    for &function in functions {
        figures.push(match function.percentile() {
            Some(_) => Figure::of(percentiles.next()),
            None => figure(accumulator, function),
        });
    }
    figures
}

fn percentiles(accumulator: &mut Accumulator, functions: &[AggFunction]) -> Vec<f64> {
    let fractions: Vec<f64> = functions.iter().filter_map(|f| f.percentile()).collect();
    let Some(values) = accumulator
        .values
        .as_mut()
        .filter(|_| !fractions.is_empty())
    else {
        return Vec::new();
    };
    values.percentiles(&fractions).unwrap_or_default()
}

fn figure(accumulator: &mut Accumulator, function: AggFunction) -> Figure {
    let summary = accumulator.summary;
    match function {
        AggFunction::Avg => Figure::of(summary.mean()),
        AggFunction::Min => Figure::of(summary.min()),
        AggFunction::Max => Figure::of(summary.max()),
        AggFunction::Count => Figure::Count(summary.count()),
        AggFunction::Sum => Figure::of(summary.sum()),
        AggFunction::First => Figure::of(summary.first().map(|s| s.value)),
        AggFunction::Last => Figure::of(summary.last().map(|s| s.value)),
        AggFunction::Stddev => Figure::of(summary.stddev()),
        AggFunction::Range => Figure::of(range(&summary)),
        AggFunction::TimeAvg => Figure::of(accumulator.time_average()),
        AggFunction::Mode => Figure::of(sorted(accumulator).and_then(mode)),
        AggFunction::Distinct => sorted(accumulator).map_or(Figure::Null, |sorted| {
            Figure::Count(runs(sorted).count() as u64)
        }),
        AggFunction::Median | AggFunction::Percentile(_) => {
            Figure::of(percentiles(accumulator, &[function]).first().copied())
        }
    }
}

fn sorted(accumulator: &mut Accumulator) -> Option<&[f64]> {
    accumulator.values.as_deref_mut().and_then(Values::sorted)
}

fn range(summary: &Summary) -> Option<f64> {
    Some(summary.max()? - summary.min()?)
}

/// Returns the most frequent value; of several, the least.
fn mode(sorted: &[f64]) -> Option<f64> {
    let most = runs(sorted).max_by(|a, b| match a.1.cmp(&b.1) {
        Ordering::Equal => Ordering::Greater, // keeps the earlier, smaller value
        order => order,
    });
    most.map(|(value, _)| value)
}

/// Computes the figure of values that are not numbers.
pub(super) fn text_figure(accumulator: &TextAccumulator, function: AggFunction) -> Figure {
    let text = |value| Figure::Text(Box::new(value));
    match function {
        AggFunction::Count => Figure::Count(accumulator.count),
        AggFunction::Distinct => Figure::Count(accumulator.distinct()),
        AggFunction::First => accumulator
            .first()
            .map_or(Figure::Null, |first| text(first.value.clone())),
        AggFunction::Last => accumulator
            .last()
            .map_or(Figure::Null, |last| text(last.value.clone())),
        AggFunction::Mode => accumulator.mode().cloned().map_or(Figure::Null, text),
        _ => Figure::Null, // rejected by the selection: the function needs numbers
    }
}
