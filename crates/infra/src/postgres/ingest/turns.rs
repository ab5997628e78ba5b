//! Who may write to a user's data, and what waits for it.
//!
//! The user's row in the database is the lock that counts, also between processes. But whoever waits for it holds a
//! connection and a snapshot, and in a shared transaction the rows of other users. So here a user is in the hands of one
//! writer at a time. Users take turns, and those with much to write leave room for those with little.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use time_series_domain::UserId;
use time_series_domain::ingest::{EncodedSession, SessionWrite};
use time_series_domain::ports::{StoreError, Stored};
use tokio::sync::oneshot;

use crate::postgres::pool::Postgres;

/// So many writers are at work at a time.
pub(in crate::postgres) const WRITERS: usize = 3;
/// What one of them takes at most: sessions, points, and sessions of one user.
const GROUP_SESSIONS: usize = 256;
const GROUP_POINTS: u64 = 64_000;
const GROUP_OF_USER: usize = 64;
/// The memory of a session besides its blocks.
const SESSION_BYTES: u64 = 1_024;
/// The rate of writing is measured over stretches of at least this length.
const MEASURED: Duration = Duration::from_millis(250);
/// Weight of the newest measurement of the rate.
const SMOOTHING: f64 = 0.3;

/// A session that waits to be stored, and who waits for it.
pub(super) struct Pending {
    pub(super) session: Arc<EncodedSession>,
    pub(super) write: SessionWrite,
    since: Instant,
    answer: oneshot::Sender<Result<Stored, StoreError>>,
}

/// The turns of all users.
pub(in crate::postgres) struct Turns {
    state: Mutex<State>,
    /// A session that would wait longer is refused.
    longest_wait: Duration,
    /// What may wait and be written, in bytes.
    most_bytes: u64,
}

#[derive(Default)]
struct State {
    users: HashMap<UserId, Waiting>,
    /// Users whom nobody has in hand, and who have sessions waiting.
    ready: VecDeque<UserId>,
    bytes: u64,
    writers: usize,
    rate: Rate,
}

/// The rate at which sessions are written while any wait.
#[derive(Default)]
struct Rate {
    /// Bytes per second, once measured.
    bytes_per_second: Option<f64>,
    /// Since when the writers have been at work, and what they have written since.
    since: Option<(Instant, u64)>,
}

impl Rate {
    /// Begins to measure, if writers were idle.
    fn begin(&mut self) {
        self.since.get_or_insert_with(|| (Instant::now(), 0));
    }

    fn written(&mut self, bytes: u64) {
        let Some((since, written)) = &mut self.since else {
            return;
        };
        *written += bytes;
        if since.elapsed() < MEASURED {
            return;
        }
        #[expect(clippy::cast_precision_loss, reason = "an estimate")]
        let now = *written as f64 / since.elapsed().as_secs_f64();
        self.bytes_per_second = Some(
            self.bytes_per_second
                .map_or(now, |known| known + SMOOTHING * (now - known)),
        );
        self.since = Some((Instant::now(), 0));
    }

    /// The time that these bytes take; nothing before the first measurement.
    fn time_of(&self, bytes: u64) -> Duration {
        let Some(rate) = self.bytes_per_second else {
            return Duration::ZERO;
        };
        #[expect(clippy::cast_precision_loss, reason = "an estimate")]
        let seconds = bytes as f64 / rate.max(1.0);
        Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX)
    }
}

/// What waits for a user.
#[derive(Default)]
struct Waiting {
    sessions: VecDeque<Pending>,
    turns: VecDeque<oneshot::Sender<Turn>>,
    /// Somebody has the user in hand.
    is_taken: bool,
}

/// Sessions to be written together, no two of one id; the users' turns are over when this is dropped.
pub(super) struct Group {
    pub(super) pending: Vec<Pending>,
    users: Vec<UserId>,
    bytes: u64,
    postgres: Postgres,
}

