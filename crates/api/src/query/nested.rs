//! Nested layout of an aggregate answer: values nest by function, function of groups and leaf.

use time_series_domain::MetricType;
use time_series_domain::query::{AggFunction, AggregateSpec, Figure, SeriesAnswer};

use crate::format::{JsonList, json, json_figure, json_text};

/// The rows of one series.
pub(super) struct Nested<'a> {
    spec: &'a AggregateSpec,
    series: &'a SeriesAnswer,
    shape: Shape,
    functions: Vec<String>,
    over: Vec<String>,
}

impl<'a> Nested<'a> {
    pub(super) fn new(spec: &'a AggregateSpec, series: &'a SeriesAnswer) -> Self {
        let names = |functions: &[AggFunction]| functions.iter().map(ToString::to_string).collect();
        Self {
            shape: Shape::of(&series.metric_type),
            functions: names(&spec.functions),
            over: names(&spec.over),
            spec,
            series,
        }
    }

    /// Appends the row at that index.
    pub(super) fn write(&self, out: &mut Vec<u8>, bucket: &str, index: usize) {
        out.extend_from_slice(b"{\"bucket\":");
        json_text(out, bucket);
        let row = &self.series.rows[index];
        if let Some(user) = row.group.user.filter(|_| self.spec.over.is_empty()) {
            out.extend_from_slice(b",\"user_id\":");
            json(out, &user.0);
        }
        if let Some(session) = row.group.session {
            out.extend_from_slice(b",\"session_id\":");
            json(out, &session.0);
        }
        out.extend_from_slice(b",\"series\":");
        json_text(out, self.series.metric_type.series.as_str());
        out.extend_from_slice(b",\"value\":");
        self.value(out, self.series.figures(index));
        out.push(b'}');
    }

    fn value(&self, out: &mut Vec<u8>, figures: &[Figure]) {
        let leaves = self.series.metric_type.channels.len().max(1);
        let per_function = leaves * self.over.len().max(1);
        by_name(
            out,
            &self.functions,
            figures,
            per_function,
            |out, figures| {
                by_name(out, &self.over, figures, leaves, |out, figures| {
                    self.shape.write(out, figures);
                });
            },
        );
    }
}

/// Writes an object by name if there are several names, otherwise the only value.
fn by_name(
    out: &mut Vec<u8>,
    names: &[String],
    figures: &[Figure],
    each: usize,
    mut write: impl FnMut(&mut Vec<u8>, &[Figure]),
) {
    if names.len() < 2 {
        write(out, figures);
        return;
    }
    out.push(b'{');
    let mut members = JsonList::default();
    for (name, figures) in names.iter().zip(figures.chunks(each)) {
        members.next(out);
        json_text(out, name);
        out.push(b':');
        write(out, figures);
    }
    out.push(b'}');
}

/// The nesting of the leaves of a value.
enum Shape {
    /// The figure of the channel at that index.
    Leaf(usize),
    /// Members by key. A leaf that is also a branch has the empty key.
    Branch(Vec<(String, Shape)>),
}

impl Shape {
    fn of(metric_type: &MetricType) -> Self {
        if metric_type.is_scalar() || metric_type.channels.is_empty() {
            return Self::Leaf(0);
        }
        let mut root = Self::Branch(Vec::new());
        for (index, channel) in metric_type.channels.iter().enumerate() {
            root.insert(channel.pointer.tokens(), index);
        }
        root
    }

    fn insert(&mut self, path: &[String], index: usize) {
        if let Self::Leaf(other) = self {
            *self = Self::Branch(vec![(String::new(), Self::Leaf(*other))]);
        }
        let Self::Branch(members) = self else { return };
        let Some((key, deeper)) = path.split_first() else {
            members.push((String::new(), Self::Leaf(index)));
            return;
        };
        match members.iter_mut().find(|(k, _)| k == key) {
            Some((_, member)) => member.insert(deeper, index),
            None if deeper.is_empty() => members.push((key.clone(), Self::Leaf(index))),
            None => {
                let mut member = Self::Branch(Vec::new());
                member.insert(deeper, index);
                members.push((key.clone(), member));
            }
        }
    }

    /// Returns whether a row has a figure here.
    fn has_value(&self, figures: &[Figure]) -> bool {
        match self {
            Self::Leaf(index) => figures.get(*index).is_some_and(|f| *f != Figure::Absent),
            Self::Branch(members) => members.iter().any(|(_, member)| member.has_value(figures)),
        }
    }

    fn write(&self, out: &mut Vec<u8>, figures: &[Figure]) {
        let members = match self {
            Self::Leaf(index) => {
                return json_figure(out, figures.get(*index).unwrap_or(&Figure::Absent));
            }
            Self::Branch(members) => members,
        };
        out.push(b'{');
        let mut list = JsonList::default();
        for (key, member) in members
            .iter()
            .filter(|(_, member)| member.has_value(figures))
        {
            list.next(out);
            json_text(out, key);
            out.push(b':');
            member.write(out, figures);
        }
        out.push(b'}');
    }
}
