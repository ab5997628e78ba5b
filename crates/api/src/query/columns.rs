//! Arrays by series, group and leaf, as plotting libraries take them.

use std::collections::BTreeMap;

use time_series_domain::query::{AggregateAnswer, Figure, Group, SeriesAnswer};

use super::asked::Asked;
use super::flat::{Names, figure_names, group_names, has_leaf};
use crate::format::{JsonList, json, json_figure, json_text};

/// The traces of one series: by leaf and group, the places of the rows that have it.
fn traces(series: &SeriesAnswer, leaves: usize) -> BTreeMap<(usize, Group), Vec<usize>> {
    let mut traces: BTreeMap<(usize, Group), Vec<usize>> = BTreeMap::new();
    for (place, row) in series.rows.iter().enumerate() {
        for leaf in (0..leaves).filter(|leaf| has_leaf(series.figures(place), leaves, *leaf)) {
            traces.entry((leaf, row.group)).or_default().push(place);
        }
    }
    traces
}

/// How many traces an answer has.
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
    asked: &Asked,
    series: &SeriesAnswer,
    label: impl Fn(usize) -> String,
) {
    let names = Names::of(series);
    let leaves = names.leaves.len();
    let groups = group_names(&asked.query);
    for ((leaf, group), places) in traces(series, leaves) {
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
        array(out, &places, |out, place| json_text(out, &label(place)));
        for (number, (name, _)) in figure_names(&asked.query).iter().enumerate() {
            member(out, name);
            array(out, &places, |out, place| {
                let figure = series.figures(place).get(number * leaves + leaf);
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

fn array(out: &mut Vec<u8>, places: &[usize], write: impl Fn(&mut Vec<u8>, usize)) {
    out.push(b'[');
    let mut list = JsonList::default();
    for &place in places {
        list.next(out);
        write(out, place);
    }
    out.push(b']');
}
