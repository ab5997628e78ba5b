//! A few real points in place of many.

use std::collections::BTreeMap;

use crate::play::{Outcome, World, expect};
use crate::points::ask::{PointAsk, PointsAsked, Wanted};
use crate::points::listing::{Body, GotPoint};

/// Few enough, real, in order, with the first and the last, and each stands for some of all.
pub(crate) async fn stands_for_all(
    world: &World,
    asked: &PointsAsked<'_>,
    ask: &PointAsk,
) -> Outcome {
    let mut wanted: BTreeMap<&str, Vec<&Wanted<'_>>> = BTreeMap::new();
    for point in &asked.points {
        wanted.entry(point.series).or_default().push(point);
    }
    let longest = wanted.values().map(Vec::len).max().unwrap_or_default();
    let most = (longest * ask.at_most / 100).clamp(3, 100_000);
    let mut parameters = asked.parameters.with("max_points", &most.to_string());
    if let Some(method) = ask.method {
        parameters.add("method", method);
    }
    let answer = world.app.get(&parameters.path(&asked.route)).await;

    let catalogue = &world.catalogue;
    let text = |series: &str| {
        catalogue
            .iter()
            .any(|m| m.series == series && m.leaves.is_empty())
    };
    let named = |series: &str| crate::ask::selects(asked.words, series) == Some(true);
    let text_named = catalogue
        .iter()
        .filter(|m| m.leaves.is_empty() && named(&m.series))
        .collect::<Vec<_>>();
    if text_named
        .iter()
        .any(|m| !asked.skipped.contains(&m.series.as_str()))
    {
        expect(&answer, 422, None)?;
        let is_named = answer
            .faults()
            .iter()
            .any(|fault| fault.ends_with(" no_numbers"));
        return if is_named {
            Ok(())
        } else {
            Err(format!("the faults are {:?}", answer.faults()))
        };
    }
    if !text_named.is_empty() && answer.status == 422 {
        return Ok(()); // named, and without the leaf of a condition: which of both is told first is not said
    }
    expect(&answer, 200, None)?;
    let body: Body =
        serde_json::from_str(&answer.text).map_err(|e| format!("{e}: {}", answer.text))?;
    if body.metadata["count"] != body.results.len() {
        return Err(format!(
            "count is {} of {}",
            body.metadata["count"],
            body.results.len()
        ));
    }
    wanted.retain(|series, _| !text(series));
    let kept = matched(&body.results, &asked.points)?;
    if let Some((_, point)) = kept.iter().find(|(_, point)| text(point.series)) {
        return Err(format!("{} is text", point.series));
    }
    for (series, all) in wanted {
        let kept: Vec<(u64, &Wanted<'_>)> = kept
            .iter()
            .filter(|(_, point)| point.series == series)
            .copied()
            .collect();
        let numbers = &catalogue
            .iter()
            .find(|m| m.series == series)
            .ok_or("a series of ours")?
            .leaves;
        let counts =
            |point: &Wanted<'_>| numbers.iter().any(|path| point.value.leaf(path).is_some());
        good(&kept, &all, most, counts)
            .map_err(|e| format!("{most} of {} points of {series}: {e}", all.len()))?;
    }
    Ok(())
}

/// The points that were answered, which must be some of all in their order, each with its weight.
fn matched<'a>(got: &[GotPoint], all: &'a [Wanted<'a>]) -> Outcome<Vec<(u64, &'a Wanted<'a>)>> {
    let mut left = all.iter();
    let mut kept = Vec::new();
    for point in got {
        let real = left
            .find(|wanted| point.is(wanted))
            .ok_or("a point that there is not, or out of order")?;
        kept.push((point.weight.ok_or("a point without a weight")?, real));
    }
    Ok(kept)
}

fn good(
    kept: &[(u64, &Wanted<'_>)],
    all: &[&Wanted<'_>],
    most: usize,
    counts: impl Fn(&Wanted<'_>) -> bool,
) -> Outcome {
    let check = |yes: bool, what: &str| if yes { Ok(()) } else { Err(what.to_owned()) };
    check(kept.len() <= most, "too many are kept")?;
    check(kept.iter().all(|(weight, _)| *weight > 0), "a weight is 0")?;
    let sum = kept.iter().map(|(weight, _)| *weight).sum::<u64>();
    check(
        sum == all.len() as u64,
        &format!("the weights come to {sum}"),
    )?;
    // Whether the first that counts is kept, or the first of all, is the same but for nulls.
    let ends = |of: [Option<&&Wanted<'_>>; 2], kept: Option<&(u64, &Wanted<'_>)>| {
        of.into_iter()
            .flatten()
            .any(|end| kept.is_some_and(|(_, kept)| same(kept, end)))
    };
    let first = [all.first(), all.iter().find(|p| counts(p))];
    let last = [all.last(), all.iter().rev().find(|p| counts(p))];
    check(ends(first, kept.first()), "the first is not kept")?;
    check(ends(last, kept.last()), "the last is not kept")?;
    let few = all.len() <= most && all.iter().all(|p| counts(p));
    check(
        !few || kept.len() == all.len(),
        "not all are kept, and there are not too many",
    )
}

/// Points that nobody can tell apart are one as good as the other.
fn same(one: &Wanted<'_>, other: &Wanted<'_>) -> bool {
    let told = |point: &Wanted<'_>| (point.time, point.session, point.value.normal());
    told(one) == told(other)
}
