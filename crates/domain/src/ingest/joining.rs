//! Whether points may join a session that is stored, and what is known of those that did.

use super::{Digest, EncodedSession, IdempotencyKey, Outcome};
use crate::Timestamp;
use crate::ports::{StoreError, Stored};
use crate::session::SessionExtent;

/// The most points that a session can grow to.
pub const MAX_SESSION_POINTS: u64 = i32::MAX as u64;

/// Points that were appended before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredPart {
    /// What they are compared by.
    pub points_digest: Digest,
    /// What their sender called them.
    pub key: Option<IdempotencyKey>,
    /// How many points the session had with them.
    pub total_points: u64,
    /// The user's version after them.
    pub version: u64,
    /// They made the session.
    pub created: bool,
}

impl StoredPart {
    /// The answer that was given, once more.
    #[must_use]
    pub const fn again(&self) -> Stored {
        let outcome = if self.created {
            Outcome::Created
        } else {
            Outcome::Appended
        };
        Stored {
            outcome,
            version: self.version,
            total_points: self.total_points,
            is_replay: true,
        }
    }
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
    /// Whether it can be a session of its own: without a start, its points lie near each other.
    #[must_use]
    pub fn fits_alone(&self) -> bool {
        let is_near = |(first, last): (Timestamp, Timestamp)| {
            last <= first.plus_days(self.rules.days_after_start)
        };
        self.start_ts.is_some() || self.span().is_none_or(is_near)
    }

    /// Whether its points join a stored session of so many `points`, `first` being that session's digest when it was made,
    /// and `parts` those that were appended since, as far as they have the same points or key. A start that is left out is
    /// the stored one.
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
        if self.start_ts.is_some() && self.start_ts != extent.start_ts {
            return Err(StoreError::StartConflict);
        }
        if let Some(answered) = parts
            .iter()
            .find(|part| key.is_some() && part.key.as_ref() == key)
        {
            let is_same = answered.points_digest == self.points_digest;
            return if is_same {
                Ok(Joining::Answered(answered.clone()))
            } else {
                Err(StoreError::KeyReused)
            };
        }
        let is_first = || self.points_digest.with_start(extent.start_ts) == first;
        if key.is_none()
            && (is_first()
                || parts
                    .iter()
                    .any(|part| part.points_digest == self.points_digest))
        {
            return Ok(Joining::Known);
        }
        let Some((first, last)) = self.span() else {
            return Ok(Joining::Known);
        };
        if points + self.points > MAX_SESSION_POINTS {
            return Err(StoreError::SessionFull);
        }
        let in_window = extent
            .window(&self.rules)
            .is_none_or(|(from, to)| from <= first && last <= to);
        let fits = in_window && (extent.start_ts.is_some() || self.fits_alone());
        if fits {
            Ok(Joining::New)
        } else {
            Err(StoreError::OutOfSession)
        }
    }
}
