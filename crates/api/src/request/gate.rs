//! The bounds on queries: how many run, for how long, and how many of one peer.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use time_series_domain::ports::{DataVersion, StoreError};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout};

use super::Caller;
use crate::net::PeerId;
use crate::problem::{Code, Problem};
use crate::work::QueryRuntime;

/// The longest time that a read waits for the version that it wants at least.
const WAIT_FOR_VERSION: Duration = Duration::from_secs(5);
const ASK_AGAIN: Duration = Duration::from_millis(10);
const ASK_AGAIN_AT_MOST: Duration = Duration::from_millis(320);
/// Maximum reads that wait for a version.
const WAITERS: usize = 256;
/// A peer may have one part in this many of the queries that run, and all streams together another.
const PARTS_OF_QUERIES: usize = 2;

/// Lets in some queries at a time, so that they never take all connections from ingest.
pub(crate) struct QueryGate {
    places: Arc<Semaphore>,
    /// The places of each peer that has any.
    of_peers: Mutex<HashMap<PeerId, Arc<Semaphore>>>,
    places_of_peer: usize,
    /// Places of streams, which hold theirs for as long as their readers take.
    streams: Arc<Semaphore>,
    /// Queries that wait for a place.
    waiting: Arc<AtomicUsize>,
    waiters: Semaphore,
    runtime: QueryRuntime,
    limits: QueryTimes,
}

/// How long queries wait and run.
#[derive(Debug, Clone, Copy)]
pub(crate) struct QueryTimes {
    /// The longest time that a query waits for a place.
    pub(crate) wait: Duration,
    /// The longest time that a query runs.
    pub(crate) longest: Duration,
}

/// A place among the queries that run, and when its query has to end.
pub(crate) struct Place {
    _permits: (
        OwnedSemaphorePermit,
        Option<OwnedSemaphorePermit>,
        OwnedSemaphorePermit,
    ),
    pub(crate) deadline: Instant,
    seconds: f64,
    waiting: Arc<AtomicUsize>,
}

/// Counts a query that waits, until it is dropped.
struct Waiting<'a>(&'a AtomicUsize);

impl QueryGate {
    pub(crate) fn new(places: usize, runtime: QueryRuntime, limits: QueryTimes) -> Self {
        Self {
            places: Arc::new(Semaphore::new(places)),
            of_peers: Mutex::default(),
            places_of_peer: (places / PARTS_OF_QUERIES).max(1),
            streams: Arc::new(Semaphore::new((places / PARTS_OF_QUERIES).max(1))),
            waiting: Arc::default(),
            waiters: Semaphore::new(WAITERS),
            runtime,
            limits,
        }
    }

    /// The threads that queries run on.
    pub(crate) const fn runtime(&self) -> &QueryRuntime {
        &self.runtime
    }

    /// Takes a place for a query that may take as long as the caller waits, up to the operator's limit. Streams wait for
    /// each other first, so that readers who stand still leave places to other queries.
    pub(crate) async fn enter(
        &self,
        peer: PeerId,
        requested: Option<Duration>,
        is_stream: bool,
    ) -> Result<Place, Problem> {
        let longest = requested.map_or(self.limits.longest, |requested| {
            requested.min(self.limits.longest)
        });
        let deadline = Instant::now() + longest;
        self.waiting.fetch_add(1, Ordering::Relaxed);
        let _waiting = Waiting(&self.waiting);
        let of_peer = self.places_of(peer);
        let enter = async {
            let of_peer = of_peer.acquire_owned().await.ok()?;
            let stream = if is_stream {
                Some(self.streams.clone().acquire_owned().await.ok()?)
            } else {
                None
            };
            Some((
                of_peer,
                stream,
                self.places.clone().acquire_owned().await.ok()?,
            ))
        };
        match timeout(self.limits.wait.min(longest), enter).await {
            Ok(Some(permits)) => {
                let (seconds, waiting) = (longest.as_secs_f64(), self.waiting.clone());
                Ok(Place {
                    _permits: permits,
                    deadline,
                    seconds,
                    waiting,
                })
            }
            _ => Err(busy("Too many queries are running.")),
        }
    }

