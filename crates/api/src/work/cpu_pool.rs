//! A bounded thread pool that serves peers in turn.

use std::collections::{HashMap, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use time_series_domain::ports::{CpuBusy, CpuPool};
use tokio::sync::oneshot;

use crate::net::PeerId;

/// Maximum bytes of a job that runs on the calling thread, where a queue would cost as much.
const INLINE_BYTES: usize = 4 << 10;
/// Maximum bytes of a short job. Longer jobs have their own threads and do not delay short ones.
const SHORT_JOB_BYTES: usize = 64 << 10;
/// Maximum bytes that a job counts for. Jobs of unknown length count for as many.
const MAX_COUNTED_BYTES: usize = 1 << 20;
/// Maximum number of waiting jobs.
const MAX_WAITING: usize = 8_192;
/// Maximum number of waiting jobs per peer.
const MAX_WAITING_PER_PEER: usize = 2_048;
/// Niceness of the threads for long jobs, relative to the other threads.
const LONG_JOB_NICENESS: i32 = 5;
/// Weight of the latest measurement in the moving average of the rate.
const SMOOTHING: f64 = 0.2;

/// Threads for short jobs and threads for long jobs. Each group serves the peers in turn.
pub(crate) struct CpuThreads {
    short: Arc<Queue>,
    long: Arc<Queue>,
}

struct Queue {
    state: Mutex<State>,
    wake: Condvar,
    threads: usize,
    /// Maximum expected wait of a job.
    max_wait: Duration,
}

#[derive(Default)]
struct State {
    jobs: HashMap<PeerId, VecDeque<Job>>,
    /// The peers with waiting jobs, in the order in which they are served.
    order: VecDeque<PeerId>,
    waiting: usize,
    /// Bytes of waiting and running jobs.
    bytes: usize,
    /// Moving average of the bytes per second per thread; `None` before the first job has ended.
    rate: Option<f64>,
    is_stopped: bool,
}

struct Job {
    work: Box<dyn FnOnce() + Send>,
    bytes: usize,
    done: oneshot::Sender<()>,
}

/// The pool as used for one job of one peer.
pub(crate) struct Lane {
    /// `None` if the job runs on the calling thread.
    queue: Option<Arc<Queue>>,
    peer: PeerId,
    /// Counted length of the job, for the estimate of the wait.
    bytes: usize,
    /// Accepts any wait.
    is_patient: bool,
}

impl Lane {
    /// Accepts any wait, for bulk uploads, which are limited elsewhere.
    pub(crate) const fn patient(mut self) -> Self {
        self.is_patient = true;
        self
    }
}

impl CpuThreads {
    /// Starts `cores` threads for short jobs and as many for long jobs.
    pub(crate) fn start(cores: usize, max_wait: Duration) -> std::io::Result<Self> {
        let queue = || {
            let (state, wake) = (Mutex::default(), Condvar::new());
            Arc::new(Queue {
                state,
                wake,
                threads: cores.max(1),
                max_wait,
            })
        };
        let threads = Self {
            short: queue(),
            long: queue(),
        };
        for (queue, name, niceness) in [
            (&threads.short, "short-work", 0),
            (&threads.long, "long-work", LONG_JOB_NICENESS),
        ] {
            for _ in 0..queue.threads {
                let queue = Arc::clone(queue);
                std::thread::Builder::new()
                    .name(name.to_owned())
                    .spawn(move || {
                        // Niceness is an optimisation; failure to set it is harmless.
                        let _ = rustix::process::nice(niceness);
                        queue.run_jobs();
                    })?;
            }
        }
        Ok(threads)
    }

    /// Returns the pool for a job on `bytes` bytes from `peer`.
    pub(crate) fn lane(&self, peer: PeerId, bytes: usize) -> Lane {
        let queue = match bytes {
            0..=INLINE_BYTES => None,
            _ if bytes <= SHORT_JOB_BYTES => Some(self.short.clone()),
            _ => Some(self.long.clone()),
        };
        Lane {
            queue,
            peer,
            bytes: bytes.min(MAX_COUNTED_BYTES),
            is_patient: false,
        }
    }
}

impl Drop for CpuThreads {
    fn drop(&mut self) {
        for queue in [&self.short, &self.long] {
            queue.state().is_stopped = true;
            queue.wake.notify_all();
        }
    }
}

#[async_trait]
impl CpuPool for Lane {
    async fn run(&self, work: Box<dyn FnOnce() + Send>) -> Result<(), CpuBusy> {
        let Some(queue) = &self.queue else {
            work();
            return Ok(());
        };
        let (done, finished) = oneshot::channel();
        queue.push(
            self.peer,
            Job {
                work,
                bytes: self.bytes,
                done,
            },
            self.is_patient,
        )?;
        finished.await.map_err(|_| CpuBusy)
    }
}

impl Queue {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn push(&self, peer: PeerId, job: Job, is_patient: bool) -> Result<(), CpuBusy> {
        let mut state = self.state();
        let peer_jobs = state.jobs.get(&peer).map_or(0, VecDeque::len);
        let is_full = state.waiting >= MAX_WAITING || peer_jobs >= MAX_WAITING_PER_PEER;
        if is_full || (!is_patient && self.expected_wait(&state, peer) > self.max_wait) {
            metrics::counter!("work_rejected_total").increment(1);
            return Err(CpuBusy);
        }
        state.waiting += 1;
        state.bytes += job.bytes;
        let jobs = state.jobs.entry(peer).or_default();
        jobs.push_back(job);
        if jobs.len() == 1 {
            state.order.push_back(peer);
        }
        drop(state);
        self.wake.notify_one();
        Ok(())
    }

    /// Estimates the wait of a new job of a peer from the measured rate. The job waits for all
    /// bytes in the queue, or for as many bytes of each peer as the peer itself has, whichever is
    /// less.
    fn expected_wait(&self, state: &State, peer: PeerId) -> Duration {
        let Some(rate) = state.rate else {
            return Duration::ZERO;
        };
        let own: usize = state
            .jobs
            .get(&peer)
            .into_iter()
            .flatten()
            .map(|job| job.bytes)
            .sum();
        let ahead = state.bytes.min(own.saturating_mul(state.order.len()));
        #[expect(clippy::cast_precision_loss, reason = "an estimate")]
        let seconds = ahead as f64 / (rate * self.threads as f64).max(1.0);
        Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX)
    }

    /// Runs jobs until the pool is stopped.
    fn run_jobs(&self) {
        while let Some(job) = self.next() {
            let bytes = job.bytes;
            let started = Instant::now();
            // A closed channel means that the caller has gone; its job is skipped.
            if !job.done.is_closed() && catch_unwind(AssertUnwindSafe(job.work)).is_ok() {
                let _ = job.done.send(());
                self.finished(bytes, Some(started.elapsed()));
            } else {
                self.finished(bytes, None);
            }
        }
    }

    /// Waits for the next job, which is one of the peer that is next in the order.
    fn next(&self) -> Option<Job> {
        let mut state = self.state();
        loop {
            if state.is_stopped {
                return None;
            }
            if let Some(peer) = state.order.pop_front() {
                let Some(jobs) = state.jobs.get_mut(&peer) else {
                    continue;
                };
                let job = jobs.pop_front();
                if jobs.is_empty() {
                    state.jobs.remove(&peer);
                } else {
                    state.order.push_back(peer);
                }
                if job.is_some() {
                    state.waiting -= 1;
                    return job;
                }
                continue;
            }
            state = self
                .wake
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn finished(&self, bytes: usize, took: Option<Duration>) {
        let mut state = self.state();
        state.bytes -= bytes;
        if let Some(took) = took.filter(|took| !took.is_zero()) {
            #[expect(clippy::cast_precision_loss, reason = "an estimate")]
            let rate = bytes as f64 / took.as_secs_f64();
            state.rate = Some(
                state
                    .rate
                    .map_or(rate, |known| known + SMOOTHING * (rate - known)),
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr};
    use std::sync::mpsc;

    use time_series_domain::ports::run_in;

    use super::*;

    fn peer(number: u8) -> PeerId {
        PeerId::of(IpAddr::V4(Ipv4Addr::new(127, 0, 0, number)))
    }

    #[tokio::test]
    async fn work_returns_its_result_and_survives_a_panic() {
        let threads = CpuThreads::start(1, Duration::from_secs(5)).expect("threads");
        let lane = threads.lane(peer(1), 100_000);
        assert_eq!(
            run_in(&lane, || panic!("on purpose")).await.map(|()| 0),
            Err(CpuBusy)
        );
        assert_eq!(run_in(&lane, || 7).await, Ok(7));
    }

    #[tokio::test]
    async fn peers_are_served_in_turn() {
        let threads = CpuThreads::start(1, Duration::from_secs(5)).expect("threads");
        let (release, released) = mpsc::channel::<()>();
        let (seen, order) = mpsc::channel();
        let first = threads.lane(peer(9), 100_000);
        let blocked =
            tokio::spawn(async move { run_in(&first, move || released.recv().is_ok()).await });
        while threads.long.state().bytes == 0 || threads.long.state().waiting > 0 {
            tokio::task::yield_now().await;
        }
        let mut tasks = Vec::new();
        for number in [1, 1, 1, 2] {
            let (lane, seen) = (threads.lane(peer(number), 100_000), seen.clone());
            let before = threads.long.state().waiting;
            tasks.push(tokio::spawn(async move {
                run_in(&lane, move || seen.send(number)).await
            }));
            while threads.long.state().waiting == before {
                tokio::task::yield_now().await;
            }
        }
        release.send(()).expect("the job is waiting");
        for task in tasks {
            assert!(task.await.expect("the task ends").is_ok());
        }
        assert!(blocked.await.expect("the task ends").is_ok());
        assert_eq!(order.try_iter().collect::<Vec<_>>(), [1, 2, 1, 1]);
    }

    #[tokio::test]
    async fn jobs_of_callers_that_have_gone_are_skipped() {
        let threads = CpuThreads::start(1, Duration::from_secs(5)).expect("threads");
        let (release, released) = mpsc::channel::<()>();
        let lane = threads.lane(peer(1), 100_000);
        let blocked = tokio::spawn({
            let lane = threads.lane(peer(1), 100_000);
            async move { run_in(&lane, move || released.recv().is_ok()).await }
        });
        while threads.long.state().bytes == 0 || threads.long.state().waiting > 0 {
            tokio::task::yield_now().await;
        }
        let (seen, done) = mpsc::channel();
        let left = tokio::spawn(async move { run_in(&lane, move || seen.send(())).await });
        while threads.long.state().waiting == 0 {
            tokio::task::yield_now().await;
        }
        left.abort();
        let _ = left.await;
        release.send(()).expect("the job is waiting");
        assert!(blocked.await.expect("the task ends").is_ok());
        assert!(done.recv().is_err());
    }
}
