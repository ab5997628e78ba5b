//! Request ids and metrics.

use std::collections::{HashMap, HashSet};

use reqwest::Method;
use serde_json::json;
use time_series_testkit::{Backend, TestApp};
use uuid::Uuid;

use crate::common::{SCORE, point};

#[tokio::test]
async fn plain_request_ids_are_kept() {
    let app = TestApp::start(Backend::Plain).await;
    let id_for = async |given: &str| {
        let response = app
            .request(Method::GET, "/nothing/", None, &[("x-request-id", given)])
            .await;
        response.headers["x-request-id"]
            .to_str()
            .expect("text")
            .to_owned()
    };
    for given in [
        "mine-1",
        "4bf92f3577b34da6a3ce929d0e0e4736",
        &"a".repeat(128),
    ] {
        assert_eq!(id_for(given).await, given);
    }
    for given in ["", "two words", &"a".repeat(129), "\u{e9}"] {
        let id = id_for(given).await;
        assert!(Uuid::parse_str(&id).is_ok(), "{given:?}: {id}");
    }
}

/// The Prometheus text format: each family has one HELP and one TYPE before its samples.
/// No family is a summary, because summaries of several processes cannot be added.
#[tokio::test]
async fn every_metric_is_described_and_additive() {
    let app = TestApp::seeded(Backend::Plain).await;
    let user = Uuid::new_v4();
    let point = point(SCORE, "2025-01-01T00:00:00Z", &json!({"value": 1}));
    let _ = app
        .post("/api/sessions/", &json!({"user_id": user, "data": [point]}))
        .await
        .expect(201);
    let _ = app
        .timeseries(user, "start_time=2025-01-01&end_time=2025-01-02")
        .await
        .expect(200);
    let metrics = app.get("/metrics").await.expect(200).text;
    let (mut types, mut helps) = (HashMap::new(), HashSet::new());
    for line in metrics.lines().filter(|line| !line.is_empty()) {
        if let Some(rest) = line.strip_prefix("# TYPE ") {
            let (name, kind) = rest.split_once(' ').expect("a name and a type");
            assert!(types.insert(name, kind).is_none(), "{name} has one type");
            assert!(["counter", "gauge", "histogram"].contains(&kind), "{line}");
        } else if let Some(rest) = line.strip_prefix("# HELP ") {
            let (name, text) = rest.split_once(' ').expect("a name and a text");
            assert!(helps.insert(name) && text.ends_with('.'), "{line}");
        } else {
            let name = line.split(['{', ' ']).next().expect("a name");
            let base = ["_bucket", "_sum", "_count"]
                .iter()
                .find_map(|end| name.strip_suffix(end));
            let family = base
                .filter(|base| types.get(base) == Some(&"histogram"))
                .unwrap_or(name);
            assert!(types.contains_key(family), "{line} has no type");
            assert!(helps.contains(family), "{line} is not described");
            let is_counter = types[family] == "counter";
            assert_eq!(is_counter, family.ends_with("_total"), "{line}");
            let labels = line
                .split_once('{')
                .map_or("", |(_, rest)| rest.split('}').next().unwrap_or_default());
            assert!(!labels.contains(' '), "no sentences as labels: {line}");
        }
    }
    let names = [
        "http_server_request_duration_seconds",
        "db_client_operation_duration_seconds",
        "database_connections",
        "points_ingested_total",
        "build_info",
        "process_resident_memory_bytes",
        "process_open_fds",
    ];
    for name in names {
        assert!(types.contains_key(name), "{name} is missing: {metrics}");
    }
}
