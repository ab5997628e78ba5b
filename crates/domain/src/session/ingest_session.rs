//! Use cases that write a session: ingest, append, dry run.

use std::sync::Arc;

use super::{FindError, StoredSessions, WriteStage};
use crate::catalogue::CatalogueCache;
use crate::clock::Clock;
use crate::ingest::{
    BodyError, EncodedSession, IdempotencyKey, OnConflict, Outcome, SessionDraft, SessionSource,
    SessionWrite, ValidSession, ValidationErrors, WriteConflict,
};
use crate::metric_type::Catalogue;
use crate::model::AppendTarget;
use crate::ports::{
    CpuBusy, CpuPool, MetricTypeStore, SessionStore, SessionWriteError, StoreError, WriteError,
    run_in,
};
use crate::{SessionId, TimeRules, UserId};

/// Maximum attempts of a write while a metric type or the stored session changes during validation.
const MAX_ATTEMPTS: usize = 16;

/// The result of an ingest, an append or a dry run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ingested {
    /// The user that owns the session.
    pub user_id: UserId,
    /// The id of the session, sent or generated.
    pub session_id: SessionId,
    /// Number of points of the request.
    pub points: u64,
    /// The outcome.
    pub outcome: Outcome,
    /// The user's version after the write; `None` for a dry run.
    pub version: Option<u64>,
    /// Number of points that are stored under the id; `None` for a dry run.
    pub total_points: Option<u64>,
    /// True if the result is that of an earlier request with the same key.
    pub is_replay: bool,
}

