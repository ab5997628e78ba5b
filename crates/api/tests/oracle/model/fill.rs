//! Reference implementation of `fill`: the values of buckets without a point.

use std::collections::{BTreeMap, BTreeSet};

use crate::fixture::metric_type::MetricType;
use crate::model::aggregate::{Fill, Query};
use crate::model::expected::{Bounds, Expected};
use crate::model::functions::is_count;
use crate::model::rows::{Column, GroupKey, Position, Row, RowKey, Rows};

/// The rows of one series and group by bucket.
type GroupRows = BTreeMap<i64, Row>;

/// The values of a column, or of one of its leaves, by bucket.
type ColumnValues<'a> = BTreeMap<i64, &'a Expected>;

/// The kind of a column. Counts are 0 in a gap.
#[derive(Clone, Copy, PartialEq, Eq)]
enum ColumnKind {
    Count,
    Other,
    /// Another function over counts: the contract allows 0 and the value of another column.
    OverCount,
}

#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct SeriesGroup {
    series: String,
    group: GroupKey,
}

/// Fills the gaps of each series and group that has a point in the range or in the lookback.
pub(crate) fn filled(query: &Query<'_>, rows: Rows, lookback: &Rows) -> Rows {
    let Some(buckets) = buckets(query, &rows) else {
        return rows;
    };
    let groups: BTreeSet<SeriesGroup> = rows
        .keys()
        .chain(lookback.keys())
        .map(|key| SeriesGroup {
            series: key.series.clone(),
            group: key.group,
        })
        .collect();
    let kinds = column_kinds(query);
    let mut all = rows;
    for SeriesGroup { series, group } in groups {
        let metric_type = query
            .catalogue
            .iter()
            .find(|m| m.series == series)
            .expect("a series of the catalogue");
        let filler = GroupFiller {
            fill: query.fill,
            kinds: &kinds,
            metric_type,
            known: rows_of_group(&all, &series, group),
            lookback: rows_of_group(lookback, &series, group),
        };
        for bucket in &buckets {
            let key = RowKey {
                series: series.clone(),
                bucket: *bucket,
                group,
            };
            all.insert(key, filler.row(*bucket));
        }
    }
    all
}

/// The buckets of the range, or those between the outermost offsets of an aligned answer.
fn buckets(query: &Query<'_>, rows: &Rows) -> Option<Vec<i64>> {
    if !query.is_aligned() {
        return Some(query.axis.buckets(query.start, query.end));
    }
    let first = rows.keys().map(|key| key.bucket).min()?;
    let last = rows.keys().map(|key| key.bucket).max()?;
    Some(query.axis.buckets(first, last + 1))
}

fn rows_of_group(rows: &Rows, series: &str, group: GroupKey) -> GroupRows {
    rows.iter()
        .filter(|(key, _)| key.series == series && key.group == group)
        .map(|(key, row)| (key.bucket, row.clone()))
        .collect()
}

fn column_kinds(query: &Query<'_>) -> Vec<ColumnKind> {
    let kind = |is_count: bool, otherwise: ColumnKind| {
        if is_count {
            ColumnKind::Count
        } else {
            otherwise
        }
    };
    let kinds_of = |function: &&str| -> Vec<ColumnKind> {
        if query.over.is_empty() {
            return vec![kind(is_count(function), ColumnKind::Other)];
        }
        let otherwise = if is_count(function) {
            ColumnKind::OverCount
        } else {
            ColumnKind::Other
        };
        let over = query.over.iter();
        over.map(|over| kind(is_count(over), otherwise)).collect()
    };
    query.functions.iter().flat_map(kinds_of).collect()
}

impl ColumnKind {
    /// The value of a gap in which a column of kind `Other` has a given value.
    fn in_gap(self, other: Expected) -> Expected {
        let zero = Expected::exactly(0.0);
        match self {
            Self::Count => zero,
            Self::Other => other,
            Self::OverCount => Expected::any_of([zero, other]),
        }
    }
}

