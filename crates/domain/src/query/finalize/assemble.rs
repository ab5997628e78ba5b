//! Assembles the answer from the bucket states of every series.

use std::sync::Arc;

use super::fill_gaps::GapFiller;
use super::over_groups::over_groups;
use super::series_rows::{SeriesRows, series_rows};
use crate::Timestamp;
use crate::ports::DataVersion;
use crate::query::answer::{AggregateAnswer, BucketRow, Figure, QueryStats, SeriesAnswer};
use crate::query::execute::{Folded, RangePart};
use crate::query::limits::LimitExceeded;
use crate::query::memory_budget::MemoryReservation;
use crate::query::plan::Plan;
use crate::query::selection::names_of_present;
use crate::query::spec::{AggregateSpec, Axis, Fill};

/// Computes the rows of the answer.
///
/// # Errors
/// [`LimitExceeded`] where gap filling would exceed `row_limit` or the memory of queries.
pub(in crate::query) fn finalize(
    spec: &AggregateSpec,
    plan: &Plan,
    folded: Folded,
    data_version: DataVersion,
    row_limit: usize,
) -> Result<AggregateAnswer, LimitExceeded> {
    let Folded {
        first_points,
        lookback,
        requested,
        groups,
        mut memory,
        present,
    } = folded;
    let mut series: Vec<SeriesAnswer> = Vec::new();
    let mut approximate = 0;
    let mut lookback_rows: Vec<Option<SeriesRows>> = Vec::new();
    for (index, ((selected, requested), lookback)) in
        plan.series.iter().zip(requested).zip(lookback).enumerate()
    {
        let rows_of = |part, states| {
            let first_point = |group| first_points.get(&(part, index, group)).copied();
            let rows = series_rows(
                selected.metric_type.clone(),
                &spec.functions,
                states,
                &groups,
                first_point,
            );
            if spec.over.is_empty() {
                rows
            } else {
                over_groups(spec, rows)
            }
        };
        let before = (!lookback.is_empty()).then(|| rows_of(RangePart::Lookback, lookback));
        let rows = rows_of(RangePart::Requested, requested);
        approximate += rows.approximate;
        if spec.fill.carries() {
            approximate += before.as_ref().map_or(0, |before| before.approximate);
        }
        lookback_rows.push(before);
        series.push(rows.series);
    }
    if spec.fill != Fill::None {
        fill_gaps(spec, &mut series, &lookback_rows, &mut memory, row_limit)?;
    }
    series.retain(|series| !series.rows.is_empty());
    memory.shrink_to(series.iter().map(SeriesAnswer::heap_bytes).sum());
    Ok(AggregateAnswer {
        version: data_version.version,
        generation: data_version.generation,
        series,
        skipped: names_of_present(&plan.skipped, &present),
        approximate,
        stats: QueryStats::default(),
        memory: Arc::new(memory),
    })
}

fn fill_gaps(
    spec: &AggregateSpec,
    series: &mut [SeriesAnswer],
    lookback: &[Option<SeriesRows>],
    memory: &mut MemoryReservation,
    limit: usize,
) -> Result<(), LimitExceeded> {
    let groups: usize = series
        .iter()
        .zip(lookback)
        .map(|(series, lookback)| count_groups(series, lookback.as_ref()))
        .sum();
    if groups == 0 {
        return Ok(());
    }
    let buckets =
        bucket_starts(spec, series, limit / groups).map_err(|buckets| LimitExceeded::Rows {
            rows: buckets.saturating_mul(groups),
            limit,
        })?;
    let row_bytes =
        |s: &SeriesAnswer| size_of::<BucketRow>() + s.columns.len() * size_of::<Figure>();
    let widest = series.iter().map(row_bytes).max().unwrap_or(0);
    let unfilled: usize = series.iter().map(SeriesAnswer::heap_bytes).sum();
    memory.grow_to(unfilled + buckets.len() * groups * widest)?;
    let gaps = GapFiller {
        fill: spec.fill,
        buckets: &buckets,
    };
    for (series, lookback) in series.iter_mut().zip(lookback) {
        *series = gaps.fill(series, lookback.as_ref());
    }
    Ok(())
}

/// Returns the number of groups of a series that have a row in the range or the lookback.
fn count_groups(series: &SeriesAnswer, lookback: Option<&SeriesRows>) -> usize {
    let rows = series
        .rows
        .iter()
        .chain(lookback.iter().flat_map(|before| &before.series.rows));
    let mut groups: Vec<_> = rows.map(|row| row.group).collect();
    groups.sort_unstable();
    groups.dedup();
    groups.len()
}

/// Returns the starts of the buckets that have a row in a filled answer. On the calendar these are
/// all buckets of the range; on a session's axis, those between the least and the greatest bucket
/// that has a point.
///
/// # Errors
/// The minimum number of buckets, if they are more than `most`. They are counted before they are
/// built.
fn bucket_starts(
    spec: &AggregateSpec,
    series: &[SeriesAnswer],
    most: usize,
) -> Result<Vec<Timestamp>, usize> {
    match &spec.axis {
        Axis::Calendar(calendar) => {
            let least = calendar.min_buckets(&spec.range);
            if least > most {
                return Err(least);
            }
            let buckets = calendar
                .buckets(spec.range.clone())
                .map(|bucket| bucket.start());
            let starts: Vec<Timestamp> = buckets.take(most.saturating_add(1)).collect();
            if starts.len() > most {
                Err(starts.len())
            } else {
                Ok(starts)
            }
        }
        Axis::SinceStart(offsets) => {
            let known = || series.iter().flat_map(|s| &s.rows).map(|row| row.bucket);
            let Some((first, last)) = known().min().zip(known().max()) else {
                return Ok(Vec::new());
            };
            let steps = offsets.count(first, last);
            if steps > most {
                Err(steps)
            } else {
                Ok(offsets.starts(first, last).collect())
            }
        }
    }
}
