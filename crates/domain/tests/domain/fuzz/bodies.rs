//! Bodies of sessions, as JSON and as rows: any text is stored whole or rejected with a bounded
//! list of faults.

use std::sync::Arc;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::TestCaseResult;
use serde_json::json;
use time_series_domain::catalogue::CatalogueCache;
use time_series_domain::ingest::{
    BodyError, JsonSource, OnConflict, Row, RowFormat, SessionDraft, SessionSource,
};
use time_series_domain::memory::MemoryStore;
use time_series_domain::metric_type::MetricTypeDefinition;
use time_series_domain::ports::{MetricTypeStore, RunHere};
use time_series_domain::session::{IngestError, IngestSession, WriteStage};
use time_series_domain::{FixedClock, SeriesName, TimeRules, Timestamp};

use crate::fuzz::harness::fuzz;

/// Fragments of bodies; most of them are valid somewhere in a body.
const TOKENS: [&str; 42] = [
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    " ",
    "\n",
    "\"",
    "\\",
    "\\u0000",
    "\\ud800",
    "0",
    "-0.0",
    "1e400",
    "12",
    "true",
    "null",
    "\"user_id\"",
    "\"session_id\"",
    "\"start_ts\"",
    "\"data\"",
    "\"series\"",
    "\"time\"",
    "\"value\"",
    "\"times\"",
    "\"values\"",
    "\"step\"",
    "\"start\"",
    "\"1s\"",
    "\"number\"",
    "\"object\"",
    "\"any\"",
    "\"none\"",
    "\"a\"",
    "\"b\"",
    "\"7d8d2e3a-5d2f-4bd4-9f51-1d8c0a3c9a01\"",
    "\"2025-01-06T22:00:00Z\"",
    "\"9999-12-31T23:59:60+23:59\"",
    "{\"a\":1,\"b\":2}",
    "[[[[",
    "\u{fffd}",
];
/// Maximum length of a reported fault, in bytes: the pointer, the series and the message.
const MAX_FAULT: usize = 1_200;

/// The use case over a store in memory.
struct Ingest(IngestSession);

impl Ingest {
    fn new() -> Self {
        let store = Arc::new(MemoryStore::new());
        let number = json!({"type": "number"});
        let object =
            json!({"type": "object", "properties": {"a": number, "b": {"type": "integer"}}});
        for (series, schema) in [("number", number), ("object", object), ("any", json!({}))] {
            let series = SeriesName::parse(series).expect("a name");
            let definition =
                MetricTypeDefinition::new(series, schema, String::new(), String::new())
                    .expect("a schema");
            futures_executor::block_on(store.create(&definition)).expect("the session is new");
        }
        let now = Timestamp::parse_rfc3339("2025-02-01T00:00:00Z").expect("a time");
        let (catalogue, clock) = (
            Arc::new(CatalogueCache::default()),
            Arc::new(FixedClock(now)),
        );
        Self(IngestSession::new(
            store.clone(),
            store,
            catalogue,
            clock,
            TimeRules::default(),
        ))
    }

    fn check(&self, source: Arc<dyn SessionSource>) -> TestCaseResult {
        let ingested = futures_executor::block_on(self.0.ingest(
            &RunHere,
            source,
            OnConflict::Replace,
            None,
            &WriteStage::default(),
        ));
        match ingested {
            Ok(_) | Err(IngestError::Conflict { .. }) => {}
            Err(IngestError::Body(e)) => prop_assert!(e.to_string().len() <= MAX_FAULT, "{}", e),
            Err(IngestError::Invalid(rejects)) => {
                prop_assert!(rejects.listed().len() <= 100 && !rejects.is_empty());
                prop_assert!(rejects.total() >= rejects.listed().len());
                for reject in rejects.listed() {
                    let series = reject.series.as_ref().map_or(0, String::len);
                    prop_assert!(
                        reject.pointer.len() + series + reject.message.len() <= MAX_FAULT,
                        "{:?}",
                        reject
                    );
                }
            }
            Err(e) => prop_assert!(false, "the fault is not in the body: {}", e),
        }
        Ok(())
    }
}

