//! A bounded pool of threads, with a fair order among peers.

use std::collections::{HashMap, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use time_series_domain::ports::{CpuBusy, CpuPool};
use tokio::sync::oneshot;

use crate::net::PeerId;

/// Work on fewer bytes is done where it is asked for: handing it over would cost as much.
const RUN_HERE_BYTES: usize = 4 << 10;
/// Work on more bytes goes to the threads for long work, so that it holds up no short work.
const SHORT_BYTES: usize = 64 << 10;
/// The bytes that work counts for whose length is not known.
const UNKNOWN_BYTES: usize = 1 << 20;
/// The most pieces of work that wait, and of one peer.
const MOST_WAITING: usize = 8_192;
const MOST_OF_PEER: usize = 2_048;
/// How much nicer the threads for long work are to all others.
const NICENESS: i32 = 5;
/// Weight of the newest measurement of the rate.
const SMOOTHING: f64 = 0.2;

/// Threads for short work and threads for long work. Within each, peers take turns.
pub(crate) struct CpuThreads {
    short: Arc<Queue>,
    long: Arc<Queue>,
}

struct Queue {
    state: Mutex<State>,
    wake: Condvar,
    threads: usize,
    /// The longest that work may have to wait.
    longest_wait: Duration,
}

#[derive(Default)]
struct State {
    jobs: HashMap<PeerId, VecDeque<Job>>,
    /// The peers that have work waiting, in their order.
    turns: VecDeque<PeerId>,
    waiting: usize,
    /// Bytes that wait or are worked on.
    bytes: usize,
    /// Bytes per second and thread, once measured.
    rate: Option<f64>,
    is_stopped: bool,
}

struct Job {
    work: Box<dyn FnOnce() + Send>,
    bytes: usize,
    done: oneshot::Sender<()>,
}

/// The pool for work on so many bytes of one peer.
pub(crate) struct Lane {
    /// `None`: the work is done where it is asked for.
    queue: Option<Arc<Queue>>,
    peer: PeerId,
    /// For the order and the estimates.
    bytes: usize,
    /// Waits as long as it takes.
    is_patient: bool,
}

impl Lane {
    /// The same pool, waited for as long as it takes: for uploads that wait for room anyway.
    pub(crate) const fn patient(mut self) -> Self {
        self.is_patient = true;
        self
    }
}

impl CpuThreads {
    /// As many threads of each kind as there are cores.
    pub(crate) fn start(cores: usize, longest_wait: Duration) -> std::io::Result<Self> {
        let queue = || {
            let (state, wake) = (Mutex::default(), Condvar::new());
            Arc::new(Queue {
                state,
                wake,
                threads: cores.max(1),
                longest_wait,
            })
        };
        let threads = Self {
            short: queue(),
            long: queue(),
        };
        for (queue, name, niceness) in [
            (&threads.short, "short-work", 0),
            (&threads.long, "long-work", NICENESS),
        ] {
            for _ in 0..queue.threads {
                let queue = Arc::clone(queue);
                std::thread::Builder::new()
                    .name(name.to_owned())
                    .spawn(move || {
                        // Where niceness cannot be set, long work is merely less polite.
                        let _ = rustix::process::nice(niceness);
                        queue.work();
                    })?;
            }
        }
        Ok(threads)
    }

    /// The pool for work on `bytes` bytes that `peer` sent.
    pub(crate) fn lane(&self, peer: PeerId, bytes: usize) -> Lane {
        let queue = match bytes {
            0..=RUN_HERE_BYTES => None,
            _ if bytes <= SHORT_BYTES => Some(self.short.clone()),
            _ => Some(self.long.clone()),
        };
        Lane {
            queue,
            peer,
            bytes: bytes.min(UNKNOWN_BYTES),
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
        let of_peer = state.jobs.get(&peer).map_or(0, VecDeque::len);
        let is_full = state.waiting >= MOST_WAITING || of_peer >= MOST_OF_PEER;
        if is_full || (!is_patient && self.wait_of(&state, peer) > self.longest_wait) {
            metrics::counter!("work_rejected_total").increment(1);
            return Err(CpuBusy);
        }
        state.waiting += 1;
        state.bytes += job.bytes;
        let jobs = state.jobs.entry(peer).or_default();
        jobs.push_back(job);
        if jobs.len() == 1 {
            state.turns.push_back(peer);
        }
        drop(state);
        self.wake.notify_one();
        Ok(())
    }

    /// The time that new work of a peer would wait, by the measured rate: for all work, or for as much of each peer as it
    /// has itself, whichever is less.
    fn wait_of(&self, state: &State, peer: PeerId) -> Duration {
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
        let ahead = state.bytes.min(own.saturating_mul(state.turns.len()));
        #[expect(clippy::cast_precision_loss, reason = "an estimate")]
        let seconds = ahead as f64 / (rate * self.threads as f64).max(1.0);
        Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX)
    }

    fn work(&self) {
        while let Some(job) = self.next() {
            let bytes = job.bytes;
            let started = Instant::now();
            // Whoever left wants nothing any more.
            if !job.done.is_closed() && catch_unwind(AssertUnwindSafe(job.work)).is_ok() {
                let _ = job.done.send(());
                self.finished(bytes, Some(started.elapsed()));
            } else {
                self.finished(bytes, None);
            }
        }
    }

    /// The next piece of work: that of the peer whose turn it is.
    fn next(&self) -> Option<Job> {
        let mut state = self.state();
        loop {
            if state.is_stopped {
                return None;
            }
            if let Some(peer) = state.turns.pop_front() {
                let Some(jobs) = state.jobs.get_mut(&peer) else {
                    continue;
                };
                let job = jobs.pop_front();
                if jobs.is_empty() {
                    state.jobs.remove(&peer);
                } else {
                    state.turns.push_back(peer);
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
    async fn peers_take_turns() {
        let threads = CpuThreads::start(1, Duration::from_secs(5)).expect("threads");
        let (release, gate) = mpsc::channel::<()>();
        let (seen, order) = mpsc::channel();
        let first = threads.lane(peer(9), 100_000);
        let blocked =
            tokio::spawn(async move { run_in(&first, move || gate.recv().is_ok()).await });
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
        release.send(()).expect("it waits");
        for task in tasks {
            assert!(task.await.expect("it ends").is_ok());
        }
        assert!(blocked.await.expect("it ends").is_ok());
        assert_eq!(order.try_iter().collect::<Vec<_>>(), [1, 2, 1, 1]);
    }

    #[tokio::test]
    async fn work_of_a_caller_that_left_is_not_done() {
        let threads = CpuThreads::start(1, Duration::from_secs(5)).expect("threads");
        let (release, gate) = mpsc::channel::<()>();
        let lane = threads.lane(peer(1), 100_000);
        let blocked = tokio::spawn({
            let lane = threads.lane(peer(1), 100_000);
            async move { run_in(&lane, move || gate.recv().is_ok()).await }
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
        release.send(()).expect("it waits");
        assert!(blocked.await.expect("it ends").is_ok());
        assert!(done.recv().is_err());
    }
}
