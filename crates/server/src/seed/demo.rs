//! A demo user with recordings up to yesterday. The session of each day is deterministic.

use std::sync::Arc;

use serde_json::json;
use time_series_domain::catalogue::CatalogueCache;
use time_series_domain::ingest::{JsonSource, OnConflict};
use time_series_domain::ports::RunHere;
use time_series_domain::session::{IngestSession, WriteStage};
use time_series_domain::{Clock, TimeRules, UtcDay};
use time_series_infra::local::SystemClock;
use time_series_infra::postgres::{PgMetricTypeStore, PgSessionStore};
use uuid::Uuid;

use super::Seeded;

/// The demo user, which is the user of the original system's stress test.
pub const DEMO_USER: &str = "d38834e0-fe46-4bf9-831d-1d5b125bdc9b";
/// Number of days with a session.
const DAYS: i64 = 42;
const MICROS_PER_MINUTE: i64 = 60_000_000;
/// Number of scores per session.
const SCORES: i64 = 30;

/// Stores six weeks of daily sessions, up to yesterday.
pub(super) async fn seed(
    sessions: Arc<PgSessionStore>,
    metric_types: Arc<PgMetricTypeStore>,
) -> anyhow::Result<Seeded> {
    let clock = Arc::new(SystemClock);
    let today = clock.now().utc_day();
    let catalogue = Arc::new(CatalogueCache::default());
    let ingest = IngestSession::new(
        sessions,
        metric_types,
        catalogue,
        clock,
        TimeRules::default(),
    );
    let mut seeded = Seeded::default();
    for day in today.0 - DAYS..today.0 {
        let source = Arc::new(JsonSource::new(Arc::new(
            session(UtcDay(day))?.into_bytes(),
        )));
        let stored = ingest
            .ingest(
                &RunHere,
                source,
                OnConflict::Ignore,
                None,
                &WriteStage::default(),
            )
            .await?;
        seeded.sessions += 1;
        seeded.points += stored.points;
    }
    Ok(seeded)
}

fn session(day: UtcDay) -> anyhow::Result<String> {
    let mut random = fastrand::Rng::with_seed(day.0.unsigned_abs());
    let user = Uuid::parse_str(DEMO_USER)?;
    let start = day
        .start()
        .plus_micros(22 * 60 * MICROS_PER_MINUTE - random.i64(0..90) * MICROS_PER_MINUTE);
    let mut data = vec![json!({
        "series": "session.urine.night_count",
        "time": start.plus_micros(60 * MICROS_PER_MINUTE).to_string(),
        "value": {"value": random.u8(0..4)}
    })];
    let mut score = 50.0 + random.f64() * 30.0;
    for i in 0..SCORES {
        let time = start.plus_micros(i * 2 * MICROS_PER_MINUTE).to_string();
        score = (score + random.f64() * 6.0 - 3.0).clamp(0.0, 100.0);
        let rounded = (score * 10.0).round() / 10.0;
        data.push(json!({"series": "session.gut_health_score", "time": time, "value": {"value": rounded}}));
        if i % 5 == 0 {
            let color =
                json!({"r": random.u8(200..), "g": random.u8(180..), "b": random.u8(60..180)});
            data.push(json!({"series": "session.urine.color", "time": time, "value": color}));
        }
    }
    let body = json!({
        "user_id": user,
        "session_id": Uuid::new_v5(&user, start.to_string().as_bytes()),
        "start_ts": start.to_string(),
        "data": data
    });
    Ok(body.to_string())
}
