//! Limits on queries: concurrency, run time, and the share of one client.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use time_series_domain::ports::{DataVersion, StoreError};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout};

use super::RequestContext;
use crate::net::PeerId;
use crate::problem::{Code, Problem};
use crate::work::QueryRuntime;

/// Maximum time that a read waits for its `min_version`.
const MAX_VERSION_WAIT: Duration = Duration::from_secs(5);
/// First interval between two checks of the version; each further interval is twice as long.
const FIRST_POLL_INTERVAL: Duration = Duration::from_millis(10);
/// Maximum interval between two checks of the version.
const MAX_POLL_INTERVAL: Duration = Duration::from_millis(320);
/// Maximum number of reads that wait for a version.
const MAX_VERSION_WAITERS: usize = 256;
/// Divisor of the permits: one peer can hold one half, and all streams together can hold one half.
const SHARE_DIVISOR: usize = 2;

/// Limits concurrent queries, so that ingest always finds a free database connection.
pub(crate) struct QueryLimiter {
    permits: Arc<Semaphore>,
    /// The permits of each peer that holds or awaits one.
    peer_permits: Mutex<HashMap<PeerId, Arc<Semaphore>>>,
    permits_per_peer: usize,
    /// The permits of streams, which hold theirs until the client has read the response.
    stream_permits: Arc<Semaphore>,
    /// Number of queries that wait for a permit.
    waiting: Arc<AtomicUsize>,
    version_waiters: Semaphore,
    runtime: QueryRuntime,
    limits: QueryTimes,
}

/// Limits on the times of queries.
#[derive(Debug, Clone, Copy)]
pub(crate) struct QueryTimes {
    /// Maximum time that a query waits for a permit.
    pub(crate) max_wait: Duration,
    /// Maximum time of a query, from its arrival to its end.
    pub(crate) max_duration: Duration,
}

/// Permission to run a query until its deadline.
pub(crate) struct QueryPermit {
    _permits: (
        OwnedSemaphorePermit,
        Option<OwnedSemaphorePermit>,
        OwnedSemaphorePermit,
    ),
    pub(crate) deadline: Instant,
    seconds: f64,
    waiting: Arc<AtomicUsize>,
}

/// Counts a waiting query until it is dropped.
struct WaitingCount<'a>(&'a AtomicUsize);

impl QueryLimiter {
    pub(crate) fn new(concurrency: usize, runtime: QueryRuntime, limits: QueryTimes) -> Self {
        let share = (concurrency / SHARE_DIVISOR).max(1);
        Self {
            permits: Arc::new(Semaphore::new(concurrency)),
            peer_permits: Mutex::default(),
            permits_per_peer: share,
            stream_permits: Arc::new(Semaphore::new(share)),
            waiting: Arc::default(),
            version_waiters: Semaphore::new(MAX_VERSION_WAITERS),
            runtime,
            limits,
        }
    }

    /// Returns the threads that queries run on.
    pub(crate) const fn runtime(&self) -> &QueryRuntime {
        &self.runtime
    }

    /// Acquires a permit for a query. Its deadline is `requested` from now, at most the configured
    /// maximum. A stream first acquires one of the permits for streams, so that clients that do
    /// not read leave permits to other queries.
    pub(crate) async fn acquire(
        &self,
        peer: PeerId,
        requested: Option<Duration>,
        is_stream: bool,
    ) -> Result<QueryPermit, Problem> {
        let max_duration = requested.map_or(self.limits.max_duration, |requested| {
            requested.min(self.limits.max_duration)
        });
        let deadline = Instant::now() + max_duration;
        self.waiting.fetch_add(1, Ordering::Relaxed);
        let _waiting = WaitingCount(&self.waiting);
        let peer_permits = self.permits_of(peer);
        let acquire = async {
            let peer = peer_permits.acquire_owned().await.ok()?;
            let stream = if is_stream {
                Some(self.stream_permits.clone().acquire_owned().await.ok()?)
            } else {
                None
            };
            let query = self.permits.clone().acquire_owned().await.ok()?;
            Some((peer, stream, query))
        };
        match timeout(self.limits.max_wait.min(max_duration), acquire).await {
            Ok(Some(permits)) => Ok(QueryPermit {
                _permits: permits,
                deadline,
                seconds: max_duration.as_secs_f64(),
                waiting: self.waiting.clone(),
            }),
            _ => Err(rejected("Too many concurrent queries.")),
        }
    }

