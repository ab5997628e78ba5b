//! Appends: decides whether points are added to a stored session, repeat an earlier append or are
//! rejected.

use super::{Digest, EncodedSession, IdempotencyKey, Outcome, StoredSession, WriteConflict};
use crate::Timestamp;
use crate::model::{check_in_window, window_of_new_session};

/// Maximum points of a session, appended points included.
pub const MAX_SESSION_POINTS: u64 = i32::MAX as u64;

/// An earlier append to a session, or the write under a key that created it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppendRecord {
    /// Digest of the appended points.
    pub points_digest: Digest,
    /// The `Idempotency-Key` of the request.
    pub key: Option<IdempotencyKey>,
    /// Number of points of the session after the append.
    pub total_points: u64,
    /// The user's version after the append.
    pub version: u64,
    /// True if the write created the session.
    pub created: bool,
}

/// The result of a write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stored {
    /// The outcome.
    pub outcome: Outcome,
    /// The user's version after the write.
    pub version: u64,
    /// Number of points that are stored under the session's id.
    pub total_points: u64,
    /// True if the result is that of an earlier request with the same key.
    pub is_replay: bool,
}

/// The action of a store on an append to a stored session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum AppendDecision {
    /// Adds the points.
    Add,
    /// Changes nothing: the points are stored already.
    Known,
    /// Changes nothing and returns the result of an earlier append with the same key.
    Replay(AppendRecord),
}

impl AppendRecord {
    /// Returns the result of the earlier append.
    #[must_use]
    pub const fn replay(&self) -> Stored {
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

/// Decides an append of the points of `sent` to a stored session. A missing `start_ts` is that of
/// the stored session.
///
/// | the request has | an earlier append has | decision |
/// | --- | --- | --- |
/// | a key | the same key and points | replay |
/// | a key | the same key, other points | [`WriteConflict::KeyReused`] |
/// | no key | the same points | known |
/// | any | neither | add, within the session's window and size |
///
/// # Errors
/// [`WriteConflict::StartDiffers`], [`WriteConflict::KeyReused`], [`WriteConflict::SessionFull`],
/// [`WriteConflict::OutsideWindow`].
pub(super) fn decide_append(
    sent: &EncodedSession,
    stored: &StoredSession<'_>,
    key: Option<&IdempotencyKey>,
) -> Result<AppendDecision, WriteConflict> {
    let start_ts = stored.extent.start_ts;
    if sent.start_ts.is_some() && sent.start_ts != start_ts {
        return Err(WriteConflict::StartDiffers);
    }
    let has_points = |append: &&AppendRecord| append.points_digest == sent.points_digest;
    if let Some(key) = key {
        let of_key = stored.appends.iter().find(|a| a.key.as_ref() == Some(key));
        if let Some(append) = of_key {
            return if has_points(&append) {
                Ok(AppendDecision::Replay(append.clone()))
            } else {
                Err(WriteConflict::KeyReused)
            };
        }
    } else if sent.points_digest.with_start(start_ts) == stored.digest
        || stored.appends.iter().any(|append| has_points(&append))
    {
        return Ok(AppendDecision::Known);
    }
    let Some((first, last)) = sent.span() else {
        return Ok(AppendDecision::Known);
    };
    if stored.points + sent.points > MAX_SESSION_POINTS {
        return Err(WriteConflict::SessionFull);
    }
    let window = stored.extent.window(&sent.rules);
    let is_in_window = [first, last]
        .into_iter()
        .all(|t| check_in_window(t, window).is_ok());
    if is_in_window && (start_ts.is_some() || lies_in_own_window(sent)) {
        Ok(AppendDecision::Add)
    } else {
        Err(WriteConflict::OutsideWindow)
    }
}

/// Returns whether the points fit a session of their own.
pub(super) fn lies_in_own_window(sent: &EncodedSession) -> bool {
    let is_near = |(first, last): (Timestamp, Timestamp)| {
        let window = window_of_new_session(None, Some(first), &sent.rules);
        check_in_window(last, window).is_ok()
    };
    // With a start, each point was validated against it.
    sent.start_ts.is_some() || sent.span().is_none_or(is_near)
}
