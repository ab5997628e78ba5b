//! How many queries run at a time, and for how long.

use std::sync::Arc;
use std::time::Duration;

use time_series_domain::ports::{ScanHead, StoreError};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout};

use super::Caller;
use crate::problem::{Code, Problem};

/// So long a read waits for the version that it wants at least.
const WAIT_FOR_VERSION: Duration = Duration::from_secs(5);
const ASK_AGAIN: Duration = Duration::from_millis(10);
const ASK_AGAIN_AT_MOST: Duration = Duration::from_millis(320);
/// So many reads may wait for a version.
const WAITERS: usize = 256;
/// So many large answers may be on their way to callers for every query that may run.
const DELIVERIES: usize = 4;

/// Lets in some queries at a time, so that they never take all connections from ingest.
pub(crate) struct QueryGate {
    places: Arc<Semaphore>,
    deliveries: Arc<Semaphore>,
    waiters: Semaphore,
    /// How long a query waits for a place.
    wait: Duration,
    /// How long a query may take at most.
    longest: Duration,
}

/// A place among the queries that run, and when its query has to end.
pub(crate) struct Place {
    _permit: OwnedSemaphorePermit,
    pub(crate) deadline: Instant,
    seconds: f64,
}

impl QueryGate {
    pub(crate) fn new(places: usize, wait: Duration, longest: Duration) -> Self {
        let deliveries = Arc::new(Semaphore::new(places.saturating_mul(DELIVERIES)));
        Self { places: Arc::new(Semaphore::new(places)), deliveries, waiters: Semaphore::new(WAITERS), wait, longest }
    }

    /// Takes a place for a query that may take as long as the caller waits, up to the operator's limit.
    pub(crate) async fn enter(&self, asked: Option<Duration>) -> Result<Place, Problem> {
        let longest = asked.map_or(self.longest, |asked| asked.min(self.longest));
        let deadline = Instant::now() + longest;
        let entered = timeout(self.wait.min(longest), self.places.clone().acquire_owned()).await;
        let Ok(Ok(permit)) = entered else {
            return Err(busy("queries run"));
        };
        Ok(Place { _permit: permit, deadline, seconds: longest.as_secs_f64() })
    }

    /// Runs a query in a place of its own, and drops it at its deadline or when the caller leaves.
    pub(crate) async fn run<T>(
        &self,
        caller: &Caller,
        query: impl Future<Output = Result<T, Problem>>,
    ) -> Result<T, Problem> {
        let run = async {
            let place = self.enter(caller.timeout).await?;
            place.run(query).await
        };
        while_there(caller, run).await
    }

    /// Leave to send a large answer, which stays in memory as long as the caller takes to read it.
    pub(crate) fn deliver(&self) -> Result<OwnedSemaphorePermit, Problem> {
        self.deliveries.clone().try_acquire_owned().map_err(|_| busy("large answers are being read"))
    }

    /// Waits until `head` shows at least that version, without a place: who waits takes nothing from those that run.
    pub(crate) async fn wait_for_version<F>(
        &self,
        caller: &Caller,
        least: Option<u64>,
        head: impl Fn() -> F,
    ) -> Result<(), Problem>
    where
        F: Future<Output = Result<ScanHead, StoreError>>,
    {
        let Some(least) = least else { return Ok(()) };
        let _waiter = self.waiters.try_acquire().map_err(|_| busy("reads wait for a version"))?;
        let longest = caller.timeout.map_or(WAIT_FOR_VERSION, |asked| asked.min(WAIT_FOR_VERSION)).min(self.longest);
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
        while_there(caller, reach).await
    }
}

fn busy(what: &str) -> Problem {
    metrics::counter!("queries_turned_away_total").increment(1);
    let detail = format!("As many {what} as may at a time; try again, or raise QUERY_CONCURRENCY.");
    Problem::new(Code::Unavailable, detail)
}

/// Does something as long as the caller is there to hear of it.
pub(crate) async fn while_there<T>(
    caller: &Caller,
    work: impl Future<Output = Result<T, Problem>>,
) -> Result<T, Problem> {
    tokio::select! {
        biased;
        done = work => done,
        () = caller.gone() => {
            metrics::counter!("queries_left_total").increment(1);
            Err(Problem::new(Code::Unavailable, "The caller left."))
        }
    }
}

impl Place {
    /// Drops the query at the deadline; what it runs in the database is cancelled then.
    pub(crate) async fn run<T>(&self, query: impl Future<Output = Result<T, Problem>>) -> Result<T, Problem> {
        let done = tokio::time::timeout_at(self.deadline, query).await.ok();
        // What never had to wait is not interrupted, and late all the same.
        done.filter(|_| Instant::now() <= self.deadline).unwrap_or_else(|| {
            let detail = format!(
                "The query was cancelled after the {} s that it may take; ask for a shorter range, fewer series or a longer \
                 Request-Timeout (QUERY_TIMEOUT_MS is the longest).",
                self.seconds
            );
            Err(Problem::new(Code::TimedOut, detail))
        })
    }
}
