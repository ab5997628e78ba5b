//! All points in their order, at once and page by page.

use serde::Deserialize;
use serde_json::value::RawValue;
use uuid::Uuid;

use crate::json::Json;
use crate::play::{Outcome, World};
use crate::points::ask::{PointAsk, PointsAsked, Wanted};
use crate::wide::ask::Parameters;

#[derive(Deserialize)]
pub(crate) struct Body {
    pub(crate) metadata: serde_json::Value,
    pub(crate) results: Vec<GotPoint>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct GotPoint {
    session_id: Uuid,
    pub(crate) series: String,
    time: String,
    value: Box<RawValue>,
    pub(crate) weight: Option<u64>,
}

impl GotPoint {
    pub(crate) fn is(&self, wanted: &Wanted<'_>) -> bool {
        self.series == wanted.series
            && self.session_id == wanted.session
            && micros(&self.time) == Some(wanted.time)
            && Json::read(self.value.get()).normal() == wanted.value.normal()
    }

    fn told(&self) -> String {
        format!(
            "{} {} {} {}",
            self.time, self.series, self.session_id, self.value
        )
    }
}

/// Of a time in UTC.
pub(crate) fn micros(time: &str) -> Option<i64> {
    let at: jiff::Timestamp = time.parse().ok()?;
    time.ends_with('Z').then(|| at.as_microsecond())
}

pub(crate) async fn get(world: &World, path: &str) -> Outcome<Body> {
    let answer = world.app.get(path).await;
    if answer.status != 200 {
        return Err(format!("GET {path}: {} {}", answer.status, answer.text));
    }
    serde_json::from_str(&answer.text).map_err(|e| format!("GET {path}: {e}: {}", answer.text))
}

/// Whether these are the points, in their order.
pub(crate) fn are(got: &[GotPoint], wanted: &[Wanted<'_>]) -> Outcome {
    if let Some((got, wanted)) = got.iter().zip(wanted).find(|(got, wanted)| !got.is(wanted)) {
        return Err(format!("{} answered, {wanted:?} expected", got.told()));
    }
    if got.len() == wanted.len() {
        Ok(())
    } else {
        Err(format!("{} points of {}", got.len(), wanted.len()))
    }
}

/// At once and in pages, from the first to the last or the other way round.
pub(crate) async fn is_in_order(world: &World, asked: &PointsAsked<'_>, ask: &PointAsk) -> Outcome {
    let descending = ask.descending == Some(true);
    let mut wanted = asked.points.clone();
    let mut parameters = asked.parameters.clone();
    if descending {
        wanted.reverse();
    }
    if let Some(descending) = ask.descending {
        parameters.add("order", if descending { "desc" } else { "asc" });
    }
    let body = get(
        world,
        &parameters.with("limit", "100000").path(&asked.route),
    )
    .await?;
    are(&body.results, &wanted)?;
    told_of(asked, &body, if descending { "desc" } else { "asc" })?;

    let usual = get(world, &parameters.path(&asked.route)).await?;
    are(&usual.results, &wanted[..wanted.len().min(1_000)])
        .map_err(|e| format!("without a limit: {e}"))?;
    let limit = (wanted.len() / ask.pages).clamp(1, 100_000);
    let paged = pages(world, &asked.route, &parameters, limit, wanted.len()).await?;
    are(&paged, &wanted).map_err(|e| format!("in pages of {limit}: {e}"))
}

fn told_of(asked: &PointsAsked<'_>, body: &Body, order: &str) -> Outcome {
    let metadata = &body.metadata;
    let check = |yes: bool, what: &str| {
        if yes {
            Ok(())
        } else {
            Err(format!("{what}: {metadata}"))
        }
    };
    check(metadata["count"] == body.results.len(), "count")?;
    check(metadata["next_cursor"].is_null(), "next_cursor")?;
    check(metadata["order"] == order, "order")?;
    check(metadata["limit"] == 100_000, "limit")?;
    check(metadata["version"].is_u64(), "version")?;
    let session = asked.session.map(|id| id.to_string());
    check(
        metadata["session_id"].as_str() == session.as_deref(),
        "session_id",
    )?;
    for edge in ["start_time", "end_time"] {
        check(
            metadata[edge].is_null() == asked.parameters.0.iter().all(|(name, _)| *name != edge),
            edge,
        )?;
    }
    let listed: Vec<&str> = metadata["skipped"]
        .as_array()
        .ok_or("skipped is no list")?
        .iter()
        .filter_map(|s| s.as_str())
        .collect();
    check(
        listed
            .iter()
            .all(|series| asked.skipped.contains(series) && asked.present.contains(series)),
        "skipped",
    )
}

/// All pages, each as long as was asked but the last.
async fn pages(
    world: &World,
    route: &str,
    parameters: &Parameters,
    limit: usize,
    of: usize,
) -> Outcome<Vec<GotPoint>> {
    let parameters = parameters.with("limit", &limit.to_string());
    let mut page = get(world, &parameters.path(route)).await?;
    let mut all = Vec::new();
    loop {
        if page.metadata["count"] != page.results.len() || page.metadata["limit"] != limit {
            return Err(format!(
                "a page of {} says {}",
                page.results.len(),
                page.metadata
            ));
        }
        let full = page.results.len() == limit;
        all.append(&mut page.results);
        let Some(cursor) = page.metadata["next_cursor"].as_str() else {
            return Ok(all);
        };
        if !full || all.len() > of {
            return Err(format!(
                "more is said to follow {} of {of} points in pages of {limit}",
                all.len()
            ));
        }
        page = get(world, &parameters.with("cursor", cursor).path(route)).await?;
    }
}