/// Reason why nothing was stored, except for [`WriteError::OutcomeUnknown`].
#[derive(Debug, thiserror::Error)]
pub enum IngestError {
    /// The body is not a JSON object: send one.
    #[error("the body is not a JSON object: {0}")]
    Body(#[from] BodyError),
    /// Points or fields are invalid: correct them.
    #[error("{} validation errors", .0.total())]
    Invalid(ValidationErrors),
    /// The session to append to is not found.
    #[error(transparent)]
    Find(#[from] FindError),
    /// The stored session does not admit the write.
    #[error("{conflict}")]
    Conflict {
        /// The id of the session.
        session: SessionId,
        /// The reason.
        conflict: WriteConflict,
    },
    /// A metric type changed at each attempt: try again.
    #[error("a metric type changed")]
    CatalogueChanged,
    /// The CPU pool is full: try again later.
    #[error(transparent)]
    Busy(#[from] CpuBusy),
    /// The write failed.
    #[error(transparent)]
    Write(#[from] WriteError),
}

impl From<StoreError> for IngestError {
    fn from(e: StoreError) -> Self {
        Self::Write(e.into())
    }
}

/// A source of points that belong to `owner`.
struct PointsOf {
    source: Arc<dyn SessionSource>,
    owner: UserId,
}

impl SessionSource for PointsOf {
    fn read(&self) -> Result<SessionDraft<'_>, BodyError> {
        Ok(self.source.read()?.of_user(self.owner))
    }

    fn user(&self) -> Option<UserId> {
        Some(self.owner)
    }
}

/// Validates and stores sessions.
pub struct IngestSession {
    sessions: Arc<dyn SessionStore>,
    stored: StoredSessions,
    metric_types: Arc<dyn MetricTypeStore>,
    catalogue: Arc<CatalogueCache>,
    clock: Arc<dyn Clock>,
    rules: TimeRules,
}

impl IngestSession {
    /// Creates the use cases over their ports.
    #[must_use]
    pub fn new(
        sessions: Arc<dyn SessionStore>,
        metric_types: Arc<dyn MetricTypeStore>,
        catalogue: Arc<CatalogueCache>,
        clock: Arc<dyn Clock>,
        rules: TimeRules,
    ) -> Self {
        Self {
            stored: StoredSessions::new(Arc::clone(&sessions)),
            sessions,
            metric_types,
            catalogue,
            clock,
            rules,
        }
    }

    /// Validates and stores a session in one transaction. Parsing and validation run in `cpu`.
    ///
    /// `key` identifies a retry where the policy is [`OnConflict::Append`]. `stage` shows a caller
    /// that drops this future whether anything may have been stored. The source is read again if a
    /// metric type changes during validation.
    ///
    /// # Errors
    /// [`IngestError`].
    pub async fn ingest(
        &self,
        cpu: &dyn CpuPool,
        source: Arc<dyn SessionSource>,
        on_conflict: OnConflict,
        key: Option<&IdempotencyKey>,
        stage: &WriteStage,
    ) -> Result<Ingested, IngestError> {
        let target = if on_conflict == OnConflict::Append {
            AppendTarget::Unknown
        } else {
            AppendTarget::Alone
        };
        let write = SessionWrite::Store(on_conflict, key.cloned());
        self.write(cpu, &source, target, write, stage).await
    }

    /// Validates points and adds them to a stored session in one transaction.
    ///
    /// The session belongs to `user`, or else to the user that the body names, or else to the only
    /// user with a session of this id.
    ///
    /// # Errors
    /// [`IngestError`].
    pub async fn append(
        &self,
        cpu: &dyn CpuPool,
        session: SessionId,
        user: Option<UserId>,
        source: Arc<dyn SessionSource>,
        key: Option<&IdempotencyKey>,
        stage: &WriteStage,
    ) -> Result<Ingested, IngestError> {
        let requested = if user.is_some() {
            user
        } else {
            let source = Arc::clone(&source);
            run_in(cpu, move || source.user()).await?
        };
        let owner = self.stored.owner(session, requested).await?;
        let source: Arc<dyn SessionSource> = Arc::new(PointsOf { source, owner });
        let write = SessionWrite::Append(key.cloned());
        self.write(cpu, &source, AppendTarget::Unknown, write, stage)
            .await
    }

    /// Validates a session and stores nothing.
    ///
    /// # Errors
    /// [`IngestError::Body`], [`IngestError::Invalid`], [`IngestError::Busy`] and
    /// [`IngestError::Write`].
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
        self.validate(cpu, &source, AppendTarget::Alone, checked)
            .await
    }

    async fn write(
        &self,
        cpu: &dyn CpuPool,
        source: &Arc<dyn SessionSource>,
        mut target: AppendTarget,
        write: SessionWrite,
        stage: &WriteStage,
    ) -> Result<Ingested, IngestError> {
        let mut last_error = IngestError::CatalogueChanged;
        for _ in 0..MAX_ATTEMPTS {
            let encoded = self
                .validate(cpu, source, target, EncodedSession::encode)
                .await?;
            let (user_id, session_id) = (encoded.user_id, encoded.session_id);
            let points = encoded.points;
            stage.enter_store();
            let stored = self.sessions.write(Arc::new(encoded), write.clone()).await;
            // A write that is retried has stored nothing.
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
                Err(SessionWriteError::CatalogueChanged) => {
                    last_error = IngestError::CatalogueChanged;
                    self.catalogue.latest(self.metric_types.as_ref()).await?;
                }
                Err(SessionWriteError::Conflict(conflict)) => {
                    last_error = IngestError::Conflict {
                        session: session_id,
                        conflict,
                    };
                    if conflict != WriteConflict::OutsideWindow {
                        return Err(last_error);
                    }
                    // The next attempt names each point outside the window of the stored session.
                    let stored = self.sessions.get(user_id, session_id).await?;
                    target = stored.map_or(AppendTarget::Alone, |(record, _)| {
                        AppendTarget::To(record.extent())
                    });
                }
                Err(SessionWriteError::Failed(e)) => return Err(e.into()),
            }
        }
        Err(last_error)
    }

    /// Reads and validates a session and converts it with `make`, in one task of `cpu`.
    async fn validate<T: Send + 'static>(
        &self,
        cpu: &dyn CpuPool,
        source: &Arc<dyn SessionSource>,
        target: AppendTarget,
        make: fn(ValidSession<'_>) -> T,
    ) -> Result<T, IngestError> {
        let (rules, now) = (self.rules, self.clock.now());
        let validate = |catalogue: Arc<Catalogue>| {
            let source = Arc::clone(source);
            run_in(cpu, move || {
                let draft = source.read()?;
                ValidSession::check(draft, &catalogue, &rules, now, target)
                    .map(make)
                    .map_err(IngestError::Invalid)
            })
        };
        let known = self.catalogue.known(self.metric_types.as_ref()).await?;
        let generation = known.generation;
        let errors = match validate(known).await? {
            Err(IngestError::Invalid(errors)) => errors,
            validated => return validated,
        };
        // Another process may have changed the metric types: before a session is rejected, it is
        // validated against the latest catalogue.
        let latest = self.catalogue.latest(self.metric_types.as_ref()).await?;
        if latest.generation == generation {
            return Err(IngestError::Invalid(errors));
        }
        validate(latest).await?
    }
}
