//! The use case: store one session, whole or not at all.

use std::sync::Arc;

use super::{BodyError, EncodedSession, RawSession, Rejects, ValidSession};
use crate::clock::Clock;
use crate::metric_type::CatalogueCache;
use crate::ports::{MetricTypeStore, SessionStore, StoreError};
use crate::{SessionId, TimeRules, UserId};

/// A schema may change while a session is checked; so often it is checked again.
const CATALOGUE_RETRIES: usize = 5;

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
        Self { sessions, metric_types, catalogue, clock, rules }
    }

    /// Checks and stores the session that `read` gives, in one transaction.
    ///
    /// `read` is called again in the rare case that a metric type changes meanwhile.
    ///
    /// # Errors
    /// [`IngestError`]; then nothing was stored.
    pub async fn ingest(
        &self,
        read: impl Fn() -> Result<RawSession, BodyError> + Send + Sync,
        on_conflict: OnConflict,
    ) -> Result<Ingested, IngestError> {
        for _ in 0..CATALOGUE_RETRIES {
            let session = Arc::new(EncodedSession::encode(self.check(&read).await?));
            match self.sessions.store(session.clone(), on_conflict).await {
                Ok(stored) => {
                    return Ok(Ingested {
                        user_id: session.user_id,
                        session_id: session.session_id,
                        points: session.points,
                        outcome: stored.outcome,
                        version: Some(stored.version),
                    });
                }
                Err(StoreError::CatalogueChanged) => {
                    self.catalogue.reload(self.metric_types.as_ref()).await?;
                }
                Err(StoreError::SessionConflict) => return Err(IngestError::Conflict(session.session_id)),
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
        read: impl Fn() -> Result<RawSession, BodyError> + Send + Sync,
    ) -> Result<Ingested, IngestError> {
        let session = self.check(&read).await?;
        Ok(Ingested {
            user_id: session.user_id(),
            session_id: session.session_id(),
            points: session.points() as u64,
            outcome: Outcome::Checked,
            version: None,
        })
    }

    async fn check(
        &self,
        read: &(impl Fn() -> Result<RawSession, BodyError> + Send + Sync),
    ) -> Result<ValidSession, IngestError> {
        let known = self.catalogue.current(self.metric_types.as_ref()).await?;
        let now = self.clock.now();
        let rejects = match ValidSession::check(read()?, &known, &self.rules, now) {
            Ok(session) => return Ok(session),
            Err(rejects) => rejects,
        };
        // Another process may have changed the metric types: nothing is refused by an old catalogue.
        if self.metric_types.generation().await? == known.generation {
            return Err(IngestError::Rejected(rejects));
        }
        let fresh = self.catalogue.reload(self.metric_types.as_ref()).await?;
        ValidSession::check(read()?, &fresh, &self.rules, now).map_err(IngestError::Rejected)
    }
}
