//! Aggregates the values of groups: the median of session means, and the like.

use std::collections::BTreeMap;

use super::finish::{Finished, columns, figures, text_figure};
use super::{BucketRow, Figure, Group, SeriesAnswer};
use crate::query::ask::{AggFunction, AggregateQuery};
use crate::query::fold::{Tally, TextSample, TextTally};
use crate::{Json, Sample, SessionId, Summary, Timestamp, UserId};

/// What is gathered of the values of a column over the groups of a bucket.
enum Gathered {
    Nothing,
    /// Only figures without a value, such as the spread of one number.
    Nulls,
    Numbers(Tally),
    Text(TextTally),
}

/// The rows by group, made into rows by bucket.
pub(in crate::query) fn over(query: &AggregateQuery, finished: Finished) -> Finished {
    let Finished {
        series,
        first_at,
        approximate,
    } = finished;
    let mut buckets: BTreeMap<Timestamp, Vec<Gathered>> = BTreeMap::new();
    for (place, row) in series.rows.iter().enumerate() {
        let bucket = match first_at.get(place) {
            Some(first) if query.places_sessions() => query.axis.bucket(*first).start(),
            _ => row.bucket,
        };
        let nothing = || series.columns.iter().map(|_| Gathered::Nothing).collect();
        let gathered = buckets.entry(bucket).or_insert_with(nothing);
        for (column, figure) in gathered.iter_mut().zip(series.figures(place)) {
            column.push(
                figure,
                first_at.get(place).copied().unwrap_or(row.bucket),
                row.group,
                &query.over,
            );
        }
    }
    let mut made = Finished {
        approximate,
        first_at: Vec::with_capacity(buckets.len()),
        series: SeriesAnswer {
            columns: columns(&series.metric_type, &query.functions, &query.over),
            rows: Vec::with_capacity(buckets.len()),
            figures: Vec::new(),
            metric_type: series.metric_type,
        },
    };
    for (bucket, gathered) in buckets {
        made.series.rows.push(BucketRow {
            bucket,
            group: Group::default(),
        });
        made.first_at.push(bucket);
        let by_column: Vec<Vec<Figure>> = gathered
            .into_iter()
            .map(|g| g.figures(&query.over))
            .collect();
        // Columns are function by function, leaf by leaf; those made have the functions over them in between.
        for leaves in by_column.chunks(series.columns.len() / query.functions.len()) {
            for place in 0..query.over.len() {
                made.series
                    .figures
                    .extend(leaves.iter().map(|figures| figures[place].clone()));
            }
        }
    }
    made
}

impl Gathered {
    fn push(&mut self, figure: &Figure, first_at: Timestamp, group: Group, over: &[AggFunction]) {
        if let Figure::Text(value) = figure {
            self.push_text(value, first_at, group, over);
        }
        if matches!((&*self, figure), (Self::Nothing, Figure::Null)) {
            *self = Self::Nulls;
        }
        let Some(value) = figure.number() else { return };
        if let Self::Nothing | Self::Nulls = self {
            *self = Self::Numbers(Tally::new(over.iter().any(|f| f.needs_values())));
        }
        if let Self::Numbers(tally) = self {
            tally.push(Sample {
                time: first_at,
                value,
            });
        }
    }

    fn push_text(&mut self, value: &Json, first_at: Timestamp, group: Group, over: &[AggFunction]) {
        let nobody = uuid::Uuid::nil();
        let (user, session) = (
            group.user.unwrap_or(UserId(nobody)),
            group.session.unwrap_or(SessionId(nobody)),
        );
        let sample = TextSample {
            order: (first_at, user, session, 0, 0),
            value: value.clone(),
        };
        if let Self::Text(tally) = self {
            tally.push(sample);
        } else {
            let mut tally = TextTally::new(over.iter().any(|f| f.needs_values()));
            tally.push(sample);
            *self = Self::Text(tally);
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
            Self::Numbers(mut tally) => figures(&mut tally, over),
            Self::Text(tally) => over.iter().map(|f| text_figure(&tally, *f)).collect(),
        }
    }
}

impl Tally {
    /// Adds one value.
    fn push(&mut self, sample: Sample) {
        self.summary
            .merge(&std::iter::once(sample).collect::<Summary>());
        if let Some(values) = &mut self.values {
            values.push(sample.value);
        }
    }
}
