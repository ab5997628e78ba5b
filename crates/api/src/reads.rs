//! Sources of reads: the primary database and its replicas.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use time_series_domain::UserId;
use time_series_domain::ports::{DataVersion, StoreError};
use time_series_domain::query::points::{PointSink, PointSpec, PointView, PointsRead, ReadPoints};
use time_series_domain::query::{CachedAggregate, LimitExceeded, QueryError};

use crate::openapi::Rendered;
use crate::problem::{Code, Problem};
use crate::request::{QueryLimiter, RequestContext};
use crate::state::Readiness;

/// Maximum time to wait for a replica's version before the primary is asked.
const REPLICA_PATIENCE: Duration = Duration::from_millis(250);

/// The use cases that read, over one database.
pub struct Reads {
    /// Aggregate queries.
    pub aggregate: CachedAggregate,
    /// Queries of points.
    pub points: ReadPoints,
    /// `primary` or `replica`, for metrics.
    pub name: &'static str,
}

/// The reads that a replica may answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReplicaReads {
    /// Reads that name a minimum version.
    Versioned,
    /// All.
    All,
}

/// Everything that can be read from.
pub struct ReadSources {
    /// The primary database.
    pub primary: Arc<Reads>,
    /// A replica, and the reads that it answers.
    pub replica: Option<(Arc<Reads>, ReplicaReads)>,
}

/// The sources that answer one request, in order.
#[derive(Clone)]
pub(crate) struct ReadSource {
    first: Arc<Reads>,
    /// The fallback if the first source fails or its answer is too old.
    second: Option<Arc<Reads>>,
    least: Option<u64>,
}

impl ReadSources {
    /// Chooses the sources of a request. Waits until the users' data have reached version `least`
    /// in one of them.
    ///
    /// # Errors
    /// The errors of [`QueryLimiter::wait_for_version`].
    pub(crate) async fn choose(
        &self,
        gate: &QueryLimiter,
        readiness: &dyn Readiness,
        caller: &RequestContext,
        users: &[UserId],
        least: Option<u64>,
    ) -> Result<ReadSource, Problem> {
        let replica = self.replica.as_ref();
        let may_use = |used_for: ReplicaReads| {
            least.is_some() || used_for == ReplicaReads::All || readiness.last().primary.is_err()
        };
        if let Some((reads, used_for)) = replica
            && may_use(*used_for)
            && has_reached(reads, users, least).await
        {
            return Ok(ReadSource {
                first: Arc::clone(reads),
                second: Some(Arc::clone(&self.primary)),
                least,
            });
        }
        gate.wait_for_version(caller, least, || self.primary.aggregate.data_version(users))
            .await?;
        let second = replica.map(|(reads, _)| Arc::clone(reads));
        Ok(ReadSource {
            first: Arc::clone(&self.primary),
            second,
            least,
        })
    }
}

async fn has_reached(reads: &Reads, users: &[UserId], least: Option<u64>) -> bool {
    let Some(least) = least else { return true };
    let data_version =
        tokio::time::timeout(REPLICA_PATIENCE, reads.aggregate.data_version(users)).await;
    matches!(data_version, Ok(Ok(data_version)) if data_version.version >= least)
}

impl ReadSource {
    /// Returns the first source.
    pub(crate) fn first(&self) -> &Reads {
        &self.first
    }

    /// Answers from the first source, or from the second if the first is unavailable or its answer
    /// is too old.
    pub(crate) async fn answer<T, F>(
        &self,
        answer: impl Fn(Arc<Reads>) -> F,
    ) -> Result<Rendered<T>, Problem>
    where
        F: Future<Output = Result<Rendered<T>, Problem>>,
    {
        let answered = count(&self.first, answer(Arc::clone(&self.first)).await);
        let Some(second) = &self.second else {
            return answered;
        };
        let is_late = |rendered: &Rendered<T>| rendered.version() < self.least;
        let reason = match &answered {
            Ok(rendered) if is_late(rendered) => "stale",
            Err(problem) if problem.is_outage() => "failed",
            _ => return answered,
        };
        metrics::counter!("read_fallbacks_total", "from" => self.first.name, "reason" => reason)
            .increment(1);
        match count(second, answer(Arc::clone(second)).await) {
            // The caller receives the first of two failures.
            Err(problem) if problem.is_outage() => answered.and(Err(problem)),
            Ok(rendered) if is_late(&rendered) => answered.and_then(|_| Err(self.not_reached())),
            other => other,
        }
    }

