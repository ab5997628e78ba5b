//! An embedded time-series database: the use cases of this crate over the in-memory store.

use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};

use serde_json::{Value, json};
use uuid::Uuid;

use crate::catalogue::{CatalogueCache, MetricTypes};
use crate::ingest::{JsonSource, OnConflict};
use crate::memory::MemoryStore;
use crate::metric_type::{DefinitionError, MetricTypeDefinition, SeriesNameError};
use crate::ports::{ChangeError, RunHere};
use crate::query::{
    Aggregate, AggregateAnswer, AggregateSpec, QueryError, QueryLimits, QueryMemory,
};
use crate::session::{IngestError, IngestSession, Ingested, WriteStage};
use crate::{Clock, MetricType, SeriesName, TimeRules, Timestamp, UserId};

/// Memory that queries may use at a time, in bytes.
const QUERY_MEMORY_BYTES: usize = 1 << 30;

/// A database in the memory of the process, with blocking methods.
///
/// Suits tests, notebooks and small tools. For other stores, or to await the use cases, combine
/// [`IngestSession`] and [`Aggregate`] with implementations of the [ports](crate::ports).
///
/// ```
/// use serde_json::json;
/// use time_series_domain::prelude::*;
///
/// let at = |time: &str| format!("2025-01-06T{time}Z").parse::<Timestamp>();
/// let user: UserId = "7d8d2e3a-5d2f-4bd4-9f51-1d8c0a3c9a01".parse()?;
///
/// let db = Database::new(FixedClock(at("23:00:00")?));
/// db.define("heart_rate", json!({"type": "number"}))?;
/// db.store(user, "heart_rate", [(at("22:00:00")?, 60.0), (at("22:30:00")?, 64.0)])?;
/// let hours = Calendar::utc("hour".parse()?);
/// let means = db.aggregate(&AggregateSpec::new(user, hours, at("20:00:00")?..at("23:00:00")?))?;
/// assert_eq!(means.series[0].figures(0), [Figure::Number(62.0)]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Database {
    metric_types: MetricTypes,
    ingest: IngestSession,
    aggregate: Aggregate,
}

/// The operation was not executed.
#[derive(Debug, thiserror::Error)]
pub enum DatabaseError {
    /// The name of the series is not accepted.
    #[error("series {0}")]
    Name(#[from] SeriesNameError),
    /// The definition of the metric type is not accepted.
    #[error(transparent)]
    Definition(#[from] DefinitionError),
    /// The metric type exists already.
    #[error(transparent)]
    Change(#[from] ChangeError),
    /// The points are not accepted.
    #[error(transparent)]
    Ingest(#[from] IngestError),
    /// The query is not accepted.
    #[error(transparent)]
    Query(#[from] QueryError),
}

impl Database {
    /// Creates an empty database with the default [`TimeRules`] and [`QueryLimits`].
    ///
    /// The time rules reject points that are more than a day ahead of `clock`.
    #[must_use]
    pub fn new(clock: impl Clock + 'static) -> Self {
        let store = Arc::new(MemoryStore::new());
        let catalogue = Arc::new(CatalogueCache::default());
        let clock: Arc<dyn Clock> = Arc::new(clock);
        let rules = TimeRules::default();
        Self {
            metric_types: MetricTypes::new(store.clone(), catalogue.clone()),
            ingest: IngestSession::new(
                store.clone(),
                store.clone(),
                catalogue.clone(),
                clock.clone(),
                rules,
            ),
            aggregate: Aggregate::new(
                store.clone(),
                store,
                catalogue,
                clock,
                rules,
                QueryLimits::default(),
                QueryMemory::new(QUERY_MEMORY_BYTES),
            ),
        }
    }

    /// Creates a metric type. Its values must match the JSON Schema; its numeric leaves become
    /// channels.
    ///
    /// # Errors
    /// [`DatabaseError::Name`], [`DatabaseError::Definition`], or [`DatabaseError::Change`] if the
    /// series exists.
    pub fn define(&self, series: &str, schema: Value) -> Result<MetricType, DatabaseError> {
        let series = SeriesName::parse(series)?;
        let definition = MetricTypeDefinition::new(series, schema, String::new(), String::new())?;
        Ok(block_on(self.metric_types.create(&definition))?)
    }

    /// Stores numbers of one series as one session.
    ///
    /// The id of the session is derived from the points: storing the same points again has no
    /// effect.
    ///
    /// # Errors
    /// [`DatabaseError::Ingest`] if any point is not accepted; nothing is stored then.
    pub fn store(
        &self,
        user: UserId,
        series: &str,
        points: impl IntoIterator<Item = (Timestamp, f64)>,
    ) -> Result<Ingested, DatabaseError> {
        let point = |(time, value): (Timestamp, f64)| json!({"series": series, "time": time.to_string(), "value": value});
        let data: Vec<Value> = points.into_iter().map(point).collect();
        let data = Value::Array(data);
        let session_id = Uuid::new_v5(&user.0, data.to_string().as_bytes());
        let session = json!({
            "user_id": user.to_string(), "session_id": session_id.to_string(), "data": data
        });
        self.store_json(session.to_string())
    }

    /// Stores a session in the JSON format of the HTTP API: an object with `user_id`, `session_id`
    /// and `data`.
    ///
    /// # Errors
    /// [`DatabaseError::Ingest`] if any part is not accepted; nothing is stored then.
    pub fn store_json(&self, body: impl Into<Vec<u8>>) -> Result<Ingested, DatabaseError> {
        let source = Arc::new(JsonSource::new(Arc::new(body.into())));
        let stage = WriteStage::default();
        let ingested = self
            .ingest
            .ingest(&RunHere, source, OnConflict::Error, None, &stage);
        Ok(block_on(ingested)?)
    }

    /// Computes aggregates.
    ///
    /// # Errors
    /// [`DatabaseError::Query`] for an unknown series, or for a query that exceeds a limit.
    pub fn aggregate(&self, query: &AggregateSpec) -> Result<AggregateAnswer, DatabaseError> {
        Ok(block_on(self.aggregate.answer(query))?)
    }
}

/// Unparks the thread that waits for a future.
struct ThreadWaker(Thread);

impl Wake for ThreadWaker {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// Runs a future on the current thread.
fn block_on<F: Future>(future: F) -> F::Output {
    let mut future = Box::pin(future);
    let waker = Waker::from(Arc::new(ThreadWaker(thread::current())));
    let mut context = Context::from_waker(&waker);
    loop {
        match future.as_mut().poll(&mut context) {
            Poll::Ready(output) => return output,
            Poll::Pending => thread::park(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::FixedClock;
    use crate::ingest::Outcome;

    #[test]
    fn storing_the_same_points_again_has_no_effect() {
        let time = Timestamp::EPOCH.plus_days(1);
        let db = Database::new(FixedClock(time));
        db.define("weight", json!({"type": "number"}))
            .expect("a new series");
        let user = UserId(Uuid::from_u128(1));
        let store = |value| db.store(user, "weight", [(time, value)]);
        assert_eq!(store(70.5).expect("stored").outcome, Outcome::Created);
        assert_eq!(store(70.5).expect("stored").outcome, Outcome::Unchanged);
        assert_eq!(store(71.0).expect("stored").outcome, Outcome::Created);
        assert!(matches!(store(f64::NAN), Err(DatabaseError::Ingest(_))));
    }
}
