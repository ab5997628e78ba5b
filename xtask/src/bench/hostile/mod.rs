//! Latency of a well-behaved user during attacks.

#![expect(clippy::cast_precision_loss, reason = "figures for people")]

mod attacks;
mod client;
mod watch;

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context, ensure};
use serde_json::json;
use uuid::Uuid;

use self::client::{Client, Request};
use self::watch::{Latencies, Seen, watch};
use super::figure::{Figure, Goal, Unit};
use super::ground::Ground;
use super::memory;
use super::spread::Spread;
use crate::progress::{Step, say};

const PART: &str = "hostile";
/// How long each attack lasts.
const LONG: Duration = Duration::from_secs(8);
/// How long the service has to be as it was before.
const AFTERWARDS: Duration = Duration::from_secs(10);
/// The addresses of the well-behaved user and of the probe.
const USER: u8 = 200;
const PROBE: u8 = 201;
const USER_MILLISECONDS: f64 = 250.0;
const PROBE_MILLISECONDS: f64 = 100.0;
const MEBIBYTES: f64 = 400.0;
const LEFT_MEBIBYTES: f64 = 50.0;

/// Attacks in every way, in turn.
pub(super) async fn measure(ground: &mut Ground<'_>) -> anyhow::Result<Vec<Figure>> {
    let address: SocketAddr = ground
        .target
        .url
        .strip_prefix("http://")
        .context("only http:// is spoken here")?
        .parse()?;
    ensure!(
        address.ip().is_loopback() && ground.target.is_ours(),
        "attacks are for a service of our own"
    );
    let user = prepare(address).await?;
    ground.target.restart().await?;
    let pid = ground.pid().context("the service is our own")?;
    let (mut all, mut remarks) = (Seen::default(), Vec::new());
    let quiet = watched(address, LONG).await?;
    remarks.push(told("nothing", &quiet, pid));
    let before = memory::resident(pid);
    memory::forget_peak(pid);
    for attack in attacks::all(user)? {
        let step = Step::start(attack.name);
        let (seen, ()) = tokio::try_join!(watched(address, LONG), attack.run(address, LONG))?;
        let told = told(attack.name, &seen, pid);
        step.done(told.as_str());
        remarks.push(told);
        all.user.merge(seen.user);
        all.probe.merge(seen.probe);
    }
    let peak = memory::peak(pid);
    tokio::time::sleep(AFTERWARDS).await;
    let left = memory::resident(pid)
        .zip(before)
        .map(|(now, before)| now - before);
    let after = watched(address, Duration::from_secs(2)).await?;
    remarks.push(told("nothing any more", &after, pid));
    for remark in &remarks {
        say(remark);
    }

    let wrong = all.user.wrong.len() + all.probe.wrong.len() + after.user.wrong.len();
    ensure!(
        wrong == 0,
        "responses other than 2xx and 503: {:?} {:?}",
        all.user.wrong,
        all.probe.wrong
    );
    let rejected = 100.0 * all.user.rejected as f64 / all.user.milliseconds.len().max(1) as f64;
    let mut figures = vec![
        p99(
            1,
            "a well-behaved user's requests, p99",
            &all.user,
            USER_MILLISECONDS,
        ),
        p99(2, "/health/live, p99", &all.probe, PROBE_MILLISECONDS),
        mebibytes(3, "the service's memory at its peak", peak, MEBIBYTES),
        mebibytes(
            4,
            "more memory than before, 10 s afterwards",
            left,
            LEFT_MEBIBYTES,
        ),
    ];
    figures[0].remarks = remarks;
    figures[0].remarks.push(format!(
        "{rejected:.1} % of the user's requests were answered 503"
    ));
    figures.retain(|figure| ground.bench.wants(figure.number));
    Ok(figures)
}

async fn watched(address: SocketAddr, long: Duration) -> anyhow::Result<Seen> {
    watch(
        Client::new(address, USER),
        Client::new(address, PROBE),
        long,
    )
    .await
}

/// Stores what attackers ask for, and a series that they may use.
async fn prepare(address: SocketAddr) -> anyhow::Result<Uuid> {
    let (client, user) = (Client::new(address, 2), Uuid::new_v4());
    let body =
        json!({"series": attacks::COSTLY_SERIES, "schema": attacks::costly_schema()}).to_string();
    let status = client
        .send(&Request::post("/api/metrictypes/", body))
        .await?;
    ensure!(
        matches!(status, 201 | 422),
        "the metric type was answered {status}"
    );
    for day in 1..=4 {
        let values = vec!["1.5"; 100_000].join(",");
        let body = format!(
            r#"{{"user_id":"{user}","session_id":"{}","data":[{{"series":"session.gut_health_score","times":{{"start":"2025-01-0{day}T00:00:00Z","step":"500ms"}},"values":{{"value":[{values}]}}}}]}}"#,
            Uuid::new_v4()
        );
        let status = client.send(&Request::post("/api/sessions/", body)).await?;
        ensure!(status == 201, "points were answered {status}");
    }
    Ok(user)
}

/// A line about one attack.
fn told(name: &str, seen: &Seen, pid: u32) -> String {
    let of = |latencies: &Latencies| {
        let at = |part| latencies.percentile(part).unwrap_or(f64::NAN);
        format!(
            "p50 {:.1}, p99 {:.1}, longest {:.1} ms",
            at(0.5),
            at(0.99),
            at(1.0)
        )
    };
    let rejected = 100.0 * seen.user.rejected as f64 / seen.user.milliseconds.len().max(1) as f64;
    let memory = memory::resident(pid).unwrap_or(f64::NAN);
    format!(
        "{name}: user {} ({rejected:.0} % 503), probe {}, {memory:.0} MiB",
        of(&seen.user),
        of(&seen.probe)
    )
}

fn p99(number: u8, name: &str, latencies: &Latencies, most: f64) -> Figure {
    let mut figure = Figure::new(
        PART,
        number,
        name,
        Unit::Milliseconds,
        Goal::BoundedSeq(most),
    );
    if let Some(spread) = latencies
        .percentile(0.99)
        .and_then(|p99| Spread::of(vec![p99]))
    {
        figure.measured = Ok(spread);
    }
    figure
}

fn mebibytes(number: u8, name: &str, measured: Option<f64>, most: f64) -> Figure {
    let mut figure = Figure::new(PART, number, name, Unit::Mebibytes, Goal::BoundedSeq(most));
    if let Some(spread) = measured.and_then(|measured| Spread::of(vec![measured])) {
        figure.measured = Ok(spread);
    }
    figure
}
