//! Column layout of an aggregate answer: arrays by series, group and leaf, as plotting libraries
//! expect.

use std::collections::BTreeMap;

use time_series_domain::query::{AggregateAnswer, Figure, Group, SeriesAnswer};

use super::flat::{Names, figure_names, group_names, has_leaf};
use super::request::AggregateRequest;
use crate::format::{JsonList, json, json_figure, json_text};

/// Returns the traces of one series: for each leaf and group, the indices of the rows that have the
/// leaf.
fn traces(series: &SeriesAnswer, leaves: usize) -> BTreeMap<(usize, Group), Vec<usize>> {
    let mut traces: BTreeMap<(usize, Group), Vec<usize>> = BTreeMap::new();
    for (index, row) in series.rows.iter().enumerate() {
        for leaf in (0..leaves).filter(|leaf| has_leaf(series.figures(index), leaves, *leaf)) {
            traces.entry((leaf, row.group)).or_default().push(index);
        }
    }
    traces
}

/// Returns the number of traces of an answer.
pub(super) fn count(answer: &AggregateAnswer) -> usize {
    answer
        .series
        .iter()
        .map(|s| traces(s, Names::of(s).leaves.len()).len())
        .sum()
}

/// Appends the traces of one series to a list.
pub(super) fn write(
    out: &mut Vec<u8>,
    list: &mut JsonList,
    request: &AggregateRequest,
    series: &SeriesAnswer,
    label: impl Fn(usize) -> String,
) {
    let names = Names::of(series);
    let leaves = names.leaves.len();
    let groups = group_names(&request.spec);
    for ((leaf, group), indices) in traces(series, leaves) {
        list.next(out);
        out.extend_from_slice(b"{\"series\":");
        json_text(out, series.metric_type.series.as_str());
        out.extend_from_slice(b",\"leaf\":");
        json(out, &names.leaves[leaf].as_deref());
        for (name, id) in groups
            .iter()
            .zip([group.user.map(|u| u.0), group.session.map(|s| s.0)])
        {
            member(out, name);
            json(out, &id);
        }
        member(out, "bucket");
        array(out, &indices, |out, index| json_text(out, &label(index)));
        for (number, (name, _)) in figure_names(&request.spec).iter().enumerate() {
            member(out, name);
            array(out, &indices, |out, index| {
                let figure = series.figures(index).get(number * leaves + leaf);
                json_figure(out, figure.unwrap_or(&Figure::Absent));
            });
        }
        out.push(b'}');
    }
}

fn member(out: &mut Vec<u8>, name: &str) {
    out.push(b',');
    json_text(out, name);
    out.push(b':');
}

fn array(out: &mut Vec<u8>, indices: &[usize], write: impl Fn(&mut Vec<u8>, usize)) {
    out.push(b'[');
    let mut list = JsonList::default();
    for &index in indices {
        list.next(out);
        write(out, index);
    }
    out.push(b']');
}
