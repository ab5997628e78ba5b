//! Metrics of the service: names, descriptions and histogram buckets.

use metrics::{Unit, describe_counter, describe_gauge, describe_histogram, gauge};
use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusRecorder};

use crate::state::DatabaseUsage;

/// Upper bounds of the buckets of durations, in seconds.
const DURATION_BUCKETS: [f64; 14] = [
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0,
];
/// Upper bounds of the buckets of sessions per write batch.
const BATCH_BUCKETS: [f64; 9] = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0];

/// Counters with their descriptions.
const COUNTERS: [(&str, &str); 17] = [
    (
        "bodies_rejected_total",
        "Request bodies rejected because of MAX_BYTES_IN_FLIGHT.",
    ),
    (
        "bodies_too_slow_total",
        "Request bodies received more slowly than MIN_TRANSFER_RATE.",
    ),
    (
        "cache_answers_total",
        "Lookups of cacheable query results, by result: hit or miss.",
    ),
    (
        "cache_rejected_total",
        "Cache entries rejected because of an invalid authentication code.",
    ),
    (
        "connections_rejected_total",
        "Connections closed because of MAX_CONNECTIONS or MAX_CONNECTIONS_PER_PEER.",
    ),
    (
        "connections_too_slow_total",
        "Connections closed because the client did not read its response.",
    ),
    (
        "points_ingested_total",
        "Points received in sessions that were created, replaced or appended to.",
    ),
    (
        "queries_cancelled_total",
        "Queries cancelled because the client disconnected.",
    ),
    (
        "queries_rejected_total",
        "Queries rejected because of QUERY_CONCURRENCY or MAX_ANSWER_BYTES.",
    ),
    (
        "read_fallbacks_total",
        "Reads repeated on the other source, by first source and reason: stale or failed.",
    ),
    (
        "reads_total",
        "Successful reads, by source: primary or replica.",
    ),
    (
        "sessions_ingested_total",
        "Sessions by outcome: created, unchanged, ignored, replaced or appended.",
    ),
    (
        "db_client_retries_total",
        "Transactions retried after a serialization conflict, by operation.",
    ),
    (
        "streams_displaced_total",
        "Response streams cut off because the client stopped reading while queries were waiting.",
    ),
    (
        "work_rejected_total",
        "Validations rejected because too many were waiting.",
    ),
    (
        "writes_rejected_total",
        "Sessions rejected because the expected wait exceeded MAX_WRITE_WAIT_MS.",
    ),
    (
        "writes_timed_out_total",
        "Writes not confirmed within WRITE_TIMEOUT_MS.",
    ),
];

/// Creates the recorder with the buckets of the histograms.
///
/// # Errors
/// A histogram has no buckets.
pub fn recorder() -> Result<PrometheusRecorder, BuildError> {
    Ok(PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &DURATION_BUCKETS)?
        .set_buckets_for_metric(
            Matcher::Full("write_batch_sessions".to_owned()),
            &BATCH_BUCKETS,
        )?
        .build_recorder())
}

/// Registers the descriptions of all metrics with the installed recorder.
pub fn describe() {
    for (name, text) in COUNTERS {
        describe_counter!(name, text);
    }
    describe_histogram!(
        "http_server_request_duration_seconds",
        Unit::Seconds,
        "Duration of HTTP requests, by method, route and status."
    );
    describe_histogram!(
        "db_client_operation_duration_seconds",
        Unit::Seconds,
        "Duration of database operations, including retries."
    );
    describe_histogram!("write_batch_sessions", "Sessions written per transaction.");
    describe_gauge!(
        "build_info",
        "Constant 1, with the version of the service as a label."
    );
    describe_gauge!(
        "database_connections",
        "Connections of a pool, by state: open, idle, most (the maximum) or waiting (requests)."
    );
    describe_gauge!(
        "ingest_queue_bytes",
        Unit::Bytes,
        "Size of the sessions that are waiting to be written or being written."
    );
    describe_gauge!(
        "replica_lag_seconds",
        Unit::Seconds,
        "Replication lag of the replica of DATABASE_READ_URL."
    );
    describe_gauge!(
        "query_memory_bytes",
        Unit::Bytes,
        "Memory reserved by queries, out of MAX_ANSWER_BYTES."
    );
    metrics_process::Collector::default().describe();
    gauge!("build_info", "version" => env!("CARGO_PKG_VERSION")).set(1.0);
}

/// Updates the gauges whose values are only read on request.
#[expect(clippy::cast_precision_loss, reason = "gauges are approximate")]
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
