//! State of the application: the use cases and the limits on requests.

use std::sync::Arc;
use std::time::Duration;

use actix_web::HttpRequest;
use async_trait::async_trait;
use metrics_exporter_prometheus::PrometheusHandle;
use time_series_domain::catalogue::MetricTypes;
use time_series_domain::fingerprint::{Fingerprint, FingerprintHasher};
use time_series_domain::ports::SecretStore;
use time_series_domain::query::{QueryLimits, QueryMemory};
use time_series_domain::session::{IngestSession, StoredSessions, WriteStage};
use time_series_domain::{Clock, TimeRules, UserId};

use crate::net::{PaceLimit, PeerId, TrustedProxies};
use crate::problem::{Code, Problem};
use crate::reads::{ReadSource, ReadSources};
use crate::request::{
    BodyBudget, BulkBudget, Cursors, LogUsers, QueryLimiter, QueryTimes, RequestContext,
};
use crate::settings::{Admins, AllowedHosts, Settings};
use crate::work::{CpuThreads, QueryRuntime};

/// The use cases that the REST API calls.
pub struct UseCases {
    /// Writes of sessions.
    pub ingest: IngestSession,
    /// Reads and deletes of sessions.
    pub sessions: StoredSessions,
    /// Metric types.
    pub metric_types: MetricTypes,
    /// Queries, on the primary and on a replica.
    pub reads: ReadSources,
    /// The memory that queries share.
    pub query_memory: Arc<QueryMemory>,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// Store of the root secret, from which the keys of cursors and log lines are derived.
    pub secrets: Arc<dyn SecretStore>,
    /// The state of the database.
    pub readiness: Arc<dyn Readiness>,
}

/// State of the application, shared by all handlers.
pub(crate) struct AppState {
    pub(crate) ingest: IngestSession,
    pub(crate) reads: ReadSources,
    /// Maximum number of values that a downsampling query holds.
    pub(crate) max_values: usize,
    pub(crate) query_memory: Arc<QueryMemory>,
    pub(crate) queries: QueryLimiter,
    pub(crate) metric_types: MetricTypes,
    pub(crate) sessions: StoredSessions,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) readiness: Arc<dyn Readiness>,
    pub(crate) admins: Admins,
    pub(crate) cursors: Cursors,
    pub(crate) log_users: LogUsers,
    pub(crate) max_body_bytes: usize,
    /// Limit on the bytes of bodies in memory, except lines of bulk uploads.
    pub(crate) bodies: BodyBudget,
    /// Limit on the bytes of lines of bulk uploads. It is separate because lines wait for room and
    /// would use up `bodies`.
    pub(crate) bulk_budget: BulkBudget,
    /// Minimum speed of a body.
    pub(crate) pace: PaceLimit,
    pub(crate) proxies: TrustedProxies,
    pub(crate) hosts: AllowedHosts,
    /// The threads that parse and validate sessions.
    pub(crate) cpu: CpuThreads,
    pub(crate) write_timeout: Duration,
    /// Namespace of ETags and cached responses.
    pub(crate) cache_namespace: Fingerprint,
    pub(crate) metrics: PrometheusHandle,
}

/// Version of the rendering of responses. A change of the rendering increments it, which
/// invalidates ETags and cached responses of earlier releases.
const RENDERING_VERSION: u32 = 1;
/// Maximum number of query threads.
const MAX_QUERY_THREADS: usize = 32;

impl AppState {
    /// Creates the state and starts its threads.
    pub(crate) fn new(
        use_cases: UseCases,
        settings: Settings,
        metrics: PrometheusHandle,
    ) -> std::io::Result<Self> {
        let runtime = QueryRuntime::new(settings.query_concurrency.min(MAX_QUERY_THREADS))?;
        let cpu = CpuThreads::start(settings.workers, settings.max_write_wait)?;
        let times = QueryTimes {
            max_wait: settings.query_wait,
            max_duration: settings.query_timeout,
        };
        Ok(Self {
            ingest: use_cases.ingest,
            sessions: use_cases.sessions,
            metric_types: use_cases.metric_types,
            reads: use_cases.reads,
            max_values: settings.limits.bucket_values.saturating_mul(4),
            query_memory: use_cases.query_memory,
            queries: QueryLimiter::new(settings.query_concurrency, runtime, times),
            clock: use_cases.clock,
            readiness: use_cases.readiness,
            admins: settings.admins,
            log_users: LogUsers::new(Arc::clone(&use_cases.secrets)),
            cursors: Cursors::new(use_cases.secrets),
            max_body_bytes: settings.body_bytes,
            bodies: BodyBudget::new(settings.bytes_in_flight / 2),
            bulk_budget: BulkBudget::new(settings.bytes_in_flight / 2),
            pace: PaceLimit::of(&settings.net),
            proxies: settings.net.trusted_proxies,
            hosts: settings.hosts,
            cpu,
            write_timeout: settings.write_timeout,
            cache_namespace: cache_namespace(&settings.limits, &settings.rules),
            metrics,
        })
    }

