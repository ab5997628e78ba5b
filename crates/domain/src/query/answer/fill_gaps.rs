//! Gives buckets without a point a row.

use std::collections::BTreeMap;

use super::finish::Finished;
use super::{BucketRow, Figure, Group, SeriesAnswer};
use crate::Timestamp;
use crate::query::ask::Fill;

/// What gaps are filled with, and where buckets are.
pub(in crate::query) struct Gaps<'a> {
    pub(in crate::query) fill: Fill,
    /// The starts of all buckets that should have a row.
    pub(in crate::query) buckets: &'a [Timestamp],
}

/// A bucket that has points, and its figures.
type Known<'a> = (Timestamp, &'a [Figure]);

impl Gaps<'_> {
    /// The rows of a series, one a bucket and group; `before` are the rows of the lookback.
    pub(in crate::query) fn fill(&self, asked: SeriesAnswer, before: Option<&Finished>) -> SeriesAnswer {
        let mut groups: BTreeMap<Group, Vec<Known<'_>>> = BTreeMap::new();
        for (place, row) in asked.rows.iter().enumerate() {
            groups.entry(row.group).or_default().push((row.bucket, asked.figures(place)));
        }
        let mut known: BTreeMap<Group, Known<'_>> = BTreeMap::new();
        for (place, row) in before.iter().flat_map(|b| b.series.rows.iter().enumerate()) {
            groups.entry(row.group).or_default();
            let figures = before.map(|b| b.series.figures(place)).unwrap_or_default();
            known.insert(row.group, (row.bucket, figures)); // rows ascend: the last one stays
        }
        let mut filled: Vec<(BucketRow, Vec<Figure>)> = Vec::with_capacity(groups.len() * self.buckets.len());
        for (group, rows) in &groups {
            self.fill_group(*group, rows, known.get(group).copied(), &asked, &mut filled);
        }
        if groups.len() > 1 {
            filled.sort_by_key(|(row, _)| (row.bucket, row.group));
        }
        let rows = filled.iter().map(|(row, _)| *row).collect();
        let figures = filled.into_iter().flat_map(|(_, figures)| figures).collect();
        SeriesAnswer { rows, figures, metric_type: asked.metric_type, columns: asked.columns }
    }

    fn fill_group(
        &self,
        group: Group,
        rows: &[Known<'_>],
        before: Option<Known<'_>>,
        series: &SeriesAnswer,
        filled: &mut Vec<(BucketRow, Vec<Figure>)>,
    ) {
        let mut previous = before;
        let mut next = rows.iter().peekable();
        for &bucket in self.buckets {
            let row = BucketRow { bucket, group };
            if let Some(known) = next.next_if(|known| known.0 == bucket) {
                filled.push((row, known.1.to_vec()));
                previous = Some(*known);
                continue;
            }
            let after = next.peek().map(|known| **known);
            let figures = series.columns.iter().enumerate().map(|(place, column)| match self.fill {
                Fill::Previous if lacks(previous, place) => Figure::Absent,
                _ if column.counts() => Figure::Count(0),
                Fill::Zero if series.is_text(column) => Figure::Null,
                _ => self.figure(bucket, place, previous, after),
            });
            filled.push((row, figures.collect()));
        }
    }

    fn figure(&self, bucket: Timestamp, place: usize, before: Option<Known<'_>>, after: Option<Known<'_>>) -> Figure {
        match self.fill {
            Fill::None | Fill::Null => Figure::Null,
            Fill::Zero => Figure::Number(0.0),
            Fill::Previous => before.map_or(Figure::Null, |(_, figures)| figures[place].clone()),
            Fill::Linear => {
                Figure::of(before.zip(after).and_then(|(before, after)| line(bucket, place, before, after)))
            }
        }
    }
}

/// Whether a known bucket has nothing of a leaf.
fn lacks(known: Option<Known<'_>>, place: usize) -> bool {
    known.is_some_and(|(_, figures)| figures[place] == Figure::Absent)
}

/// The point at `bucket` on the line between two known buckets; `None` where one of them lacks the leaf.
#[expect(clippy::cast_precision_loss, reason = "a thousand years of microseconds are near 2^55; a line may be rounded")]
fn line(bucket: Timestamp, place: usize, before: Known<'_>, after: Known<'_>) -> Option<f64> {
    let (a, b) = (before.1[place].number()?, after.1[place].number()?);
    let micros = |from: Timestamp, to: Timestamp| (to.micros() - from.micros()) as f64;
    let part = micros(before.0, bucket) / micros(before.0, after.0);
    Some(a + (b - a) * part)
}
