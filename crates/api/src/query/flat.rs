//! Flat layout of an aggregate answer: a table with one row per leaf.

use std::sync::Arc;

use time_series_domain::Timestamp;
use time_series_domain::query::{AggregateAnswer, AggregateSpec, Figure, GroupBy, SeriesAnswer};

use super::request::AggregateRequest;
use crate::format::{Batch, Field, Format, Kind, Table, Values};

/// The table of an answer.
pub(super) struct Flat {
    pub(super) table: Table,
    /// The index of the first column with figures.
    figures: usize,
    /// True if the format has typed columns, so that text needs separate columns.
    is_typed: bool,
}

impl Flat {
    pub(super) fn new(
        request: &AggregateRequest,
        answer: &AggregateAnswer,
        format: Format,
    ) -> Self {
        let spec = &request.spec;
        let mut fields = vec![Field::new("bucket", Kind::Time(Some(spec.axis.clone())))];
        for name in group_names(spec) {
            fields.push(Field::new(*name, Kind::Id));
        }
        fields.push(Field::new("series", Kind::Name));
        fields.push(Field::new("leaf", Kind::Name));
        let figures = fields.len();
        let is_typed = matches!(format, Format::Arrow | Format::Parquet);
        for (name, counts) in figure_names(spec) {
            let kind = match (is_typed, counts) {
                (false, _) => Kind::Figure,
                (true, true) => Kind::Count,
                (true, false) => Kind::Number,
            };
            fields.push(Field::new(name.clone(), kind));
            let is_text = |series: &SeriesAnswer| series.metric_type.channels.is_empty();
            if is_typed && !counts && answer.series.iter().any(is_text) {
                fields.push(Field::new(format!("{name}_text"), Kind::Json));
            }
        }
        Self {
            table: Table { fields },
            figures,
            is_typed,
        }
    }

    /// Appends the leaves of a row, with `bucket` as the start of its bucket.
    pub(super) fn push(
        &self,
        batch: &mut Batch,
        series: &SeriesAnswer,
        names: &Names,
        index: usize,
        bucket: Timestamp,
    ) {
        let row = &series.rows[index];
        let figures = series.figures(index);
        let leaves = names.leaves.len();
        for leaf in (0..leaves).filter(|leaf| has_leaf(figures, leaves, *leaf)) {
            let mut columns = batch.columns.iter_mut();
            let mut ids = [row.group.user.map(|u| u.0), row.group.session.map(|s| s.0)].into_iter();
            let mut texts = [Some(names.series.clone()), names.leaves[leaf].clone()].into_iter();
            for column in columns.by_ref().take(self.figures) {
                match column {
                    Values::Time(v) => v.push(bucket),
                    Values::Id(v) => v.push(ids.next().flatten()),
                    Values::Name(v) => v.push(texts.next().flatten()),
                    _ => {}
                }
            }
            let mut of_leaf = figures.iter().skip(leaf).step_by(leaves);
            let mut figure = &Figure::Absent;
            for column in columns {
                if !matches!(column, Values::Json(_)) {
                    figure = of_leaf.next().unwrap_or(&Figure::Absent);
                }
                self.figure(column, figure);
            }
        }
    }

    fn figure(&self, column: &mut Values, figure: &Figure) {
        debug_assert!(self.is_typed || matches!(column, Values::Figure(_)));
        match (column, figure) {
            (Values::Figure(v), figure) => v.push(figure.clone()),
            (Values::Number(v), figure) => v.push(figure.number()),
            (Values::Count(v), Figure::Count(n)) => v.push(Some(*n)),
            (Values::Count(v), _) => v.push(None),
            (Values::Json(v), Figure::Text(value)) => v.push(Some((**value).clone())),
            (Values::Json(v), _) => v.push(None),
            _ => {}
        }
    }
}

/// The names in the rows of a series.
pub(super) struct Names {
    series: Arc<str>,
    /// The leaves in dotted notation; one `None` for a series without numbers.
    pub(super) leaves: Vec<Option<Arc<str>>>,
}

impl Names {
    pub(super) fn of(series: &SeriesAnswer) -> Self {
        let channels = &series.metric_type.channels;
        let leaves: Vec<Option<Arc<str>>> = channels
            .iter()
            .map(|c| Some(c.pointer.dotted().into()))
            .collect();
        Self {
            series: series.metric_type.series.as_str().into(),
            leaves: if leaves.is_empty() {
                vec![None]
            } else {
                leaves
            },
        }
    }
}

/// Returns whether a row has a figure of a leaf.
pub(super) fn has_leaf(figures: &[Figure], leaves: usize, leaf: usize) -> bool {
    figures
        .iter()
        .skip(leaf)
        .step_by(leaves)
        .any(|figure| *figure != Figure::Absent)
}

/// Returns the names of the columns that identify the group of a row.
pub(super) fn group_names(spec: &AggregateSpec) -> &'static [&'static str] {
    match spec.group_by {
        _ if !spec.over.is_empty() => &[],
        GroupBy::Nothing => &[],
        GroupBy::User => &["user_id"],
        GroupBy::Session => &["user_id", "session_id"],
    }
}

/// Returns the names of the figures of a leaf, and whether each is a count.
pub(super) fn figure_names(spec: &AggregateSpec) -> Vec<(String, bool)> {
    let (functions, over) = (&spec.functions, &spec.over);
    let mut names = Vec::new();
    for function in functions {
        match over.as_slice() {
            [] => names.push((function.to_string(), function.counts())),
            [only] => names.push((function.to_string(), only.counts())),
            several => names.extend(
                several
                    .iter()
                    .map(|o| (format!("{function}_{o}"), o.counts())),
            ),
        }
    }
    if let [(only, _)] = names.as_mut_slice() {
        "value".clone_into(only);
    }
    names
}
