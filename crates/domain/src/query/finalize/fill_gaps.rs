//! Gap filling, by column: a bucket may have points of one leaf and none of another.

use std::collections::BTreeMap;

use super::series_rows::SeriesRows;
use crate::Timestamp;
use crate::query::answer::{BucketRow, Column, Figure, Group, SeriesAnswer};
use crate::query::spec::Fill;

/// Fills the buckets that have no row, or no figure in a column.
pub(super) struct GapFiller<'a> {
    pub(super) fill: Fill,
    /// The starts of all buckets that should have a row.
    pub(super) buckets: &'a [Timestamp],
}

/// A bucket that has points, and its figures.
type Known<'a> = (Timestamp, &'a [Figure]);

/// The rows of a group.
#[derive(Default)]
struct KnownRows<'a> {
    lookback: Vec<Known<'a>>,
    requested: Vec<Known<'a>>,
}

/// The kind of a column, which determines the figure in a gap.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Counts,
    Text,
    Number,
}

impl GapFiller<'_> {
    /// Returns one row per bucket and group of a series. A column that has no figure in any bucket
    /// of a group remains absent.
    pub(super) fn fill(
        &self,
        requested: &SeriesAnswer,
        lookback: Option<&SeriesRows>,
    ) -> SeriesAnswer {
        let kind = |column| match column {
            column if Column::counts(column) => Kind::Counts,
            column if requested.is_text(column) => Kind::Text,
            _ => Kind::Number,
        };
        let kinds: Vec<Kind> = requested.columns.iter().map(kind).collect();
        let mut known: BTreeMap<Group, KnownRows<'_>> = BTreeMap::new();
        for (index, row) in requested.rows.iter().enumerate() {
            known
                .entry(row.group)
                .or_default()
                .requested
                .push((row.bucket, requested.figures(index)));
        }
        for (index, row) in lookback
            .iter()
            .flat_map(|b| b.series.rows.iter().enumerate())
        {
            let figures = lookback
                .map(|b| b.series.figures(index))
                .unwrap_or_default();
            known
                .entry(row.group)
                .or_default()
                .lookback
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
            metric_type: requested.metric_type.clone(),
            columns: requested.columns.clone(),
        }
    }
}

/// The rows of one group during the pass over all buckets.
struct GroupRows<'a> {
    group: Group,
    rows: Vec<Known<'a>>,
    /// The index of the next row.
    index: usize,
    columns: Vec<Neighbours<'a>>,
}

/// The known buckets before and after a gap in a column.
struct Neighbours<'a> {
    before: Option<Known<'a>>,
    /// The index of the next row that has the column.
    after: usize,
    is_known: bool,
}

impl<'a> GroupRows<'a> {
    fn new(group: Group, known: KnownRows<'a>, width: usize) -> Self {
        let KnownRows {
            lookback,
            requested: rows,
        } = known;
        let neighbours = |column| {
            // Rows are in ascending order.
            let before = lookback
                .iter()
                .rev()
                .find(|known| has(known, column))
                .copied();
            let after = rows.iter().position(|known| has(known, column));
            Neighbours {
                before,
                after: after.unwrap_or(rows.len()),
                is_known: before.is_some() || after.is_some(),
            }
        };
        Self {
            group,
            index: 0,
            columns: (0..width).map(neighbours).collect(),
            rows,
        }
    }

    /// Appends the figures of the next bucket.
    fn figures(&mut self, fill: Fill, bucket: Timestamp, kinds: &[Kind], out: &mut Vec<Figure>) {
        let here = self
            .rows
            .get(self.index)
            .filter(|known| known.0 == bucket)
            .copied();
        self.index += usize::from(here.is_some());
        for (column, (neighbours, kind)) in self.columns.iter_mut().zip(kinds).enumerate() {
            if let Some(known) = here.filter(|known| has(known, column)) {
                out.push(known.1[column].clone());
                neighbours.before = Some(known);
                let next = self.rows[self.index..]
                    .iter()
                    .position(|known| has(known, column));
                neighbours.after = next.map_or(self.rows.len(), |next| self.index + next);
            } else {
                out.push(neighbours.figure(
                    fill,
                    bucket,
                    column,
                    *kind,
                    self.rows.get(neighbours.after),
                ));
            }
        }
    }
}

impl Neighbours<'_> {
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

/// Returns whether the bucket has a figure in the column.
fn has((_, figures): &Known<'_>, column: usize) -> bool {
    figures[column] != Figure::Absent
}

/// Interpolates a column at `bucket` between two known buckets; `None` where one of them has no
/// number.
#[expect(
    clippy::cast_precision_loss,
    reason = "a thousand years of microseconds are near 2^55; a line may be rounded"
)]
fn line(bucket: Timestamp, column: usize, before: Known<'_>, after: Known<'_>) -> Option<f64> {
    let (a, b) = (before.1[column].number()?, after.1[column].number()?);
    let micros = |from: Timestamp, to: Timestamp| (to.micros() - from.micros()) as f64;
    let fraction = micros(before.0, bucket) / micros(before.0, after.0);
    Some(a + (b - a) * fraction)
}
