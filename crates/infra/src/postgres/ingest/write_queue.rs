//! In-process write queue: serialises the writes of each user and batches the writes of many users.
//!
//! The row of the user in the database is the authoritative lock, also between processes. But a
//! transaction that waits for this lock holds a connection, a snapshot and the rows of the other
//! users of its batch. Therefore each user is in at most one batch of this process at a time. Users
//! are served round-robin, with a limit per user and batch.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use time_series_domain::UserId;
use time_series_domain::ingest::{EncodedSession, SessionWrite, Stored};
use time_series_domain::ports::{SessionWriteError, WriteError};
use tokio::sync::{Notify, oneshot};

use super::write_rate::WriteRate;

/// Maximum sessions of a batch.
const MAX_BATCH_SESSIONS: usize = 256;
/// Points after which a batch takes no further session.
const MAX_BATCH_POINTS: u64 = 64_000;
/// Maximum sessions of one user in a batch.
const MAX_USER_SESSIONS: usize = 64;
/// Memory of a queued session without its blocks, in bytes.
const SESSION_BYTES: u64 = 1_024;

/// The result of a write.
pub(super) type Written = Result<Stored, SessionWriteError>;

/// Limits of the queue.
#[derive(Debug, Clone, Copy)]
pub(super) struct QueueLimits {
    /// Maximum expected wait of a write, by the measured rate.
    pub(super) max_wait: Duration,
    /// Maximum bytes of the writes that wait or are being written.
    pub(super) max_bytes: u64,
    /// Maximum actual wait of a write or of a lock.
    pub(super) timeout: Duration,
}

/// A write that waits for a worker.
pub(super) struct QueuedWrite {
    pub(super) session: Arc<EncodedSession>,
    pub(super) write: SessionWrite,
    queued_at: Instant,
    result: oneshot::Sender<Written>,
}

/// The writes that wait, and the users that are in a batch or locked.
pub(super) struct WriteQueue {
    limits: QueueLimits,
    state: Mutex<State>,
    /// Wakes a worker when a user becomes ready.
    wake: Notify,
}

#[derive(Default)]
struct State {
    users: HashMap<UserId, UserQueue>,
    /// Users with waiting writes that are neither in a batch nor locked.
    ready: VecDeque<UserId>,
    /// Bytes of the writes that wait or are being written.
    bytes: u64,
    rate: WriteRate,
    is_closed: bool,
}

/// The requests of one user.
#[derive(Default)]
struct UserQueue {
    writes: VecDeque<QueuedWrite>,
    /// Requests for the lock. They precede the writes.
    locks: VecDeque<oneshot::Sender<UserLock>>,
    /// True while the user is in a batch or locked.
    is_taken: bool,
}

/// Writes to be stored in one transaction, at most one per session. Dropping the batch releases its
/// users.
pub(super) struct Batch {
    pub(super) writes: Vec<QueuedWrite>,
    users: Vec<UserId>,
    bytes: u64,
    queue: Arc<WriteQueue>,
}

/// Exclusive access to the data of a user within this process. Dropping the lock releases it.
pub(in crate::postgres) struct UserLock {
    user: UserId,
    /// `None` once the lock was handed on.
    queue: Option<Arc<WriteQueue>>,
}

impl QueuedWrite {
    pub(super) fn new(
        session: Arc<EncodedSession>,
        write: SessionWrite,
    ) -> (Self, oneshot::Receiver<Written>) {
        let (sender, receiver) = oneshot::channel();
        let queued = Self {
            session,
            write,
            queued_at: Instant::now(),
            result: sender,
        };
        (queued, receiver)
    }

    pub(super) fn finish(self, result: Written) {
        // The caller may have left.
        let _ = self.result.send(result);
    }

    fn bytes(&self) -> u64 {
        SESSION_BYTES + self.session.heap_bytes() as u64
    }
}

impl WriteQueue {
    pub(super) fn new(limits: QueueLimits) -> Arc<Self> {
        Arc::new(Self {
            limits,
            state: Mutex::default(),
            wake: Notify::new(),
        })
    }

    /// Returns the bytes of the writes that wait or are being written.
    pub(super) fn bytes(&self) -> u64 {
        self.state().bytes
    }

    /// Adds a write.
    ///
    /// # Errors
    /// [`WriteError::QueueFull`] if the queue has too many bytes or the write would wait too long.
    pub(super) fn push(&self, write: QueuedWrite) -> Result<(), WriteError> {
        let user = write.session.user_id;
        let bytes = write.bytes();
        let mut state = self.state();
        let is_full = state.bytes > 0 && state.bytes + bytes > self.limits.max_bytes;
        if is_full || state.expected_wait(user) > self.limits.max_wait {
            metrics::counter!("writes_rejected_total").increment(1);
            return Err(WriteError::QueueFull);
        }
        state.bytes += bytes;
        state.rate.start();
        let queue = state.users.entry(user).or_default();
        queue.writes.push_back(write);
        if !queue.is_taken && queue.writes.len() == 1 {
            state.ready.push_back(user);
            self.wake.notify_one();
        }
        Ok(())
    }