    fn not_reached(&self) -> Problem {
        let least = self.least.unwrap_or_default();
        Problem::new(
            Code::VersionNotReached,
            format!("The data have not reached min_version={least}."),
        )
    }

    /// Passes points to `sink`, from the second source if the first is unavailable or too old
    /// before it has passed any.
    pub(crate) async fn stream(
        &self,
        query: &PointSpec,
        sink: &mut dyn PointSink,
    ) -> Result<PointsRead, QueryError> {
        let Some(second) = &self.second else {
            return self.first.points.read(query, None, sink).await;
        };
        let first = self.attempt(&self.first, query, sink).await;
        let reason = match &first {
            Attempt::Stale => "stale",
            Attempt::Ended {
                read: Err(QueryError::Store(StoreError::Unavailable { .. })),
                has_begun: false,
            } => "failed",
            Attempt::Ended { .. } => return first.into_read(),
        };
        metrics::counter!("read_fallbacks_total", "from" => self.first.name, "reason" => reason)
            .increment(1);
        match (first, self.attempt(second, query, sink).await) {
            // The caller receives the first of two failures.
            (Attempt::Ended { read: Err(e), .. }, Attempt::Stale) => Err(e),
            (_, second) => second.into_read(),
        }
    }

    /// Reads points from one source, unless its version is older than required.
    async fn attempt(&self, reads: &Reads, query: &PointSpec, sink: &mut dyn PointSink) -> Attempt {
        let mut guard = Guard {
            sink,
            least: self.least,
            has_begun: false,
            is_stale: false,
        };
        let read = reads.points.read(query, None, &mut guard).await;
        if guard.is_stale {
            return Attempt::Stale;
        }
        Attempt::Ended {
            has_begun: guard.has_begun,
            read: count(reads, read),
        }
    }
}

/// The end of an attempt to read points.
enum Attempt {
    /// The source had an older version than required; the sink received nothing.
    Stale,
    /// The read ended. The sink has received points if `has_begun`.
    Ended {
        read: Result<PointsRead, QueryError>,
        has_begun: bool,
    },
}

impl Attempt {
    fn into_read(self) -> Result<PointsRead, QueryError> {
        match self {
            Self::Ended { read, .. } => read,
            Self::Stale => Err(QueryError::Store(StoreError::Unavailable {
                doing: "reading points of the requested version",
                source: "both sources are older".into(),
            })),
        }
    }
}

fn count<T, E>(reads: &Reads, answered: Result<T, E>) -> Result<T, E> {
    if answered.is_ok() {
        metrics::counter!("reads_total", "source" => reads.name).increment(1);
    }
    answered
}

/// Passes points on unless their version is older than required.
struct Guard<'a> {
    sink: &'a mut dyn PointSink,
    least: Option<u64>,
    has_begun: bool,
    is_stale: bool,
}

#[async_trait]
impl PointSink for Guard<'_> {
    async fn begin(&mut self, data_version: DataVersion) {
        if Some(data_version.version) < self.least {
            self.is_stale = true;
        } else {
            self.has_begun = true;
            self.sink.begin(data_version).await;
        }
    }

    fn point(&mut self, point: &PointView<'_>) -> Result<(), LimitExceeded> {
        if self.is_stale {
            Ok(())
        } else {
            self.sink.point(point)
        }
    }

    fn is_full(&self) -> bool {
        self.is_stale || self.sink.is_full()
    }

    async fn yield_now(&mut self) -> ControlFlow<()> {
        if self.is_stale {
            ControlFlow::Break(())
        } else {
            self.sink.yield_now().await
        }
    }
}
