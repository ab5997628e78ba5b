//! The service's metrics: names, descriptions and buckets.

use metrics::{Unit, describe_counter, describe_gauge, describe_histogram, gauge};
use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusRecorder};

use crate::state::DatabaseUsage;

/// The upper ends of the buckets of durations, in seconds.
const SECONDS: [f64; 14] = [
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0,
];
/// The upper ends of the buckets of sessions in a transaction.
const SESSIONS: [f64; 9] = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0];

const COUNTERS: [(&str, &str); 17] = [
    (
        "bodies_rejected_total",
        "Bodies rejected since too many bytes of bodies were in memory.",
    ),
    (
        "bodies_too_slow_total",
        "Bodies that came more slowly than MIN_TRANSFER_RATE.",
    ),
    (
        "cache_answers_total",
        "Queries that may be answered from the cache, by result: hit or miss.",
    ),
    (
        "cache_rejected_total",
        "Cache entries with a wrong authentication code.",
    ),
    (
        "connections_rejected_total",
        "Connections closed since there were too many, in all or of one peer.",
    ),
    (
        "connections_too_slow_total",
        "Connections closed since the client did not read its response.",
    ),
    (
        "points_ingested_total",
        "Points of sessions that were stored, replaced or appended to.",
    ),
    (
        "queries_cancelled_total",
        "Queries whose client hung up before the response.",
    ),
    (
        "queries_rejected_total",
        "Queries rejected for lack of a place or of memory.",
    ),
    (
        "read_fallbacks_total",
        "Reads made again by the other source, by the first and the reason: stale or failed.",
    ),
    (
        "reads_total",
        "Reads that were answered, by source: primary or replica.",
    ),
    (
        "sessions_ingested_total",
        "Sessions by outcome: created, unchanged, ignored, replaced, appended.",
    ),
    (
        "db_client_retries_total",
        "Transactions that were run again since they lost a race, by operation.",
    ),
    (
        "streams_displaced_total",
        "Streams cut off since their reader stood still while others waited.",
    ),
    (
        "work_rejected_total",
        "Validations rejected since too much work was waiting.",
    ),
    (
        "writes_rejected_total",
        "Sessions rejected since they would have waited longer than MAX_WRITE_WAIT_MS.",
    ),
    (
        "writes_timed_out_total",
        "Writes that were not confirmed within WRITE_TIMEOUT_MS.",
    ),
];

/// Describes and buckets everything that is measured.
pub fn recorder() -> Result<PrometheusRecorder, BuildError> {
    Ok(PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &SECONDS)?
        .set_buckets_for_metric(Matcher::Full("write_batch_sessions".to_owned()), &SESSIONS)?
        .build_recorder())
}

/// Tells what each metric is; to be called once the recorder is installed.
pub fn describe() {
    for (name, text) in COUNTERS {
        describe_counter!(name, text);
    }
    describe_histogram!(
        "http_server_request_duration_seconds",
        Unit::Seconds,
        "Time of requests by method, route and status."
    );
    describe_histogram!(
        "db_client_operation_duration_seconds",
        Unit::Seconds,
        "Time of operations on the database, retries included."
    );
    describe_histogram!(
        "write_batch_sessions",
        "Sessions that were stored in one transaction."
    );
    describe_gauge!("build_info", "1, with the version of the service.");
    describe_gauge!(
        "database_connections",
        "Connections of a pool by state: open, idle, most, waiting (requests)."
    );
    describe_gauge!(
        "ingest_queue_bytes",
        Unit::Bytes,
        "Sessions that wait to be stored or are being stored."
    );
    describe_gauge!(
        "replica_lag_seconds",
        Unit::Seconds,
        "How far the replica of DATABASE_READ_URL is behind."
    );
    describe_gauge!(
        "query_memory_bytes",
        Unit::Bytes,
        "Memory that queries hold of MAX_ANSWER_BYTES."
    );
    metrics_process::Collector::default().describe();
    gauge!("build_info", "version" => env!("CARGO_PKG_VERSION")).set(1.0);
}

/// Notes what is not counted as it happens.
#[expect(clippy::cast_precision_loss, reason = "figures for people")]
pub(crate) fn observe(usage: &DatabaseUsage, query_memory: usize) {
    for (pool, states) in &usage.pools {
        for (state, count) in *states {
            gauge!("database_connections", "pool" => *pool, "state" => state).set(count as f64);
        }
    }
    if let Some(lag) = usage.replica_lag {
        gauge!("replica_lag_seconds").set(lag);
    }
    metrics_process::Collector::default().collect();
    gauge!("ingest_queue_bytes").set(usage.queued_bytes as f64);
    gauge!("query_memory_bytes").set(query_memory as f64);
}