    fn permits_of(&self, peer: PeerId) -> Arc<Semaphore> {
        let mut peers = self
            .peer_permits
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        peers.retain(|_, permits| Arc::strong_count(permits) > 1);
        peers
            .entry(peer)
            .or_insert_with(|| Arc::new(Semaphore::new(self.permits_per_peer)))
            .clone()
    }

    /// Runs a query with a permit of its own on the query threads. Drops the query at its deadline
    /// or when the client disconnects.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        context: &RequestContext,
        query: impl Future<Output = Result<T, Problem>> + Send + 'static,
    ) -> Result<T, Problem> {
        let run = async {
            let permit = self.acquire(context.peer(), context.timeout, false).await?;
            self.runtime
                .run(async move { permit.run(query).await })
                .await
        };
        until_disconnect(context, run).await
    }

    /// Waits until `head` returns at least the version `min_version`. Holds no permit while it
    /// waits.
    pub(crate) async fn wait_for_version<F>(
        &self,
        context: &RequestContext,
        min_version: Option<u64>,
        head: impl Fn() -> F,
    ) -> Result<(), Problem>
    where
        F: Future<Output = Result<DataVersion, StoreError>>,
    {
        let Some(min_version) = min_version else {
            return Ok(());
        };
        let _waiter = self
            .version_waiters
            .try_acquire()
            .map_err(|_| rejected("Too many concurrent requests wait for a min_version."))?;
        let requested = context.timeout.unwrap_or(MAX_VERSION_WAIT);
        let max_wait = requested
            .min(MAX_VERSION_WAIT)
            .min(self.limits.max_duration);
        let deadline = Instant::now() + max_wait;
        let mut interval = FIRST_POLL_INTERVAL;
        let reach = async {
            loop {
                let version = head().await?.version;
                if version >= min_version {
                    return Ok(());
                }
                if Instant::now() >= deadline {
                    let seconds = max_wait.as_secs_f64();
                    let detail = format!(
                        "The data is at version {version} and did not reach \
                         min_version={min_version} within {seconds} s."
                    );
                    return Err(Problem::new(Code::VersionNotReached, detail));
                }
                tokio::time::sleep(interval).await;
                interval = (2 * interval).min(MAX_POLL_INTERVAL);
            }
        };
        until_disconnect(context, reach).await
    }
}

impl Drop for WaitingCount<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

fn rejected(reason: &str) -> Problem {
    metrics::counter!("queries_rejected_total").increment(1);
    Problem::new(Code::Unavailable, format!("{reason} Retry after 1 s."))
}

/// Runs `work` until it ends or the client disconnects.
pub(crate) async fn until_disconnect<T>(
    context: &RequestContext,
    work: impl Future<Output = Result<T, Problem>>,
) -> Result<T, Problem> {
    tokio::select! {
        biased;
        done = work => done,
        () = context.disconnected() => {
            metrics::counter!("queries_cancelled_total").increment(1);
            Err(Problem::new(Code::Unavailable, "The client closed the connection."))
        }
    }
}

impl QueryPermit {
    /// Runs the query and drops it at the deadline, which cancels its statements in the database.
    pub(crate) async fn run<T>(
        &self,
        query: impl Future<Output = Result<T, Problem>>,
    ) -> Result<T, Problem> {
        let done = tokio::time::timeout_at(self.deadline, query).await.ok();
        // The timeout does not interrupt a query that never yields; it may have ended too late.
        done.filter(|_| Instant::now() <= self.deadline)
            .unwrap_or_else(|| {
                let detail = format!(
                    "The query was cancelled after its maximum of {} s. Request a shorter range \
                     or fewer series, or send a longer Request-Timeout.",
                    self.seconds
                );
                Err(Problem::new(Code::TimedOut, detail))
            })
    }

    /// Returns the live number of queries that wait for a permit.
    pub(crate) fn waiting(&self) -> Arc<AtomicUsize> {
        self.waiting.clone()
    }
}