    fn places_of(&self, peer: PeerId) -> Arc<Semaphore> {
        let mut of_peers = self.of_peers.lock().unwrap_or_else(PoisonError::into_inner);
        of_peers.retain(|_, places| Arc::strong_count(places) > 1);
        of_peers
            .entry(peer)
            .or_insert_with(|| Arc::new(Semaphore::new(self.places_of_peer)))
            .clone()
    }

    /// Runs a query in a place of its own, away from the threads that serve requests, and drops it at its deadline or when
    /// the caller leaves.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        caller: &Caller,
        query: impl Future<Output = Result<T, Problem>> + Send + 'static,
    ) -> Result<T, Problem> {
        let run = async {
            let place = self.enter(caller.peer(), caller.timeout, false).await?;
            self.runtime
                .run(async move { place.run(query).await })
                .await
        };
        until_disconnect(caller, run).await
    }

    /// Waits until `head` shows at least that version, without a place: a read that waits takes nothing from queries that
    /// run.
    pub(crate) async fn wait_for_version<F>(
        &self,
        caller: &Caller,
        least: Option<u64>,
        head: impl Fn() -> F,
    ) -> Result<(), Problem>
    where
        F: Future<Output = Result<DataVersion, StoreError>>,
    {
        let Some(least) = least else { return Ok(()) };
        let _waiter = self
            .waiters
            .try_acquire()
            .map_err(|_| busy("Too many reads wait for a version."))?;
        let longest = caller
            .timeout
            .map_or(WAIT_FOR_VERSION, |asked| asked.min(WAIT_FOR_VERSION));
        let longest = longest.min(self.limits.longest);
        let until = Instant::now() + longest;
        let mut ask_again = ASK_AGAIN;
        let reach = async {
            loop {
                let version = head().await?.version;
                if version >= least {
                    return Ok(());
                }
                if Instant::now() >= until {
                    let seconds = longest.as_secs_f64();
                    let detail = format!(
                        "The data is at version {version} and did not reach min_version={least} in {seconds} s."
                    );
                    return Err(Problem::new(Code::VersionNotReached, detail));
                }
                tokio::time::sleep(ask_again).await;
                ask_again = (2 * ask_again).min(ASK_AGAIN_AT_MOST);
            }
        };
        until_disconnect(caller, reach).await
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

fn busy(what: &str) -> Problem {
    metrics::counter!("queries_rejected_total").increment(1);
    Problem::new(Code::Unavailable, format!("{what} Retry after 1 s."))
}

/// Does something as long as the caller is connected.
pub(crate) async fn until_disconnect<T>(
    caller: &Caller,
    work: impl Future<Output = Result<T, Problem>>,
) -> Result<T, Problem> {
    tokio::select! {
        biased;
        done = work => done,
        () = caller.disconnected() => {
            metrics::counter!("queries_cancelled_total").increment(1);
            Err(Problem::new(Code::Unavailable, "The caller left."))
        }
    }
}

impl Place {
    /// Drops the query at the deadline; what it runs in the database is cancelled then.
    pub(crate) async fn run<T>(
        &self,
        query: impl Future<Output = Result<T, Problem>>,
    ) -> Result<T, Problem> {
        let done = tokio::time::timeout_at(self.deadline, query).await.ok();
        // A query that never had to wait is not interrupted, and late all the same.
        done.filter(|_| Instant::now() <= self.deadline).unwrap_or_else(|| {
            let detail = format!(
                "The query was cancelled after the {} s that it may take; ask for a shorter range, fewer series or a longer \
                 Request-Timeout.",
                self.seconds
            );
            Err(Problem::new(Code::TimedOut, detail))
        })
    }

    /// The number of queries that wait for a place, to be read while this one runs.
    pub(crate) fn waiting(&self) -> Arc<AtomicUsize> {
        self.waiting.clone()
    }
}
