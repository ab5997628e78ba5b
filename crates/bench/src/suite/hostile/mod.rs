//! Latency of a well-behaved user during attacks.

mod attacks;
mod client;
mod probes;

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context, ensure};
use serde_json::json;
use time_series_devkit::progress::{Step, say};
use uuid::Uuid;

use self::client::{Client, Request};
use self::probes::{Latencies, Measured};
use super::environment::Environment;
use super::figure::{Figure, Goal, Unit};
use super::memory;
use super::statistics::Statistics;

const PART: &str = "hostile";
/// Duration of each attack.
const ATTACK_DURATION: Duration = Duration::from_secs(8);
/// Time for the service to release its memory.
const RECOVERY: Duration = Duration::from_secs(10);
/// The last bytes of the addresses of the well-behaved user and of the probe.
const USER: u8 = 200;
const PROBE: u8 = 201;
/// Goals.
const USER_MILLISECONDS: f64 = 250.0;
const PROBE_MILLISECONDS: f64 = 100.0;
const MEBIBYTES: f64 = 400.0;
const GROWTH_MEBIBYTES: f64 = 50.0;

/// Measures the requested figures during all attacks, one after another.
pub(super) async fn measure(environment: &mut Environment<'_>) -> anyhow::Result<Vec<Figure>> {
    let address: SocketAddr = environment
        .target
        .url
        .strip_prefix("http://")
        .context("the URL must begin with http://")?
        .parse()?;
    ensure!(
        address.ip().is_loopback() && environment.target.is_private(),
        "attacks run only against a private service (without --url)"
    );
    let user = prepare(address).await?;
    environment.target.restart().await?;
    let pid = environment.pid().context("the service has no process")?;
    let mut all = Measured::default();
    let mut remarks = Vec::new();
    let quiet = measure_latencies(address, ATTACK_DURATION).await?;
    remarks.push(summary("no attack", &quiet, pid));
    let before = memory::resident(pid);
    memory::reset_peak(pid);
    for attack in attacks::all(user)? {
        let step = Step::start(attack.name);
        let (measured, ()) = tokio::try_join!(
            measure_latencies(address, ATTACK_DURATION),
            attack.run(address, ATTACK_DURATION)
        )?;
        let summary = summary(attack.name, &measured, pid);
        step.done(summary.as_str());
        remarks.push(summary);
        all.user.merge(measured.user);
        all.probe.merge(measured.probe);
    }
    let peak = memory::peak(pid);
    tokio::time::sleep(RECOVERY).await;
    let growth = memory::resident(pid)
        .zip(before)
        .map(|(now, before)| now - before);
    let after = measure_latencies(address, Duration::from_secs(2)).await?;
    remarks.push(summary("after the attacks", &after, pid));
    for remark in &remarks {
        say(remark);
    }

    let wrong = all.user.wrong.len() + all.probe.wrong.len() + after.user.wrong.len();
    ensure!(
        wrong == 0,
        "statuses other than 2xx and 503: {:?} {:?} {:?}",
        all.user.wrong,
        all.probe.wrong,
        after.user.wrong
    );
    remarks.push(format!(
        "{:.1} % of the user's requests received 503",
        all.user.rejected_percent()
    ));
    let mut figures = vec![
        p99(
            1,
            "a well-behaved user's requests, p99",
            &all.user,
            USER_MILLISECONDS,
        ),
        p99(2, "/health/live, p99", &all.probe, PROBE_MILLISECONDS),
        mebibytes(3, "peak memory of the service", peak, MEBIBYTES),
        mebibytes(
            4,
            "additional memory 10 s after the attacks",
            growth,
            GROWTH_MEBIBYTES,
        ),
    ];
    figures[0].remarks = remarks;
    figures.retain(|figure| environment.bench.wants(figure.number));
    Ok(figures)
}

async fn measure_latencies(address: SocketAddr, duration: Duration) -> anyhow::Result<Measured> {
    probes::measure(
        Client::new(address, USER),
        Client::new(address, PROBE),
        duration,
    )
    .await
}

/// Stores the points that attackers request, and the series that they use.
async fn prepare(address: SocketAddr) -> anyhow::Result<Uuid> {
    let (client, user) = (Client::new(address, 2), Uuid::new_v4());
    let body =
        json!({"series": attacks::COSTLY_SERIES, "schema": attacks::costly_schema()}).to_string();
    let status = client
        .send(&Request::post("/api/metrictypes/", body))
        .await?;
    ensure!(
        matches!(status, 201 | 422),
        "the metric type received {status}"
    );
    for day in 1..=4 {
        let values = vec!["1.5"; 100_000].join(",");
        let session = Uuid::new_v4();
        let body = format!(
            r#"{{"user_id": "{user}", "session_id": "{session}", "data": [{{
                "series": "session.gut_health_score",
                "times": {{"start": "2025-01-0{day}T00:00:00Z", "step": "500ms"}},
                "values": {{"value": [{values}]}}}}]}}"#
        );
        let status = client.send(&Request::post("/api/sessions/", body)).await?;
        ensure!(status == 201, "the points received {status}");
    }
    Ok(user)
}

/// Describes the latencies during an attack in one line.
fn summary(name: &str, measured: &Measured, pid: u32) -> String {
    format!(
        "{name}: user {} ({:.0} % 503), probe {}, {:.0} MiB",
        percentiles(&measured.user),
        measured.user.rejected_percent(),
        percentiles(&measured.probe),
        memory::resident(pid).unwrap_or(f64::NAN)
    )
}

fn percentiles(latencies: &Latencies) -> String {
    let at = |part| latencies.percentile(part).unwrap_or(f64::NAN);
    format!(
        "p50 {:.1}, p99 {:.1}, max {:.1} ms",
        at(0.5),
        at(0.99),
        at(1.0)
    )
}

fn p99(number: u8, name: &str, latencies: &Latencies, max: f64) -> Figure {
    let mut figure = Figure::new(PART, number, name, Unit::Milliseconds, Goal::AtMost(max));
    if let Some(p99) = latencies.percentile(0.99) {
        figure.measured = Ok(Statistics::single(p99));
    }
    figure
}

fn mebibytes(number: u8, name: &str, measured: Option<f64>, max: f64) -> Figure {
    let mut figure = Figure::new(PART, number, name, Unit::Mebibytes, Goal::AtMost(max));
    if let Some(measured) = measured {
        figure.measured = Ok(Statistics::single(measured));
    }
    figure
}
