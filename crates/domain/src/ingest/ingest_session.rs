//! The use case: store one session, whole or not at all.

use std::sync::Arc;

use super::{
    BodyError, EncodedSession, IdempotencyKey, Rejects, SessionSource, ValidSession, WriteStage,
};
use crate::catalogue::CatalogueCache;
use crate::clock::Clock;
use crate::metric_type::Catalogue;
use crate::ports::{CpuBusy, CpuPool, MetricTypeStore, SessionStore, StoreError, Stored, run_in};
use crate::session::Join;
use crate::{SessionId, TimeRules, UserId};

/// Maximum attempts where the schema of one of the session's own metric types, or the session that is appended to, changes
/// while points are checked.
const ATTEMPTS: usize = 16;

/// What to do when another session has the same id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OnConflict {
    /// Refuse.
    #[default]
    Error,
    /// Keep the stored one.
    Ignore,
    /// Put the new one in its place.
    Replace,
    /// Add the new points to the stored ones.
    Append,
}

/// What became of a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It is new.
    Created,
    /// The very same session was stored before.
    Unchanged,
    /// Another one was stored before and was kept.
    Ignored,
    /// Another one was stored before and is gone.
    Replaced,
    /// Its points were added to those that were stored before.
    Appended,
    /// It would be accepted; nothing was stored.
    Checked,
}

/// A session that was taken in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ingested {
    /// Whose it is.
    pub user_id: UserId,
    /// Its id, given or made.
    pub session_id: SessionId,
    /// Points in what was sent.
    pub points: u64,
    /// What became of it.
    pub outcome: Outcome,
    /// The user's version after it; `None` for a check.
    pub version: Option<u64>,
    /// How many points are stored under its id now; `None` for a check.
    pub total_points: Option<u64>,
    /// This was answered before, under the same key.
    pub is_replay: bool,
}

