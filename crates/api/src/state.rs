//! State of the application: the use cases, and the limits around them.

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
use crate::request::{BodyBudget, BulkBudget, Caller, Cursors, LogUsers, QueryGate, QueryTimes};
use crate::settings::{Admins, AllowedHosts, Settings};
use crate::work::{CpuThreads, QueryRuntime};

/// The use cases that the REST surface calls.
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
    /// The secret of cursors and of users in logs.
    pub secrets: Arc<dyn SecretStore>,
    /// The state of the database.
    pub readiness: Arc<dyn Readiness>,
}

/// State of the application, shared by all handlers.
pub(crate) struct AppState {
    pub(crate) ingest: IngestSession,
    pub(crate) reads: ReadSources,
    /// Maximum values that a downsampling query holds.
    pub(crate) max_values: usize,
    pub(crate) query_memory: Arc<QueryMemory>,
    pub(crate) queries: QueryGate,
    pub(crate) metric_types: MetricTypes,
    pub(crate) sessions: StoredSessions,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) readiness: Arc<dyn Readiness>,
    pub(crate) admins: Admins,
    pub(crate) cursors: Cursors,
    pub(crate) log_users: LogUsers,
    pub(crate) max_body_bytes: usize,
    /// Bytes of bodies in memory, except lines of bulk uploads.
    pub(crate) bodies: BodyBudget,
    /// Bytes of lines of bulk uploads, which wait for room and would take all of `bodies`.
    pub(crate) bulk_budget: BulkBudget,
    /// Minimum speed of a body.
    pub(crate) pace: PaceLimit,
    pub(crate) proxies: TrustedProxies,
    pub(crate) hosts: AllowedHosts,
    /// The threads that read and validate sessions.
    pub(crate) cpu: CpuThreads,
    pub(crate) write_timeout: Duration,
    /// Fingerprint of the build and its limits, on which responses depend besides query and data.
    pub(crate) edition: Fingerprint,
    pub(crate) metrics: PrometheusHandle,
}

/// Version of the rendering. A change of the rendering of a response raises it, so that ETags and cached responses of
/// earlier releases are not used.
const RENDERING: u32 = 1;
/// Maximum threads that queries run on.
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
            wait: settings.query_wait,
            longest: settings.query_timeout,
        };
        Ok(Self {
            ingest: use_cases.ingest,
            sessions: use_cases.sessions,
            metric_types: use_cases.metric_types,
            reads: use_cases.reads,
            max_values: settings.limits.bucket_values.saturating_mul(4),
            query_memory: use_cases.query_memory,
            queries: QueryGate::new(settings.query_concurrency, runtime, times),
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
            edition: edition(&settings.limits, &settings.rules),
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

    /// Chooses the source of a read; waits until the users' data have reached a version.
    pub(crate) async fn source_of_reads(
        &self,
        caller: &Caller,
        users: &[UserId],
        min_version: Option<u64>,
    ) -> Result<ReadSource, Problem> {
        self.reads
            .choose(
                &self.queries,
                self.readiness.as_ref(),
                caller,
                users,
                min_version,
            )
            .await
    }

    /// Cancels a write after the write timeout. The problem says whether the change may be stored.
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
                "The session was not checked within {seconds} s; nothing was stored. Try again."
            );
            Problem::new(Code::TimedOut, detail)
        })
    }
}

/// The state of the database, as the last heartbeat found it.
#[async_trait]
pub trait Readiness: Send + Sync {
    /// Checks that the database answers and has the tables of this release.
    async fn check(&self) -> Result<(), NotReady>;

    /// Returns the result of the last heartbeat.
    fn last(&self) -> Heartbeat;

    /// Returns the current use of the connection pools and of the write queue.
    fn usage(&self) -> DatabaseUsage;
}

/// Current use of the connection pools and of the write queue.
#[derive(Debug, Clone)]
pub struct DatabaseUsage {
    /// For each pool of connections its name, and the number of connections in each state.
    pub pools: Vec<(&'static str, [(&'static str, usize); 4])>,
    /// Bytes of sessions that wait to be stored or are being stored.
    pub queued_bytes: u64,
    /// The lag of the replica in seconds, if there is a replica and its lag is known.
    pub replica_lag: Option<f64>,
}

/// Result of a heartbeat.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Heartbeat {
    /// Ok if reads work, on the primary or on a replica.
    pub reads: Result<(), NotReady>,
    /// Ok if reads of the primary work.
    pub primary: Result<(), NotReady>,
    /// Ok if a commit succeeds.
    pub writes: Result<(), NotReady>,
}

/// Reason why the service is not ready; the text is public.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotReady {
    /// The database may recover without help.
    #[error("the database cannot be reached")]
    Unreachable,
    /// The database does not exist.
    #[error("the database that DATABASE_URL names does not exist; create it, or correct the name")]
    NoDatabase,
    /// The database rejects the role or the password.
    #[error(
        "the database refuses the role of DATABASE_URL; correct the name and the password, or let it connect"
    )]
    RoleRefused,
    /// The database lacks migrations.
    #[error(
        "the database lacks migrations; run `time-series-server migrate` or `cargo xtask migrate`"
    )]
    Behind,
    /// Reads succeed, and commits do not return.
    #[error("the database does not confirm a commit in time")]
    NoCommit,
}

/// Returns the fingerprint of the build and its limits.
fn edition(limits: &QueryLimits, rules: &TimeRules) -> Fingerprint {
    let mut hasher = FingerprintHasher::new("edition");
    hasher
        .field("release", env!("CARGO_PKG_VERSION"))
        .field("rendering", &RENDERING)
        .field("limits", limits)
        .field("rules", rules);
    hasher.finish()
}