fn token() -> impl Strategy<Value = String> {
    prop_oneof![
        8 => prop::sample::select(TOKENS.to_vec()).prop_map(str::to_owned),
        1 => any::<char>().prop_map(String::from),
        1 => (0..200_usize, prop::sample::select(vec!["[", "{\"a\":", "9", " "])).prop_map(|(n, s)| s.repeat(n)),
    ]
}

fn tokens(most: usize) -> impl Strategy<Value = String> {
    vec(token(), 0..most).prop_map(|tokens| tokens.concat())
}

/// A session that is valid except for a few values.
fn session() -> impl Strategy<Value = String> {
    let part = |right: &'static str| prop_oneof![6 => Just(right.to_owned()), 1 => tokens(4)];
    let entry = (
        part("\"object\""),
        part("\"2025-01-06T22:00:00Z\""),
        part("{\"a\":1.5,\"b\":2}"),
    )
        .prop_map(|(series, time, value)| {
            format!("{{\"series\":{series},\"time\":{time},\"value\":{value}}}")
        });
    let columns = (
        part("\"number\""),
        part("{\"start\":\"2025-01-06T22:00:00Z\",\"step\":\"1s\"}"),
        part("[1,2.5,3]"),
    )
        .prop_map(|(series, times, values)| {
            format!("{{\"series\":{series},\"times\":{times},\"values\":{values}}}")
        });
    let entries = vec(prop_oneof![4 => entry, 2 => columns, 1 => tokens(3)], 0..5);
    let id = || part("\"7d8d2e3a-5d2f-4bd4-9f51-1d8c0a3c9a01\"");
    (id(), id(), part("\"2025-01-06T22:00:00Z\""), entries).prop_map(|(user, session, start, entries)| {
        let data = entries.join(",");
        format!("{{\"user_id\":{user},\"session_id\":{session},\"start_ts\":{start},\"data\":[{data}]}}")
    })
}

#[test]
fn every_body_is_stored_or_rejected_with_bounded_faults() {
    let ingest = Ingest::new();
    let bodies = prop_oneof![
        3 => session().prop_map(String::into_bytes),
        2 => tokens(40).prop_map(String::into_bytes),
        // Truncated anywhere, possibly within a character.
        1 => (session(), any::<prop::sample::Index>()).prop_map(|(body, at)| body.as_bytes()[..at.index(body.len())].to_vec()),
        1 => vec(any::<u8>(), 0..200),
    ];
    fuzz("bodies", bodies, |body| {
        ingest.check(Arc::new(JsonSource::new(Arc::new(body))))
    });
}

/// Rows that are parsed already.
struct Rows(RowFormat, Vec<Row>);

impl SessionSource for Rows {
    fn read(&self) -> Result<SessionDraft<'_>, BodyError> {
        Ok(SessionDraft::from_rows(&self.0, &self.1))
    }
}

#[test]
fn rows_are_stored_or_rejected_with_bounded_faults() {
    let ingest = Ingest::new();
    let cell = |right: &'static str| prop_oneof![5 => Just(right.to_owned()), 1 => Just(String::new()), 1 => tokens(3), 1 => any::<String>()];
    let leaf = prop_oneof![4 => Just("a".to_owned()), 2 => Just("b".to_owned()), 1 => Just("a.b".to_owned()), 1 => tokens(2)];
    let id = || cell("7d8d2e3a-5d2f-4bd4-9f51-1d8c0a3c9a01");
    let row = (
        id(),
        id(),
        cell("2025-01-06T22:00:00Z"),
        cell("object"),
        vec(cell("1.5"), 0..4),
    );
    fuzz(
        "rows",
        (vec(leaf, 0..3), vec(row, 0..6)),
        |(leaves, rows)| {
            let names = ["user_id", "session_id", "time", "series"]
                .into_iter()
                .chain(leaves.iter().map(String::as_str));
            let Ok(format) = RowFormat::new(names) else {
                return Ok(());
            };
            let rows = (2..)
                .zip(&rows)
                .map(|(line, (user, session, time, series, cells))| {
                    Row::new(
                        line,
                        [user, session, time, series]
                            .into_iter()
                            .chain(cells)
                            .map(String::as_str),
                    )
                });
            ingest.check(Arc::new(Rows(format, rows.collect())))
        },
    );
}
