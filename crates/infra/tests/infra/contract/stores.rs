//! The implementations of the ports, and helpers of the cases.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use time_series_domain::catalogue::CatalogueCache;
use time_series_domain::ingest::{IdempotencyKey, JsonSource, OnConflict};
use time_series_domain::memory::MemoryStore;
use time_series_domain::metric_type::MetricTypeDefinition;
use time_series_domain::ports::{AggregateStore, MetricTypeStore, RunHere, SessionStore};
use time_series_domain::query::{
    AggFunction, Aggregate, AggregateAnswer, AggregateSpec, QueryLimits, QueryMemory,
};
use time_series_domain::session::{IngestError, IngestSession, Ingested, WriteStage};
use time_series_domain::{
    Calendar, FixedClock, Interval, SeriesMode, SeriesName, SeriesSelector, SessionId, TimeRules,
    Timestamp, UserId, Weekday,
};
use time_series_infra::postgres::{
    PgMetricTypeStore, PgSessionStore, Postgres, PostgresConfig, ServerRole,
};
use time_series_testkit::{Backend, TestDatabase};
use uuid::Uuid;

pub(crate) const USER: UserId = UserId(Uuid::from_u128(0xA));
pub(crate) const OTHER: UserId = UserId(Uuid::from_u128(0xB));

/// An implementation of all ports, and the use cases over it.
pub(crate) struct Stores {
    pub(crate) name: &'static str,
    pub(crate) sessions: Arc<dyn SessionStore>,
    pub(crate) metric_types: Arc<dyn MetricTypeStore>,
    aggregates: Arc<dyn AggregateStore>,
    catalogue: Arc<CatalogueCache>,
    database: Option<TestDatabase>,
}

/// Each implementation, empty except for two metric types: `hr` (a number) and `note` (a text).
pub(crate) async fn all_stores() -> Vec<Stores> {
    let memory = Arc::new(MemoryStore::new());
    let mut all = vec![Stores::of(
        "memory",
        memory.clone(),
        memory.clone(),
        memory,
        None,
    )];
    for (name, backend) in [
        ("plain", Backend::Plain),
        ("timescaledb", Backend::Timescaledb),
    ] {
        let database = TestDatabase::new(backend).await;
        let config = PostgresConfig {
            url: database.url.clone(),
            connections: 8,
            wait: Duration::from_secs(10),
            statement_timeout: Duration::from_secs(30),
            max_write_wait: Duration::from_mins(1),
            max_queued_bytes: 64 << 20,
            role: ServerRole::Primary,
        };
        let postgres = Arc::new(Postgres::new(&config).expect("a URL"));
        all.push(Stores::of(
            name,
            Arc::new(PgSessionStore::new(postgres.as_ref().clone())),
            Arc::new(PgMetricTypeStore::new(postgres.as_ref().clone())),
            postgres,
            Some(database),
        ));
    }
    for stores in &all {
        stores.create("hr", json!({"type": "number"})).await;
        stores.create("note", json!({"type": "string"})).await;
    }
    all
}

impl Stores {
    fn of(
        name: &'static str,
        sessions: Arc<dyn SessionStore>,
        metric_types: Arc<dyn MetricTypeStore>,
        aggregates: Arc<dyn AggregateStore>,
        database: Option<TestDatabase>,
    ) -> Self {
        Self {
            name,
            sessions,
            metric_types,
            aggregates,
            catalogue: Arc::default(),
            database,
        }
    }

    pub(crate) async fn create(&self, series: &str, schema: Value) {
        let created = self.metric_types.create(&definition(series, schema)).await;
        created.unwrap_or_else(|e| panic!("{}: {e}", self.name));
    }

    /// Stores a session of `hr` values at seconds after midnight of a day.
    pub(crate) async fn ingest(
        &self,
        user: UserId,
        session: u128,
        day: &str,
        values: &[(u32, f64)],
        on_conflict: OnConflict,
    ) -> Result<Ingested, IngestError> {
        let data: Vec<Value> = values
            .iter()
            .map(|(second, value)| point("hr", day, *second, &json!(value)))
            .collect();
        self.ingest_json(
            user,
            session,
            Some(&format!("{day}T00:00:00Z")),
            &data,
            on_conflict,
        )
        .await
    }