    /// Waits for the next batch. Returns `None` once the queue is closed and empty.
    pub(super) async fn next_batch(self: &Arc<Self>) -> Option<Batch> {
        loop {
            // Before the check: a wake-up between the check and the wait is not lost.
            let woken = self.wake.notified();
            {
                let mut state = self.state();
                if let Some(batch) = self.take_batch(&mut state) {
                    if !state.ready.is_empty() {
                        self.wake.notify_one();
                    }
                    return Some(batch);
                }
                if state.is_closed {
                    return None;
                }
            }
            woken.await;
        }
    }

    /// Locks the data of a user, ahead of the user's waiting writes.
    ///
    /// # Errors
    /// [`WriteError::Locked`] after the timeout.
    pub(super) async fn lock(
        self: &Arc<Self>,
        user: UserId,
        doing: &'static str,
    ) -> Result<UserLock, WriteError> {
        let lock = {
            let mut state = self.state();
            let queue = state.users.entry(user).or_default();
            if !queue.is_taken && queue.writes.is_empty() {
                queue.is_taken = true;
                return Ok(self.user_lock(user));
            }
            let (sender, receiver) = oneshot::channel();
            queue.locks.push_back(sender);
            receiver
        };
        // A lock that comes too late is dropped with its channel and handed to the next request.
        match tokio::time::timeout(self.limits.timeout, lock).await {
            Ok(Ok(lock)) => Ok(lock),
            Ok(Err(_)) | Err(_) => Err(WriteError::Locked { doing }),
        }
    }

    /// Ends the workers once no write waits.
    pub(super) fn close(&self) {
        self.state().is_closed = true;
        self.wake.notify_waiters();
    }

    fn take_batch(self: &Arc<Self>, state: &mut State) -> Option<Batch> {
        let mut batch = Batch {
            writes: Vec::new(),
            users: Vec::new(),
            bytes: 0,
            queue: Arc::clone(self),
        };
        let mut points = 0;
        while batch.writes.len() < MAX_BATCH_SESSIONS && points < MAX_BATCH_POINTS {
            let Some(user) = state.ready.pop_front() else {
                break;
            };
            let Some(queue) = state.users.get_mut(&user) else {
                continue;
            };
            queue.is_taken = true;
            batch.users.push(user);
            self.take_writes(queue, &mut batch, &mut points);
        }
        if batch.users.is_empty() {
            // The drop of a batch without users does not lock the state.
            return None;
        }
        Some(batch)
    }

    /// Moves writes of one user to the batch, in order, up to the limits or a second write of a
    /// session.
    fn take_writes(&self, queue: &mut UserQueue, batch: &mut Batch, points: &mut u64) {
        let first = batch.writes.len();
        while let Some(next) = queue.writes.front() {
            let of_user = &batch.writes[first..];
            let id = next.session.session_id;
            let is_repeated = of_user.iter().any(|w| w.session.session_id == id);
            let is_full = of_user.len() >= MAX_USER_SESSIONS
                || (!of_user.is_empty() && *points >= MAX_BATCH_POINTS);
            if is_repeated || is_full {
                break;
            }
            let Some(write) = queue.writes.pop_front() else {
                break;
            };
            batch.bytes += write.bytes();
            if write.result.is_closed() {
                // The caller has left.
                continue;
            }
            if write.queued_at.elapsed() > self.limits.timeout {
                write.finish(Err(WriteError::QueueFull.into()));
                continue;
            }
            *points += write.session.points;
            batch.writes.push(write);
        }
    }

    /// Releases a user: to the next lock request, or else to the workers.
    fn release(self: &Arc<Self>, user: UserId) {
        loop {
            let request = {
                let mut state = self.state();
                let Some(queue) = state.users.get_mut(&user) else {
                    return;
                };
                let Some(request) = queue.locks.pop_front() else {
                    queue.is_taken = false;
                    if queue.writes.is_empty() {
                        state.users.remove(&user);
                    } else {
                        state.ready.push_back(user);
                        self.wake.notify_one();
                    }
                    return;
                };
                request
            };
            match request.send(self.user_lock(user)) {
                Ok(()) => return,
                // The caller has left. The unused lock must not release the user a second time.
                Err(mut unused) => unused.queue = None,
            }
        }
    }

    fn user_lock(self: &Arc<Self>, user: UserId) -> UserLock {
        UserLock {
            user,
            queue: Some(Arc::clone(self)),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Returns the expected wait of a new write of a user, by the measured rate: the time to write
    /// all waiting bytes, or as many bytes per user as this user has waiting, whichever is less.
    fn expected_wait(&self, user: UserId) -> Duration {
        let of_user = self.users.get(&user).into_iter();
        let own: u64 = of_user
            .flat_map(|queue| &queue.writes)
            .map(QueuedWrite::bytes)
            .sum();
        let ahead = own.saturating_mul(self.users.len() as u64);
        self.rate.time_of(self.bytes.min(ahead))
    }
}

impl Drop for Batch {
    fn drop(&mut self) {
        if self.users.is_empty() {
            return;
        }
        {
            let mut state = self.queue.state();
            state.bytes -= self.bytes;
            let is_idle = state.bytes == 0;
            state.rate.add(self.bytes, is_idle);
        }
        for user in std::mem::take(&mut self.users) {
            self.queue.release(user);
        }
    }
}

impl Drop for UserLock {
    fn drop(&mut self) {
        if let Some(queue) = self.queue.take() {
            queue.release(self.user);
        }
    }
}