/// The turn of a writer of one user, until it is dropped.
pub(in crate::postgres) struct Turn {
    user: UserId,
    /// `None` once it was handed on.
    postgres: Option<Postgres>,
}

/// The right to be one of the writers, until it is dropped.
pub(super) struct Writer {
    /// `None` once it has ended.
    turns: Option<Arc<Turns>>,
}

impl Pending {
    pub(super) fn new(
        session: Arc<EncodedSession>,
        write: SessionWrite,
    ) -> (Self, oneshot::Receiver<Result<Stored, StoreError>>) {
        let (answer, told) = oneshot::channel();
        (
            Self {
                session,
                write,
                since: Instant::now(),
                answer,
            },
            told,
        )
    }

    pub(super) fn answer(self, answer: Result<Stored, StoreError>) {
        // Whoever left hears nothing.
        let _ = self.answer.send(answer);
    }

    fn bytes(&self) -> u64 {
        SESSION_BYTES + self.session.heap_bytes() as u64
    }
}

impl Turns {
    /// Bytes of sessions that wait or are being written.
    pub(in crate::postgres) fn bytes(&self) -> u64 {
        self.state().bytes
    }

    pub(in crate::postgres) fn new(longest_wait: Duration, most_bytes: usize) -> Self {
        Self {
            state: Mutex::default(),
            longest_wait,
            most_bytes: most_bytes as u64,
        }
    }

    /// The time that a session of a user would wait, by the measured rate: for all that waits, or for as much of each user
    /// as waits of this one, whichever is less.
    fn wait_of(state: &State, user: UserId) -> Duration {
        let own: u64 = state
            .users
            .get(&user)
            .into_iter()
            .flat_map(|w| &w.sessions)
            .map(Pending::bytes)
            .sum();
        let ahead = state
            .bytes
            .min(own.saturating_mul(state.users.len() as u64));
        state.rate.time_of(ahead)
    }

    /// Lets a session wait; gives a writer to be started, if one is needed.
    pub(super) fn push(self: &Arc<Self>, pending: Pending) -> Result<Option<Writer>, StoreError> {
        let user = pending.session.user_id;
        let mut state = self.state();
        let bytes = pending.bytes();
        let is_full = state.bytes > 0 && state.bytes + bytes > self.most_bytes;
        if is_full || Self::wait_of(&state, user) > self.longest_wait {
            metrics::counter!("writes_rejected_total").increment(1);
            return Err(StoreError::Busy {
                doing: "storing a session",
            });
        }
        state.bytes += bytes;
        state.rate.begin();
        let waiting = state.users.entry(user).or_default();
        waiting.sessions.push_back(pending);
        if !waiting.is_taken && waiting.sessions.len() == 1 {
            state.ready.push_back(user);
        }
        Ok(self.needed(&mut state))
    }

    fn needed(self: &Arc<Self>, state: &mut State) -> Option<Writer> {
        let is_needed = !state.ready.is_empty() && state.writers < WRITERS;
        is_needed.then(|| {
            state.writers += 1;
            Writer {
                turns: Some(self.clone()),
            }
        })
    }