struct GroupFiller<'a> {
    fill: Fill,
    kinds: &'a [ColumnKind],
    metric_type: &'a MetricType,
    known: GroupRows,
    lookback: GroupRows,
}

impl GroupFiller<'_> {
    /// The row of a bucket with all its gaps filled.
    fn row(&self, bucket: i64) -> Row {
        if self.metric_type.is_numeric() {
            self.numeric_row(bucket)
        } else {
            self.text_row(bucket)
        }
    }

    fn numeric_row(&self, bucket: i64) -> Row {
        let mut row = self.known.get(&bucket).cloned().unwrap_or_else(|| Row {
            columns: vec![Column::no_leaves(); self.kinds.len()],
            first: Position::at(bucket),
        });
        for (index, column) in row.columns.iter_mut().enumerate() {
            for leaf in &self.metric_type.leaves {
                let path = self.metric_type.aggregate_path(leaf);
                if column.leaves().contains_key(&path) {
                    continue;
                }
                let value = self.gap_value(bucket, index, |column| column.leaves().get(&path));
                if let Some(expected) = value {
                    column.leaves_mut().insert(path, expected);
                }
            }
        }
        row
    }

    fn text_row(&self, bucket: i64) -> Row {
        if let Some(row) = self.known.get(&bucket) {
            return row.clone();
        }
        let column = |index: usize| {
            let value = self.gap_value(bucket, index, |column| Some(column.text()));
            Column::Text(value.expect("a group has a row"))
        };
        Row {
            columns: (0..self.kinds.len()).map(column).collect(),
            first: Position::at(bucket),
        }
    }

    /// The value of a column in a bucket without it; `None` if no bucket has a value. `value_of`
    /// returns the value of a column of another bucket.
    fn gap_value(
        &self,
        bucket: i64,
        index: usize,
        value_of: impl Fn(&Column) -> Option<&Expected>,
    ) -> Option<Expected> {
        let known = column_values(&self.known, index, &value_of);
        let lookback = column_values(&self.lookback, index, &value_of);
        let earlier = known
            .range(..bucket)
            .next_back()
            .or_else(|| lookback.last_key_value());
        let later = known.range(bucket..).next();
        earlier.or(later)?;
        let value = match (self.fill, earlier, later) {
            (Fill::Zero, ..) if self.metric_type.is_numeric() => Expected::exactly(0.0),
            (Fill::Previous, Some((_, expected)), _) => (*expected).clone(),
            (Fill::Linear, Some(earlier), Some(later)) => interpolated(bucket, earlier, later),
            _ => Expected::Null,
        };
        Some(self.kinds[index].in_gap(value))
    }
}

fn column_values<'a>(
    rows: &'a GroupRows,
    index: usize,
    value_of: impl Fn(&'a Column) -> Option<&'a Expected>,
) -> ColumnValues<'a> {
    rows.iter()
        .filter_map(|(bucket, row)| Some((*bucket, value_of(&row.columns[index])?)))
        .collect()
}

/// Interpolates between two buckets with numbers. Counts of a series without numbers are numbers as
/// well.
fn interpolated(bucket: i64, earlier: (&i64, &&Expected), later: (&i64, &&Expected)) -> Expected {
    let (Some(from), Some(to)) = (earlier.1.bounds(), later.1.bounds()) else {
        return Expected::Null;
    };
    let share = (bucket - earlier.0) as f64 / (later.0 - earlier.0) as f64;
    let between = |from: f64, to: f64| from * (1.0 - share) + to * share;
    let magnitude = from.lower.abs().max(from.upper.abs()) + to.lower.abs().max(to.upper.abs());
    let error = 8.0 * f64::EPSILON * magnitude + f64::MIN_POSITIVE;
    Expected::Number(Bounds {
        lower: between(from.lower, to.lower) - error,
        upper: between(from.upper, to.upper) + error,
    })
}
