//! Buckets without a point, and what they say.

use std::collections::{BTreeMap, BTreeSet};

use crate::metrics::Metric;
use crate::wide::functions::counts;
use crate::wide::model::{Cell, Fill, Group, Path, Question, Row, Rows};
use crate::wide::want::{Span, Want};

/// The row before a gap or after it, and where it begins.
type Side<'a> = Option<(i64, &'a Row)>;

/// A gap in the rows of a series.
struct Gap<'a> {
    fill: Fill,
    at: i64,
    before: Side<'a>,
    after: Side<'a>,
    /// All numeric leaves of the series.
    leaves: Vec<Path>,
}

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
    let Some(buckets) = buckets(asked, &rows) else { return rows };
    let of = |rows: &Rows| rows.keys().map(|(series, _, group)| (series.clone(), *group)).collect::<BTreeSet<_>>();
    let everyone: BTreeSet<(String, Group)> = of(&rows).union(&of(before)).cloned().collect();
    let mut all = rows;
    for (series, group) in everyone {
        let metric = asked.catalogue.iter().find(|m| m.series == series).expect("a series of ours");
        let known = of_group(&all, &series, group);
        let last_before = of_group(before, &series, group).pop_last();
        for bucket in buckets.iter().filter(|bucket| !known.contains_key(bucket)) {
            let earlier = known.range(..bucket).next_back().map(|(at, row)| (*at, row));
            let gap = Gap {
                fill: asked.fill,
                at: *bucket,
                before: earlier.or(last_before.as_ref().map(|(at, row)| (*at, row))),
                after: known.range(bucket..).next().map(|(at, row)| (*at, row)),
                leaves: paths(metric),
            };
            let cells = kinds(asked).enumerate().map(|(place, kind)| gap.cell(place, kind)).collect();
            all.insert((series.clone(), *bucket, group), Row { cells, begins: [*bucket; 2] });
        }
    }
    all
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
    let own = rows.iter().filter(|((s, _, g), _)| s == series && *g == group);
    own.map(|((_, bucket, _), row)| (*bucket, row.clone())).collect()
}

fn paths(metric: &Metric) -> Vec<Path> {
    if metric.is_scalar() { vec![Path::new()] } else { metric.leaves.clone() }
}

/// What each cell of a row counts.
fn kinds(asked: &Question<'_>) -> impl Iterator<Item = Counts> {
    asked.functions.iter().flat_map(|function| match (counts(function), asked.over.as_slice()) {
        (true, []) => vec![Counts::Yes],
        (false, []) => vec![Counts::No],
        (inside, over) => {
            let other = if inside { Counts::Inside } else { Counts::No };
            over.iter().map(|over| if counts(over) { Counts::Yes } else { other }).collect()
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

impl Gap<'_> {
    fn cell(&self, place: usize, kind: Counts) -> Cell {
        if self.leaves.is_empty() {
            return Cell::Text(match (self.fill, self.before) {
                (Fill::Previous, Some((_, row))) => kind.or(text(&row.cells[place])),
                _ => kind.or(Want::Null),
            });
        }
        let all = |want: &Want| self.leaves.iter().map(|path| (path.clone(), kind.or(want.clone()))).collect();
        Cell::Leaves(match (self.fill, self.before, self.after) {
            (Fill::Null, ..) => all(&Want::Null),
            (Fill::Zero, ..) => all(&Want::exactly(0.0)),
            (Fill::Previous, Some((_, row)), _) => {
                leaves(&row.cells[place]).iter().map(|(path, want)| (path.clone(), kind.or(want.clone()))).collect()
            }
            (Fill::Linear, Some(before), Some(after)) => self.between(before, after, place, kind),
            (_, before, after) => {
                let known: BTreeSet<&Path> = [before, after]
                    .into_iter()
                    .flatten()
                    .flat_map(|(_, row)| leaves(&row.cells[place]).keys())
                    .collect();
                self.of_known(&known, kind, |_| Want::Null)
            }
        })
    }

    /// Of leaves that neither neighbour has, that they are null need not be said.
    fn of_known(&self, known: &BTreeSet<&Path>, kind: Counts, want: impl Fn(&Path) -> Want) -> BTreeMap<Path, Want> {
        let of = |path: &Path| {
            if known.contains(path) { kind.or(want(path)) } else { Want::one_of([kind.or(Want::Null), Want::Absent]) }
        };
        self.leaves.iter().map(|path| (path.clone(), of(path))).collect()
    }

    fn between(&self, before: (i64, &Row), after: (i64, &Row), place: usize, kind: Counts) -> BTreeMap<Path, Want> {
        let (earlier, later) = (leaves(&before.1.cells[place]), leaves(&after.1.cells[place]));
        let known = earlier.keys().chain(later.keys()).collect();
        let share = (self.at - before.0) as f64 / (after.0 - before.0) as f64;
        self.of_known(&known, kind, |path| {
            let of = |side: &BTreeMap<Path, Want>| side.get(path).and_then(Want::span);
            let (Some(from), Some(to)) = (of(earlier), of(later)) else { return Want::Null };
            let at = |from: f64, to: f64| from * (1.0 - share) + to * share;
            let size = from.least.abs().max(from.most.abs()) + to.least.abs().max(to.most.abs());
            let lost = 8.0 * f64::EPSILON * size + f64::MIN_POSITIVE;
            Want::Number(Span { least: at(from.least, to.least) - lost, most: at(from.most, to.most) + lost })
        })
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
