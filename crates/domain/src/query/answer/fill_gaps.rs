//! Fills gaps, column by column: a bucket may have points of one leaf and none of another.

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

/// The rows of a group: those of the lookback, and those of the range.
#[derive(Default)]
struct KnownRows<'a> {
    before: Vec<Known<'a>>,
    asked: Vec<Known<'a>>,
}

/// Kind of a column, which decides the figure in a gap.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Counts,
    Text,
    Number,
}

impl Gaps<'_> {
    /// The rows of a series, one a bucket and group; `before` are the rows of the lookback. A column that has no figure in
    /// any bucket of a group gets none.
    pub(in crate::query) fn fill(
        &self,
        asked: &SeriesAnswer,
        before: Option<&Finished>,
    ) -> SeriesAnswer {
        let kind = |column| match column {
            column if super::Column::counts(column) => Kind::Counts,
            column if asked.is_text(column) => Kind::Text,
            _ => Kind::Number,
        };
        let kinds: Vec<Kind> = asked.columns.iter().map(kind).collect();
        let mut known: BTreeMap<Group, KnownRows<'_>> = BTreeMap::new();
        for (place, row) in asked.rows.iter().enumerate() {
            known
                .entry(row.group)
                .or_default()
                .asked
                .push((row.bucket, asked.figures(place)));
        }
        for (place, row) in before.iter().flat_map(|b| b.series.rows.iter().enumerate()) {
            let figures = before.map(|b| b.series.figures(place)).unwrap_or_default();
            known
                .entry(row.group)
                .or_default()
                .before
                .push((row.bucket, figures));
        }
        let mut groups: Vec<GroupRows<'_>> = known
            .into_iter()
            .map(|(group, known)| GroupRows::new(group, known, kinds.len()))
            .collect();
        let count = groups.len() * self.buckets.len();
        let (mut rows, mut figures) = (
            Vec::with_capacity(count),
            Vec::with_capacity(count * kinds.len()),
        );
        for &bucket in self.buckets {
            for group in &mut groups {
                rows.push(BucketRow {
                    bucket,
                    group: group.group,
                });
                group.figures(self.fill, bucket, &kinds, &mut figures);
            }
        }
        SeriesAnswer {
            rows,
            figures,
            metric_type: asked.metric_type.clone(),
            columns: asked.columns.clone(),
        }
    }
}

/// The rows of one group, while buckets are walked through.
struct GroupRows<'a> {
    group: Group,
    rows: Vec<Known<'a>>,
    /// The place of the first row that is not yet passed.
    place: usize,
    columns: Vec<Sides<'a>>,
}

/// The known buckets on both sides of a column's gap.
struct Sides<'a> {
    before: Option<Known<'a>>,
    /// The place of the next row that knows the column.
    after: usize,
    is_known: bool,
}

impl<'a> GroupRows<'a> {
    fn new(group: Group, known: KnownRows<'a>, width: usize) -> Self {
        let KnownRows {
            before,
            asked: rows,
        } = known;
        let sides = |column| {
            // Rows ascend.
            let before = before
                .iter()
                .rev()
                .find(|known| has(known, column))
                .copied();
            let after = rows.iter().position(|known| has(known, column));
            Sides {
                before,
                after: after.unwrap_or(rows.len()),
                is_known: before.is_some() || after.is_some(),
            }
        };
        Self {
            group,
            place: 0,
            columns: (0..width).map(sides).collect(),
            rows,
        }
    }

    /// Appends the figures of the next bucket.
    fn figures(&mut self, fill: Fill, bucket: Timestamp, kinds: &[Kind], out: &mut Vec<Figure>) {
        let here = self
            .rows
            .get(self.place)
            .filter(|known| known.0 == bucket)
            .copied();
        self.place += usize::from(here.is_some());
        for (column, (sides, kind)) in self.columns.iter_mut().zip(kinds).enumerate() {
            if let Some(known) = here.filter(|known| has(known, column)) {
                out.push(known.1[column].clone());
                sides.before = Some(known);
                let next = self.rows[self.place..]
                    .iter()
                    .position(|known| has(known, column));
                sides.after = next.map_or(self.rows.len(), |next| self.place + next);
            } else {
                out.push(sides.figure(fill, bucket, column, *kind, self.rows.get(sides.after)));
            }
        }
    }
}

impl Sides<'_> {
    fn figure(
        &self,
        fill: Fill,
        bucket: Timestamp,
        column: usize,
        kind: Kind,
        after: Option<&Known<'_>>,
    ) -> Figure {
        match fill {
            _ if !self.is_known => Figure::Absent,
            _ if kind == Kind::Counts => Figure::Count(0),
            Fill::Zero if kind == Kind::Number => Figure::Number(0.0),
            Fill::Previous => self
                .before
                .map_or(Figure::Null, |(_, figures)| figures[column].clone()),
            Fill::Linear => Figure::of(
                self.before
                    .zip(after)
                    .and_then(|(before, after)| line(bucket, column, before, *after)),
            ),
            Fill::None | Fill::Null | Fill::Zero => Figure::Null,
        }
    }
}

/// Returns true if the bucket has a figure in the column.
fn has((_, figures): &Known<'_>, column: usize) -> bool {
    figures[column] != Figure::Absent
}

/// The point at `bucket` on the line between two buckets that know a column; `None` where one of them has no number.
#[expect(
    clippy::cast_precision_loss,
    reason = "a thousand years of microseconds are near 2^55; a line may be rounded"
)]
fn line(bucket: Timestamp, column: usize, before: Known<'_>, after: Known<'_>) -> Option<f64> {
    let (a, b) = (before.1[column].number()?, after.1[column].number()?);
    let micros = |from: Timestamp, to: Timestamp| (to.micros() - from.micros()) as f64;
    let part = micros(before.0, bucket) / micros(before.0, after.0);
    Some(a + (b - a) * part)
}