/// Why a session was not taken in.
#[derive(Debug, thiserror::Error)]
pub enum IngestError {
    /// There is no session to check: send a JSON object.
    #[error("the body is not a JSON object: {0}")]
    Body(#[from] BodyError),
    /// Points or fields are wrong: correct them.
    #[error("{} faults", .0.total())]
    Rejected(Rejects),
    /// Another session has this id: choose another, or a conflict policy.
    #[error("another session is stored under this id")]
    Conflict(SessionId),
    /// There is no session to append to: store it first.
    #[error("no session is stored under this id")]
    Absent(SessionId),
    /// The session to be appended to started at another time: leave `start_ts` out.
    #[error("the stored session has another start_ts")]
    StartConflict(SessionId),
    /// The session to be appended to can take no more points: begin another.
    #[error("the stored session is full")]
    Full(SessionId),
    /// Other points were appended under this key: choose another.
    #[error("other points were appended under this key")]
    KeyReused,
    /// Too much is being checked already; nothing was done: try again later.
    #[error(transparent)]
    Busy(#[from] CpuBusy),
    /// The store could not: try again.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Stores sessions.
pub struct IngestSession {
    sessions: Arc<dyn SessionStore>,
    metric_types: Arc<dyn MetricTypeStore>,
    catalogue: Arc<CatalogueCache>,
    clock: Arc<dyn Clock>,
    rules: TimeRules,
}

impl IngestSession {
    /// The use case over its ports.
    #[must_use]
    pub const fn new(
        sessions: Arc<dyn SessionStore>,
        metric_types: Arc<dyn MetricTypeStore>,
        catalogue: Arc<CatalogueCache>,
        clock: Arc<dyn Clock>,
        rules: TimeRules,
    ) -> Self {
        Self {
            sessions,
            metric_types,
            catalogue,
            clock,
            rules,
        }
    }

    /// Checks and stores a session, in one transaction. It is read and checked in `cpu`.
    ///
    /// A key counts where another session is appended to. `stage` tells a caller that drops this whether anything can have
    /// been stored. The source is read again in the rare case that a metric type
    /// changes meanwhile.
    ///
    /// # Errors
    /// [`IngestError`]; then nothing was stored.
    pub async fn ingest(
        &self,
        cpu: &dyn CpuPool,
        source: Arc<dyn SessionSource>,
        on_conflict: OnConflict,
        key: Option<&IdempotencyKey>,
        stage: &WriteStage,
    ) -> Result<Ingested, IngestError> {
        let join = if on_conflict == OnConflict::Append {
            Join::Unknown
        } else {
            Join::Alone
        };
        self.write(cpu, &source, join, stage, |session| {
            self.sessions.store(session, on_conflict, key.cloned())
        })
        .await
    }

    /// Checks points and adds them to the stored session of their id, in one transaction. They are read and checked in
    /// `cpu`.
    ///
    /// # Errors
    /// [`IngestError`]; then nothing was stored.
    pub async fn append(
        &self,
        cpu: &dyn CpuPool,
        source: Arc<dyn SessionSource>,
        key: Option<&IdempotencyKey>,
        stage: &WriteStage,
    ) -> Result<Ingested, IngestError> {
        self.write(cpu, &source, Join::Unknown, stage, |part| {
            self.sessions.append(part, key.cloned())
        })
        .await
    }

    async fn write<F: Future<Output = Result<Stored, StoreError>>>(
        &self,
        cpu: &dyn CpuPool,
        source: &Arc<dyn SessionSource>,
        mut join: Join,
        stage: &WriteStage,
        store: impl Fn(Arc<EncodedSession>) -> F,
    ) -> Result<Ingested, IngestError> {
        for _ in 0..ATTEMPTS {
            let session = Arc::new(
                self.check(cpu, source, join, EncodedSession::encode)
                    .await?,
            );
            let (user_id, session_id, points) =
                (session.user_id, session.session_id, session.points);
            stage.enter_store();
            let stored = store(session).await;
            // Whoever has to try again has stored nothing.
            stage.leave_store();
            match stored {
                Ok(stored) => {
                    return Ok(Ingested {
                        user_id,
                        session_id,
                        points,
                        outcome: stored.outcome,
                        version: Some(stored.version),
                        total_points: Some(stored.total_points),
                        is_replay: stored.is_replay,
                    });
                }
                Err(StoreError::CatalogueChanged) => {
                    self.catalogue.latest(self.metric_types.as_ref()).await?;
                }
                // To name each point that does not fit; where all fit by now, they are tried again.
                Err(StoreError::OutOfSession) => {
                    let record = self.sessions.get(user_id, session_id).await?;
                    join = record.map_or(Join::Alone, |(record, _)| Join::To(record.extent()));
                }
                Err(StoreError::SessionConflict) => return Err(IngestError::Conflict(session_id)),
                Err(StoreError::SessionAbsent) => return Err(IngestError::Absent(session_id)),
                Err(StoreError::StartConflict) => {
                    return Err(IngestError::StartConflict(session_id));
                }
                Err(StoreError::SessionFull) => return Err(IngestError::Full(session_id)),
                Err(StoreError::KeyReused) => return Err(IngestError::KeyReused),
                Err(e) => return Err(e.into()),
            }
        }
        Err(StoreError::CatalogueChanged.into())
    }

    /// Checks a session and stores nothing.
    ///
    /// # Errors
    /// [`IngestError::Rejected`] with every fault.
    pub async fn dry_run(
        &self,
        cpu: &dyn CpuPool,
        source: Arc<dyn SessionSource>,
    ) -> Result<Ingested, IngestError> {
        let checked = |session: ValidSession<'_>| Ingested {
            user_id: session.user_id(),
            session_id: session.session_id(),
            points: session.points() as u64,
            outcome: Outcome::Checked,
            version: None,
            total_points: None,
            is_replay: false,
        };
        self.check(cpu, &source, Join::Alone, checked).await
    }

    /// Reads and checks a session, and makes of it what is wanted, all in one piece of work.
    async fn check<T: Send + 'static>(
        &self,
        cpu: &dyn CpuPool,
        source: &Arc<dyn SessionSource>,
        join: Join,
        make: fn(ValidSession<'_>) -> T,
    ) -> Result<T, IngestError> {
        let (rules, now) = (self.rules, self.clock.now());
        let check = |catalogue: Arc<Catalogue>| {
            let source = Arc::clone(source);
            run_in(cpu, move || {
                let raw = source.read()?;
                ValidSession::check(raw, &catalogue, &rules, now, join)
                    .map(make)
                    .map_err(IngestError::Rejected)
            })
        };
        let known = self.catalogue.known(self.metric_types.as_ref()).await?;
        let generation = known.generation;
        let rejects = match check(known).await? {
            Err(IngestError::Rejected(rejects)) => rejects,
            checked => return checked,
        };
        // Another process may have changed the metric types: nothing is refused by an old catalogue.
        let latest = self.catalogue.latest(self.metric_types.as_ref()).await?;
        if latest.generation == generation {
            return Err(IngestError::Rejected(rejects));
        }
        check(latest).await?
    }
}
