//! The last point of each series, and what there is of each.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use uuid::Uuid;

use crate::ask::{SERIES, selects};
use crate::play::{Outcome, World};
use crate::points::ask::{PointCase, Wanted};
use crate::points::listing::{are, get, micros};
use crate::wide::ask::{Parameters, add_series};

#[derive(Deserialize)]
struct Catalogue {
    metadata: serde_json::Value,
    results: Vec<Listed>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Listed {
    series: String,
    unit: String,
    first_time: String,
    last_time: String,
    points: usize,
    sessions: usize,
}

/// Asks after each act.
pub(crate) async fn is_what_there_is(world: &World, case: &PointCase) -> Outcome {
    let mut state = crate::play::State {
        user: Uuid::new_v4(),
        ..crate::play::State::default()
    };
    for (turn, (slot, act)) in case.acts.iter().enumerate() {
        world.act(&mut state, *slot, &case.era, act).await?;
        let words = SERIES[turn * 7 % SERIES.len()];
        for words in ["", words] {
            let mut parameters = Parameters(Vec::new());
            parameters.add("user_id", state.user.to_string());
            add_series(&mut parameters, words);
            let stored = stored(world, &state, words);
            let checked = async {
                latest(world, &parameters, &stored).await?;
                catalogue(world, &parameters, &stored).await
            };
            checked
                .await
                .map_err(|e| format!("{e}\nof {words:?}\nafter\n{}", state.told()))?;
        }
    }
    Ok(())
}

/// The points of each series, in order of time, session and arrival.
fn stored<'a>(
    world: &'a World,
    state: &'a crate::play::State,
    words: &str,
) -> BTreeMap<&'a str, Vec<Wanted<'a>>> {
    let mut all: BTreeMap<&str, Vec<Wanted<'_>>> = BTreeMap::new();
    for session in state.slots.values() {
        for (arrival, point) in session.points.iter().enumerate() {
            let series = world.catalogue[point.metric].series.as_str();
            if selects(words, series).is_some() {
                let wanted = Wanted {
                    time: point.time,
                    series,
                    session: session.id,
                    arrival,
                    value: &point.value,
                };
                all.entry(series).or_default().push(wanted);
            }
        }
    }
    for points in all.values_mut() {
        points.sort_by_key(|p| (p.time, p.session, p.arrival));
    }
    all
}

async fn latest(
    world: &World,
    parameters: &Parameters,
    stored: &BTreeMap<&str, Vec<Wanted<'_>>>,
) -> Outcome {
    let body = get(world, &parameters.path("/api/latest/")).await?;
    let last: Vec<Wanted<'_>> = stored
        .values()
        .filter_map(|points| points.last().cloned())
        .collect();
    are(&body.results, &last).map_err(|e| format!("latest: {e}"))?;
    told(&body.metadata, last.len())
}

async fn catalogue(
    world: &World,
    parameters: &Parameters,
    stored: &BTreeMap<&str, Vec<Wanted<'_>>>,
) -> Outcome {
    let path = parameters.path("/api/catalog/");
    let answer = world.app.get(&path).await;
    let body: Catalogue =
        serde_json::from_str(&answer.text).map_err(|e| format!("{path}: {e}: {}", answer.text))?;
    let got: Vec<&str> = body
        .results
        .iter()
        .map(|listed| listed.series.as_str())
        .collect();
    if !got.iter().eq(stored.keys()) {
        return Err(format!(
            "{path}: {:?} expected, {got:?} answered",
            stored.keys()
        ));
    }
    for (listed, points) in body.results.iter().zip(stored.values()) {
        let sessions: BTreeSet<Uuid> = points.iter().map(|p| p.session).collect();
        let times = (
            points.first().map(|p| p.time),
            points.last().map(|p| p.time),
        );
        let right = (micros(&listed.first_time), micros(&listed.last_time)) == times
            && listed.unit.is_empty()
            && (listed.points, listed.sessions) == (points.len(), sessions.len());
        if !right {
            return Err(format!(
                "{path}: of {} points of {}: {}",
                points.len(),
                listed.series,
                answer.text
            ));
        }
    }
    told(&body.metadata, body.results.len())
}

fn told(metadata: &serde_json::Value, count: usize) -> Outcome {
    let right = metadata["count"] == count
        && metadata["version"].is_u64()
        && metadata["user_id"].is_string();
    if right {
        Ok(())
    } else {
        Err(format!("of {count}: {metadata}"))
    }
}