    pub(crate) async fn ingest_json(
        &self,
        user: UserId,
        session: u128,
        start_ts: Option<&str>,
        data: &[Value],
        on_conflict: OnConflict,
    ) -> Result<Ingested, IngestError> {
        let body = json!({
            "user_id": user.0, "session_id": Uuid::from_u128(session), "start_ts": start_ts, "data": data
        });
        let body = body.to_string();
        let source = Arc::new(JsonSource::new(Arc::new(body.into_bytes())));
        self.use_case()
            .ingest(&RunHere, source, on_conflict, None, &WriteStage::default())
            .await
    }

    fn use_case(&self) -> IngestSession {
        IngestSession::new(
            self.sessions.clone(),
            self.metric_types.clone(),
            self.catalogue.clone(),
            Arc::new(FixedClock(at("2025-12-31T00:00:00Z"))),
            TimeRules::default(),
        )
    }

    /// Appends points, with a start if one is given.
    pub(crate) async fn append(
        &self,
        session: u128,
        start_ts: Option<&str>,
        data: &[Value],
        key: Option<&str>,
    ) -> Result<Ingested, IngestError> {
        let body = json!({"start_ts": start_ts, "data": data}).to_string();
        let key = key.map(|key| IdempotencyKey::parse(key).expect("a key"));
        let source = JsonSource::new(Arc::new(body.into_bytes())).at_session_id(id(session));
        self.use_case()
            .append(
                &RunHere,
                id(session),
                Some(USER),
                Arc::new(source),
                key.as_ref(),
                &WriteStage::default(),
            )
            .await
    }

    /// Aggregates a user's series over 2025 in UTC.
    pub(crate) async fn aggregate(
        &self,
        user: UserId,
        series: &str,
        interval: &str,
    ) -> AggregateAnswer {
        self.aggregate_in(user, None, series, interval, "UTC", summary_functions())
            .await
    }

    pub(crate) async fn aggregate_in(
        &self,
        user: UserId,
        session: Option<SessionId>,
        series: &str,
        interval: &str,
        zone: &str,
        functions: Vec<AggFunction>,
    ) -> AggregateAnswer {
        let interval = Interval::parse(interval).expect("an interval");
        let calendar = Calendar::new(interval, zone, Weekday::Monday).expect("a zone");
        let query = AggregateSpec {
            session_id: session,
            selector: SeriesSelector::parse(&[series], SeriesMode::Auto).expect("a selector"),
            functions,
            ..AggregateSpec::new(user, calendar, year())
        };
        self.query(&query).await
    }

    pub(crate) async fn query(&self, query: &AggregateSpec) -> AggregateAnswer {
        let clock = Arc::new(FixedClock(at("2025-12-31T00:00:00Z")));
        let aggregate = Aggregate::new(
            self.aggregates.clone(),
            self.metric_types.clone(),
            self.catalogue.clone(),
            clock,
            TimeRules::default(),
            QueryLimits::default(),
            QueryMemory::new(128 << 20),
        );
        aggregate
            .answer(query)
            .await
            .unwrap_or_else(|e| panic!("{}: {e}", self.name))
    }

    /// Checks the day summaries against the points, if the implementation has any.
    pub(crate) async fn check(&self) {
        if let Some(database) = &self.database {
            database.check_day_summaries().await;
            database.check_blocks().await;
        }
    }
}

/// A point at a second after midnight of a day.
pub(crate) fn point(series: &str, day: &str, second: u32, value: &Value) -> Value {
    let time = at(&format!("{day}T00:00:00Z")).plus_micros(i64::from(second) * 1_000_000);
    json!({"series": series, "time": time.to_string(), "value": value})
}

pub(crate) fn definition(series: &str, schema: Value) -> MetricTypeDefinition {
    let name = SeriesName::parse(series).expect("a name");
    MetricTypeDefinition::new(name, schema, String::new(), String::new()).expect("a definition")
}

pub(crate) fn at(text: &str) -> Timestamp {
    Timestamp::parse_rfc3339(text).expect("a time")
}

pub(crate) fn id(session: u128) -> SessionId {
    SessionId(Uuid::from_u128(session))
}

/// The functions that summaries can serve.
pub(crate) fn summary_functions() -> Vec<AggFunction> {
    let needs_points = |f: &AggFunction| f.needs_values() || *f == AggFunction::TimeAvg;
    AggFunction::NAMED
        .into_iter()
        .filter(|f| !needs_points(f))
        .collect()
}

/// The range that is aggregated.
pub(crate) fn year() -> std::ops::Range<Timestamp> {
    at("2025-01-01T00:00:00Z")..at("2026-01-01T00:00:00Z")
}