    /// Returns the peer whose limits a request counts against.
    pub(crate) fn peer_of(&self, request: &HttpRequest) -> PeerId {
        self.proxies.client(
            request.peer_addr().map(|address| address.ip()),
            request.headers(),
        )
    }

    /// Chooses the source of a read. Waits until the users' data has reached `min_version`.
    pub(crate) async fn source_of_reads(
        &self,
        context: &RequestContext,
        users: &[UserId],
        min_version: Option<u64>,
    ) -> Result<ReadSource, Problem> {
        self.reads
            .choose(
                &self.queries,
                self.readiness.as_ref(),
                context,
                users,
                min_version,
            )
            .await
    }

    /// Runs a write and cancels it after the write timeout. The problem states whether the change
    /// may be stored.
    pub(crate) async fn within_write_timeout<T, E: Into<Problem>>(
        &self,
        write: impl AsyncFnOnce(&WriteStage) -> Result<T, E>,
    ) -> Result<T, Problem> {
        let stage = WriteStage::default();
        if let Ok(done) = tokio::time::timeout(self.write_timeout, write(&stage)).await {
            return done.map_err(Into::into);
        }
        metrics::counter!("writes_timed_out_total").increment(1);
        let seconds = self.write_timeout.as_secs_f64();
        Err(if stage.may_be_stored() {
            Problem::outcome_unknown(&format!("The write was not confirmed within {seconds} s."))
        } else {
            let detail = format!(
                "The request was not validated within {seconds} s; nothing was stored. Retry after \
                 1 s."
            );
            Problem::new(Code::TimedOut, detail)
        })
    }
}

/// State of the database according to its heartbeats.
#[async_trait]
pub trait Readiness: Send + Sync {
    /// Checks that the database responds and has the tables of this release.
    async fn check(&self) -> Result<(), NotReady>;

    /// Returns the result of the last heartbeat.
    fn last(&self) -> Heartbeat;

    /// Returns the current usage of the connection pools and of the write queue.
    fn usage(&self) -> DatabaseUsage;
}

/// Current usage of the connection pools and of the write queue.
#[derive(Debug, Clone)]
pub struct DatabaseUsage {
    /// Name of each connection pool, with the number of connections in each state.
    pub pools: Vec<(&'static str, [(&'static str, usize); 4])>,
    /// Bytes of sessions that are waiting to be written or being written.
    pub queued_bytes: u64,
    /// Replication lag in seconds, if there is a replica and its lag is known.
    pub replica_lag: Option<f64>,
}

/// Result of a heartbeat.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Heartbeat {
    /// Ok if reads succeed on the primary or on a replica.
    pub reads: Result<(), NotReady>,
    /// Ok if reads succeed on the primary.
    pub primary: Result<(), NotReady>,
    /// Ok if a commit succeeds.
    pub writes: Result<(), NotReady>,
}

/// Reason why the service is not ready. Its text is sent to clients.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotReady {
    /// The database cannot be reached. It may recover without intervention.
    #[error("the database cannot be reached")]
    Unreachable,
    /// The database does not exist.
    #[error("the database of DATABASE_URL does not exist; create it or correct its name")]
    NoDatabase,
    /// The database rejects the role or the password.
    #[error(
        "the database rejects the role of DATABASE_URL; correct its name or password, or allow it \
         to connect"
    )]
    RoleRefused,
    /// The database lacks migrations.
    #[error(
        "the database lacks migrations; run `time-series-server migrate` or `cargo xtask migrate`"
    )]
    Behind,
    /// Reads succeed, but commits do not.
    #[error("the database did not confirm a commit in time")]
    NoCommit,
}

/// Returns the fingerprint of the release and its limits, on which responses depend in addition to
/// the query and the data.
fn cache_namespace(limits: &QueryLimits, rules: &TimeRules) -> Fingerprint {
    let mut hasher = FingerprintHasher::new("cache namespace");
    hasher
        .field("release", env!("CARGO_PKG_VERSION"))
        .field("rendering", &RENDERING_VERSION)
        .field("limits", limits)
        .field("rules", rules);
    hasher.finish()
}
