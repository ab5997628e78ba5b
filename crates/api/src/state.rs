//! What handlers need.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use actix_web::HttpRequest;
use async_trait::async_trait;
use metrics_exporter_prometheus::PrometheusHandle;
use secrecy::SecretString;
use time_series_domain::catalogue::MetricTypes;
use time_series_domain::fingerprint::Fingerprint;
use time_series_domain::ingest::{IngestSession, WriteStage};
use time_series_domain::ports::SessionStore;
use time_series_domain::query::QueryMemory;
use time_series_domain::{Clock, UserId};

use crate::net::{PaceLimit, PeerId, TrustedProxies};
use crate::problem::{Code, Problem};
use crate::reads::{ReadSource, ReadSources};
use crate::request::{AllowedHosts, BodyBudget, BulkBudget, Caller, Cursors, LogUsers, QueryGate};
use crate::work::CpuThreads;

/// The use cases, over whatever the composition root chose.
pub(crate) struct AppState {
    pub(crate) ingest: IngestSession,
    pub(crate) reads: ReadSources,
    /// How many values may be held to be thinned out.
    pub(crate) max_values: usize,
    pub(crate) query_memory: Arc<QueryMemory>,
    pub(crate) queries: QueryGate,
    pub(crate) metric_types: MetricTypes,
    pub(crate) sessions: Arc<dyn SessionStore>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) readiness: Arc<dyn Readiness>,
    pub(crate) admins: Admins,
    pub(crate) cursors: Cursors,
    pub(crate) log_users: LogUsers,
    pub(crate) max_body_bytes: usize,
    /// Bytes of bodies in memory; lines of bulk uploads apart, which wait for room and would take all there is.
    pub(crate) bodies: BodyBudget,
    pub(crate) bulk_budget: BulkBudget,
    /// The least speed of a body.
    pub(crate) pace: PaceLimit,
    pub(crate) proxies: TrustedProxies,
    pub(crate) hosts: AllowedHosts,
    /// The threads that sessions are read and checked on.
    pub(crate) cpu: CpuThreads,
    /// The longest time of a write.
    pub(crate) write_timeout: Duration,
    /// Fingerprint of what answers depend on besides query and data: this build and its limits.
    pub(crate) edition: Fingerprint,
    pub(crate) metrics: PrometheusHandle,
}

impl AppState {
    /// The peer that a request counts for.
    pub(crate) fn peer_of(&self, request: &HttpRequest) -> PeerId {
        self.proxies.client(
            request.peer_addr().map(|address| address.ip()),
            request.headers(),
        )
    }

    /// Chooses where a read is answered from; waits until its users' data have reached a version.
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

    /// Ends a write that takes too long, and says whether it may have happened.
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

/// Who may change metric types.
pub(crate) enum Admins {
    /// Whoever has the token.
    Token(SecretString),
    /// Whoever reaches this loopback address.
    Local,
    /// Nobody: the service listens on this address without a token.
    Nobody(SocketAddr),
}

/// Whether the service can do its work now.
#[async_trait]
pub(crate) trait Readiness: Send + Sync {
    /// Whether the database answers and has the tables that this program needs.
    async fn check(&self) -> Result<(), NotReady>;

    /// What the last heartbeat found.
    fn last(&self) -> Heartbeat;

    /// Returns the current use of the connection pools and of the write queue.
    fn usage(&self) -> DatabaseUsage;
}

/// Current use of the connection pools and of the write queue.
#[derive(Debug, Clone)]
pub(crate) struct DatabaseUsage {
    /// The name of each pool of connections, and how many there are in each state.
    pub(crate) pools: Vec<(&'static str, [(&'static str, usize); 4])>,
    /// Bytes of sessions that wait to be stored or are being stored.
    pub(crate) queued_bytes: u64,
    /// The lag of the replica in seconds, if there is a replica and its lag is known.
    pub(crate) replica_lag: Option<f64>,
}

/// What a heartbeat found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Heartbeat {
    /// Ok if reads work, on the primary or on a replica.
    pub(crate) reads: Result<(), NotReady>,
    /// Ok if reads of the primary work.
    pub(crate) primary: Result<(), NotReady>,
    /// Whether a commit succeeds.
    pub(crate) writes: Result<(), NotReady>,
}

/// Why the service cannot do its work; may be shown to anybody.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotReady {
    /// It may come back by itself.
    #[error("the database cannot be reached")]
    Unreachable,
    /// It is not there: somebody has to create it.
    #[error("the database that DATABASE_URL names does not exist; create it, or correct the name")]
    NoDatabase,
    /// It does not let the service in.
    #[error(
        "the database refuses the role of DATABASE_URL; correct the name and the password, or let it connect"
    )]
    RoleRefused,
    /// Somebody has to migrate it.
    #[error("the database lacks migrations; run `cargo xtask migrate`")]
    Behind,
    /// It answers reads, and a commit does not return.
    #[error("the database does not confirm a commit in time")]
    NoCommit,
}