    /// The next one who waits for that user alone; if there is nobody, the user's sessions may be taken.
    fn next_turn(self: &Arc<Self>, user: UserId) -> Result<oneshot::Sender<Turn>, Option<Writer>> {
        let mut state = self.state();
        let Some(waiting) = state.users.get_mut(&user) else {
            return Err(None);
        };
        if let Some(teller) = waiting.turns.pop_front() {
            return Ok(teller);
        }
        waiting.is_taken = false;
        if waiting.sessions.is_empty() {
            state.users.remove(&user);
        } else {
            state.ready.push_back(user);
        }
        Err(self.needed(&mut state))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Postgres {
    /// What is waiting, as much as goes into one transaction, and another writer to be started for the rest. `None` ends
    /// the writer.
    pub(super) fn take(&self, writer: Writer) -> Option<(Writer, Group, Option<Writer>)> {
        let mut state = self.turns.state();
        let mut group = Group {
            pending: Vec::new(),
            users: Vec::new(),
            bytes: 0,
            postgres: self.clone(),
        };
        let mut points = 0;
        while group.pending.len() < GROUP_SESSIONS && points < GROUP_POINTS {
            let Some(user) = state.ready.pop_front() else {
                break;
            };
            let Some(waiting) = state.users.get_mut(&user) else {
                continue;
            };
            waiting.is_taken = true;
            group.users.push(user);
            let first = group.pending.len();
            while let Some(next) = waiting.sessions.front() {
                let of_user = &group.pending[first..];
                let is_again = of_user
                    .iter()
                    .any(|p| p.session.session_id == next.session.session_id);
                let is_full = of_user.len() >= GROUP_OF_USER
                    || (!of_user.is_empty() && points >= GROUP_POINTS);
                if is_again || is_full {
                    break;
                }
                let Some(pending) = waiting.sessions.pop_front() else {
                    break;
                };
                let bytes = pending.bytes();
                group.bytes += bytes;
                if pending.answer.is_closed() {
                    continue; // nobody waits for it any more
                }
                if pending.since.elapsed() > self.wait {
                    pending.answer(Err(StoreError::Busy {
                        doing: "storing a session",
                    }));
                    continue;
                }
                points += pending.session.points;
                group.pending.push(pending);
            }
        }
        if group.users.is_empty() {
            // Under the lock: whoever pushes from now on sees that a writer is missing.
            writer.end(&mut state);
            drop(state); // which the group takes when it is dropped
            return None;
        }
        let another = self.turns.needed(&mut state);
        Some((writer, group, another))
    }

    /// The turn of a writer that is no ingest, such as a deletion: it comes before sessions that wait.
    pub(in crate::postgres) async fn turn(
        &self,
        user: UserId,
        doing: &'static str,
    ) -> Result<Turn, StoreError> {
        let told = {
            let mut state = self.turns.state();
            let waiting = state.users.entry(user).or_default();
            if !waiting.is_taken && waiting.sessions.is_empty() {
                waiting.is_taken = true;
                return Ok(Turn {
                    user,
                    postgres: Some(self.clone()),
                });
            }
            let (teller, told) = oneshot::channel();
            waiting.turns.push_back(teller);
            told
        };
        // A turn that comes too late is dropped with its channel, and goes to the next one.
        match tokio::time::timeout(self.wait, told).await {
            Ok(Ok(turn)) => Ok(turn),
            Ok(Err(_)) | Err(_) => Err(StoreError::Locked { doing }),
        }
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        {
            let mut state = self.postgres.turns.state();
            state.bytes -= self.bytes;
            state.rate.written(self.bytes);
            if state.bytes == 0 {
                state.rate.since = None;
            }
        }
        for user in std::mem::take(&mut self.users) {
            let writer = self.postgres.turns.release(user, &self.postgres);
            self.postgres.start(writer);
        }
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        if let Some(postgres) = self.postgres.take() {
            let writer = postgres.turns.release(self.user, &postgres);
            postgres.start(writer);
        }
    }
}

impl Turns {
    /// Ends the turn of a user's writer; gives a writer to be started, if one is needed.
    fn release(self: &Arc<Self>, user: UserId, postgres: &Postgres) -> Option<Writer> {
        loop {
            let teller = match self.next_turn(user) {
                Ok(teller) => teller,
                Err(writer) => return writer,
            };
            match teller.send(Turn {
                user,
                postgres: Some(postgres.clone()),
            }) {
                Ok(()) => return None,
                // Whoever waited has left; the turn is still in our hands.
                Err(mut unwanted) => unwanted.postgres = None,
            }
        }
    }
}

impl Writer {
    fn end(mut self, state: &mut State) {
        self.turns = None;
        state.writers -= 1;
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        if let Some(turns) = self.turns.take() {
            turns.state().writers -= 1;
        }
    }
}
