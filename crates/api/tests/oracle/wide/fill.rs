//! Buckets without a point, and what they say.

use std::collections::{BTreeMap, BTreeSet};

use crate::metrics::Metric;
use crate::wide::functions::counts;
use crate::wide::model::{Cell, Fill, Group, Path, Question, Row, Rows};
use crate::wide::want::{Span, Want};

/// The expected values of one leaf and cell of a series and group, by bucket.
type Column<'a> = BTreeMap<i64, &'a Want>;

/// Whether a cell says how many.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Counts {
    Yes,
    No,
    /// What is put together by another function is a count.
    Inside,
}

/// All rows of each series and group that has a point in the range or before it.
pub(crate) fn filled(asked: &Question<'_>, rows: Rows, before: &Rows) -> Rows {
    let Some(buckets) = buckets(asked, &rows) else {
        return rows;
    };
    let of = |rows: &Rows| {
        rows.keys()
            .map(|(series, _, group)| (series.clone(), *group))
            .collect::<BTreeSet<_>>()
    };
    let everyone: BTreeSet<(String, Group)> = of(&rows).union(&of(before)).cloned().collect();
    let mut all = rows;
    let kinds: Vec<Counts> = kinds(asked).collect();
    for (series, group) in everyone {
        let metric = asked
            .catalogue
            .iter()
            .find(|m| m.series == series)
            .expect("a series of ours");
        let (known, before) = (
            of_group(&all, &series, group),
            of_group(before, &series, group),
        );
        for bucket in &buckets {
            let mut row = known
                .get(bucket)
                .cloned()
                .unwrap_or_else(|| gap(asked, metric, *bucket, &kinds, &known, &before));
            for (place, cell) in row.cells.iter_mut().enumerate() {
                let Cell::Leaves(found) = cell else { continue };
                for path in paths(metric)
                    .into_iter()
                    .filter(|path| !known_in(&known, *bucket, place, path))
                {
                    let (inside, outside) =
                        (column(&known, place, &path), column(&before, place, &path));
                    if let Some(want) =
                        filled_in(asked.fill, *bucket, kinds[place], &inside, &outside)
                    {
                        found.insert(path, want);
                    }
                }
            }
            all.insert((series.clone(), *bucket, group), row);
        }
    }
    all
}

/// A row without a point: texts are filled in, leaves not yet.
fn gap(
    asked: &Question<'_>,
    metric: &Metric,
    bucket: i64,
    kinds: &[Counts],
    known: &BTreeMap<i64, Row>,
    before: &BTreeMap<i64, Row>,
) -> Row {
    let earlier = known
        .range(..bucket)
        .next_back()
        .or_else(|| before.last_key_value())
        .map(|(_, row)| row);
    let cell = |(place, kind): (usize, &Counts)| match (asked.fill, earlier) {
        _ if !metric.leaves.is_empty() => Cell::Leaves(BTreeMap::new()),
        (Fill::Previous, Some(row)) => Cell::Text(kind.or(text(&row.cells[place]))),
        _ => Cell::Text(kind.or(Want::Null)),
    };
    Row {
        cells: kinds.iter().enumerate().map(cell).collect(),
        begins: [bucket; 2],
    }
}

fn column<'a>(rows: &'a BTreeMap<i64, Row>, place: usize, path: &Path) -> Column<'a> {
    rows.iter()
        .filter_map(|(at, row)| Some((*at, leaves(&row.cells[place]).get(path)?)))
        .collect()
}

fn known_in(rows: &BTreeMap<i64, Row>, bucket: i64, place: usize, path: &Path) -> bool {
    rows.get(&bucket)
        .is_some_and(|row| leaves(&row.cells[place]).contains_key(path))
}

/// Returns the expected value of a leaf in a bucket without it; `None` if no bucket has the leaf.
fn filled_in(
    fill: Fill,
    at: i64,
    kind: Counts,
    known: &Column<'_>,
    before: &Column<'_>,
) -> Option<Want> {
    let earlier = known
        .range(..at)
        .next_back()
        .or_else(|| before.last_key_value());
    let later = known.range(at..).next();
    earlier.or(later)?;
    Some(kind.or(match (fill, earlier, later) {
        (Fill::Zero, ..) => Want::exactly(0.0),
        (Fill::Previous, Some((_, want)), _) => (*want).clone(),
        (Fill::Linear, Some(earlier), Some(later)) => between(at, earlier, later),
        _ => Want::Null,
    }))
}

fn between(at: i64, earlier: (&i64, &&Want), later: (&i64, &&Want)) -> Want {
    let (Some(from), Some(to)) = (earlier.1.span(), later.1.span()) else {
        return Want::Null;
    };
    let share = (at - earlier.0) as f64 / (later.0 - earlier.0) as f64;
    let at = |from: f64, to: f64| from * (1.0 - share) + to * share;
    let size = from.least.abs().max(from.most.abs()) + to.least.abs().max(to.most.abs());
    let lost = 8.0 * f64::EPSILON * size + f64::MIN_POSITIVE;
    Want::Number(Span {
        least: at(from.least, to.least) - lost,
        most: at(from.most, to.most) + lost,
    })
}

/// The buckets that there are to be: of the range, or between the outermost offsets of the answer.
fn buckets(asked: &Question<'_>, rows: &Rows) -> Option<Vec<i64>> {
    if !asked.is_aligned() {
        return Some(asked.axis.buckets(asked.start, asked.end));
    }
    let offsets = || rows.keys().map(|(_, bucket, _)| *bucket);
    Some(asked.axis.buckets(offsets().min()?, offsets().max()? + 1))
}

fn of_group(rows: &Rows, series: &str, group: Group) -> BTreeMap<i64, Row> {
    let own = rows
        .iter()
        .filter(|((s, _, g), _)| s == series && *g == group);
    own.map(|((_, bucket, _), row)| (*bucket, row.clone()))
        .collect()
}

fn paths(metric: &Metric) -> Vec<Path> {
    if metric.is_scalar() {
        vec![Path::new()]
    } else {
        metric.leaves.clone()
    }
}

/// What each cell of a row counts.
fn kinds(asked: &Question<'_>) -> impl Iterator<Item = Counts> {
    asked
        .functions
        .iter()
        .flat_map(|function| match (counts(function), asked.over.as_slice()) {
            (true, []) => vec![Counts::Yes],
            (false, []) => vec![Counts::No],
            (inside, over) => {
                let other = if inside { Counts::Inside } else { Counts::No };
                over.iter()
                    .map(|over| if counts(over) { Counts::Yes } else { other })
                    .collect()
            }
        })
}

impl Counts {
    /// What a gap says, where another function would say this.
    fn or(self, other: Want) -> Want {
        let zero = Want::exactly(0.0);
        match self {
            Self::Yes => zero,
            Self::No => other,
            Self::Inside => Want::one_of([zero, other]),
        }
    }
}

fn leaves(cell: &Cell) -> &BTreeMap<Path, Want> {
    match cell {
        Cell::Leaves(leaves) => leaves,
        Cell::Text(_) => unreachable!("rows of a series are alike"),
    }
}

fn text(cell: &Cell) -> Want {
    match cell {
        Cell::Text(want) => want.clone(),
        Cell::Leaves(_) => unreachable!("rows of a series are alike"),
    }
}
