//! Makes the rows of a series out of its cells.

use std::cmp::Ordering;
use std::sync::Arc;

use super::{BucketRow, Column, Figure, Group, SeriesAnswer};
use crate::metric_type::MetricType;
use crate::query::ask::AggFunction;
use crate::query::fold::{Cell, Rows, Tally, TextTally, Values, runs};
use crate::{Summary, Timestamp};

/// A series' rows, and the time of the first point of each.
pub(in crate::query) struct Finished {
    pub(in crate::query) series: SeriesAnswer,
    pub(in crate::query) first_at: Vec<Timestamp>,
    pub(in crate::query) approximate: usize,
}

/// Computes `functions` of every cell; cells that were only counted are left out. `first_point` is that of a group, where
/// it is known better than by what has a figure.
pub(in crate::query) fn finish(
    metric_type: Arc<MetricType>,
    functions: &[AggFunction],
    rows: Rows,
    groups: &[Group],
    first_point: impl Fn(u32) -> Option<Timestamp>,
) -> Finished {
    let columns = columns(&metric_type, functions, &[]);
    let group = |number: u32| groups.get(number as usize).copied().unwrap_or_default();
    let mut finished = Finished {
        first_at: Vec::with_capacity(rows.len()),
        approximate: 0,
        series: SeriesAnswer {
            rows: Vec::with_capacity(rows.len()),
            figures: Vec::with_capacity(rows.len() * columns.len()),
            metric_type,
            columns,
        },
    };
    // Bucket by bucket, so that the cells, which take most of the memory, are dropped on the way.
    let mut rows = rows.into_iter().peekable();
    let mut of_bucket: Vec<(BucketRow, u32, Cell)> = Vec::new();
    while let Some(((bucket, number), cell)) = rows.next() {
        of_bucket.push((
            BucketRow {
                bucket,
                group: group(number),
            },
            number,
            cell,
        ));
        if rows.peek().is_none_or(|((next, _), _)| *next != bucket) {
            of_bucket.sort_by_key(|(row, ..)| row.group);
            for (row, number, cell) in of_bucket.drain(..) {
                finished.push(row, cell, functions, first_point(number));
            }
        }
    }
    finished
}

/// What the figures of a row are: function by function, over by over, leaf by leaf.
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

impl Finished {
    fn push(
        &mut self,
        row: BucketRow,
        cell: Cell,
        functions: &[AggFunction],
        first_point: Option<Timestamp>,
    ) {
        let first_at = match cell {
            Cell::Counted => return,
            Cell::Text(tally) => {
                self.series
                    .figures
                    .extend(functions.iter().map(|f| text_figure(&tally, *f)));
                tally.first().map(|first| first.order.0)
            }
            Cell::Numbers(mut tallies) => {
                let first_at = tallies
                    .iter()
                    .filter_map(|t| t.summary.first())
                    .map(|s| s.time)
                    .min();
                let sketched = |t: &&Tally| t.values.as_ref().is_some_and(|v| v.is_approximate());
                self.approximate += usize::from(tallies.iter().any(|t| sketched(&t)));
                let by_channel: Vec<Vec<Figure>> =
                    tallies.iter_mut().map(|t| figures(t, functions)).collect();
                for place in 0..functions.len() {
                    self.series
                        .figures
                        .extend(by_channel.iter().map(|figures| figures[place].clone()));
                }
                first_at
            }
        };
        self.series.rows.push(row);
        self.first_at
            .push(first_point.or(first_at).unwrap_or(row.bucket));
    }
}

/// The figures of numbers, one a function.
pub(in crate::query) fn figures(tally: &mut Tally, functions: &[AggFunction]) -> Vec<Figure> {
    if tally.summary.count() == 0 {
        let held = |f: &AggFunction| match f {
            _ if tally.held.is_empty() => Figure::Absent,
            // A value held through the bucket, which has no point.
            AggFunction::TimeAvg => Figure::of(tally.time_average()),
            f if f.counts() => Figure::Count(0),
            _ => Figure::Absent,
        };
        return functions.iter().map(held).collect();
    }
    let mut percentiles = percentiles(tally, functions).into_iter();
    let mut figures = Vec::with_capacity(functions.len());
    for &function in functions {
        figures.push(match function.percentile() {
            Some(_) => Figure::of(percentiles.next()),
            None => figure(tally, function),
        });
    }
    figures
}

fn percentiles(tally: &mut Tally, functions: &[AggFunction]) -> Vec<f64> {
    let fractions: Vec<f64> = functions.iter().filter_map(|f| f.percentile()).collect();
    let Some(values) = tally.values.as_mut().filter(|_| !fractions.is_empty()) else {
        return Vec::new();
    };
    values.percentiles(&fractions).unwrap_or_default()
}

fn figure(tally: &mut Tally, function: AggFunction) -> Figure {
    let summary = tally.summary;
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
        AggFunction::TimeAvg => Figure::of(tally.time_average()),
        AggFunction::Mode => Figure::of(sorted(tally).and_then(mode)),
        AggFunction::Distinct => sorted(tally).map_or(Figure::Null, |sorted| {
            Figure::Count(runs(sorted).count() as u64)
        }),
        AggFunction::Median | AggFunction::Percentile(_) => {
            Figure::of(percentiles(tally, &[function]).first().copied())
        }
    }
}

fn sorted(tally: &mut Tally) -> Option<&[f64]> {
    tally.values.as_deref_mut().and_then(Values::sorted)
}

fn range(summary: &Summary) -> Option<f64> {
    Some(summary.max()? - summary.min()?)
}

/// The least of the most frequent values.
fn mode(sorted: &[f64]) -> Option<f64> {
    let most = runs(sorted).max_by(|a, b| match a.1.cmp(&b.1) {
        Ordering::Equal => Ordering::Greater, // the one before stays: it is less
        order => order,
    });
    most.map(|(value, _)| value)
}

/// The figure of values that are no numbers.
pub(super) fn text_figure(tally: &TextTally, function: AggFunction) -> Figure {
    let text = |value| Figure::Text(Box::new(value));
    match function {
        AggFunction::Count => Figure::Count(tally.count),
        AggFunction::Distinct => Figure::Count(tally.distinct()),
        AggFunction::First => tally
            .first()
            .map_or(Figure::Null, |first| text(first.value.clone())),
        AggFunction::Last => tally
            .last()
            .map_or(Figure::Null, |last| text(last.value.clone())),
        AggFunction::Mode => tally.mode().cloned().map_or(Figure::Null, text),
        _ => Figure::Null, // refused before: the function needs numbers
    }
}
