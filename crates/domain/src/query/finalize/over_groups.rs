//! Aggregates the values of the groups of a bucket, such as the median of session means.

use std::collections::BTreeMap;

use super::series_rows::{SeriesRows, columns, figures, text_figure};
use crate::query::answer::{BucketRow, Figure, Group, SeriesAnswer};
use crate::query::execute::{Accumulator, TextAccumulator, TextSample};
use crate::query::spec::{AggFunction, AggregateSpec};
use crate::{Json, Sample, SessionId, Summary, Timestamp, UserId};

/// The values of a column in the groups of a bucket.
enum GroupValues {
    Nothing,
    /// Only null figures, such as the standard deviation of one number.
    Nulls,
    Numbers(Accumulator),
    Text(TextAccumulator),
}

/// Merges the rows of the groups of each bucket into one row.
pub(super) fn over_groups(spec: &AggregateSpec, rows: SeriesRows) -> SeriesRows {
    let SeriesRows {
        series,
        first_at,
        approximate,
    } = rows;
    let mut buckets: BTreeMap<Timestamp, Vec<GroupValues>> = BTreeMap::new();
    for (index, row) in series.rows.iter().enumerate() {
        let bucket = match first_at.get(index) {
            Some(first) if spec.places_sessions() => spec.axis.bucket(*first).start(),
            _ => row.bucket,
        };
        let nothing = || {
            series
                .columns
                .iter()
                .map(|_| GroupValues::Nothing)
                .collect()
        };
        let columns = buckets.entry(bucket).or_insert_with(nothing);
        for (column, figure) in columns.iter_mut().zip(series.figures(index)) {
            column.push(
                figure,
                first_at.get(index).copied().unwrap_or(row.bucket),
                row.group,
                &spec.over,
            );
        }
    }
    let mut merged = SeriesRows {
        approximate,
        first_at: Vec::with_capacity(buckets.len()),
        series: SeriesAnswer {
            columns: columns(&series.metric_type, &spec.functions, &spec.over),
            rows: Vec::with_capacity(buckets.len()),
            figures: Vec::new(),
            metric_type: series.metric_type,
        },
    };
    for (bucket, columns) in buckets {
        merged.series.rows.push(BucketRow {
            bucket,
            group: Group::default(),
        });
        merged.first_at.push(bucket);
        let by_column: Vec<Vec<Figure>> =
            columns.into_iter().map(|g| g.figures(&spec.over)).collect();
        // The given columns are by function, then leaf; those of the answer are by function, then
        // function of groups, then leaf.
        for leaves in by_column.chunks(series.columns.len() / spec.functions.len()) {
            for index in 0..spec.over.len() {
                merged
                    .series
                    .figures
                    .extend(leaves.iter().map(|figures| figures[index].clone()));
            }
        }
    }
    merged
}

impl GroupValues {
    fn push(&mut self, figure: &Figure, first_at: Timestamp, group: Group, over: &[AggFunction]) {
        if let Figure::Text(value) = figure {
            self.push_text(value, first_at, group, over);
        }
        if matches!((&*self, figure), (Self::Nothing, Figure::Null)) {
            *self = Self::Nulls;
        }
        let Some(value) = figure.number() else { return };
        if let Self::Nothing | Self::Nulls = self {
            *self = Self::Numbers(Accumulator::new(over.iter().any(|f| f.needs_values())));
        }
        if let Self::Numbers(accumulator) = self {
            accumulator.push(Sample {
                time: first_at,
                value,
            });
        }
    }

    fn push_text(&mut self, value: &Json, first_at: Timestamp, group: Group, over: &[AggFunction]) {
        let absent = uuid::Uuid::nil();
        let (user, session) = (
            group.user.unwrap_or(UserId(absent)),
            group.session.unwrap_or(SessionId(absent)),
        );
        let sample = TextSample {
            order: (first_at, user, session, 0, 0),
            value: value.clone(),
        };
        if let Self::Text(accumulator) = self {
            accumulator.push(sample);
        } else {
            let mut accumulator = TextAccumulator::new(over.iter().any(|f| f.needs_values()));
            accumulator.push(sample);
            *self = Self::Text(accumulator);
        }
    }

    fn figures(self, over: &[AggFunction]) -> Vec<Figure> {
        match self {
            Self::Nothing => vec![Figure::Absent; over.len()],
            Self::Nulls => over
                .iter()
                .map(|f| {
                    if f.counts() {
                        Figure::Count(0)
                    } else {
                        Figure::Null
                    }
                })
                .collect(),
            Self::Numbers(mut accumulator) => figures(&mut accumulator, over),
            Self::Text(accumulator) => over.iter().map(|f| text_figure(&accumulator, *f)).collect(),
        }
    }
}

impl Accumulator {
    /// Adds one value.
    fn push(&mut self, sample: Sample) {
        self.summary
            .merge(&std::iter::once(sample).collect::<Summary>());
        if let Some(values) = &mut self.values {
            values.push(sample.value);
        }
    }
}
