//! Whether points may join a session that is stored, and what is known of those that did.

use super::{Digest, EncodedSession, IdempotencyKey};
use crate::ports::StoreError;
use crate::session::SessionExtent;

/// The most points that a session can grow to.
pub const MAX_SESSION_POINTS: u64 = i32::MAX as u64;

/// Points that were appended before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredPart {
    /// What they are compared by.
    pub digest: Digest,
    /// What their sender called them.
    pub key: Option<IdempotencyKey>,
    /// How many points the session had with them.
    pub total_points: u64,
    /// The user's version after them.
    pub version: u64,
}

/// What an append does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Joining {
    /// It adds its points.
    New,
    /// Its points are there already.
    Known,
    /// It was answered before, under its key.
    Answered(StoredPart),
}

impl EncodedSession {
    /// Whether its points join a stored session of so many `points`, `first` being the digest of that session's first part and `parts` those
    /// that were appended since, as far as they have the same digest or key.
    ///
    /// With a key, the key alone tells a retry; without one, the content does.
    ///
    /// # Errors
    /// [`StoreError::KeyReused`], [`StoreError::StartConflict`], [`StoreError::SessionFull`], [`StoreError::OutOfSession`].
    pub fn joining(
        &self,
        extent: &SessionExtent,
        points: u64,
        first: Digest,
        parts: &[StoredPart],
        key: Option<&IdempotencyKey>,
    ) -> Result<Joining, StoreError> {
        if let Some(answered) = parts.iter().find(|part| key.is_some() && part.key.as_ref() == key) {
            let is_same = answered.digest == self.digest;
            return if is_same { Ok(Joining::Answered(answered.clone())) } else { Err(StoreError::KeyReused) };
        }
        if key.is_none() && (first == self.digest || parts.iter().any(|part| part.digest == self.digest)) {
            return Ok(Joining::Known);
        }
        if self.start_ts.is_some() && self.start_ts != extent.start_ts {
            return Err(StoreError::StartConflict);
        }
        let Some((first, last)) = self.span() else { return Ok(Joining::Known) };
        if points + self.points > MAX_SESSION_POINTS {
            return Err(StoreError::SessionFull);
        }
        let fits = extent.window(&self.rules).is_none_or(|(from, to)| from <= first && last <= to);
        if fits { Ok(Joining::New) } else { Err(StoreError::OutOfSession) }
    }
}
