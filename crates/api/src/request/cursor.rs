//! Opaque places in a listing, sealed so that only ours are taken.

use time_series_domain::{SessionId, SessionPosition, Timestamp, UserId};
use uuid::Uuid;

/// 128 bits are plenty against guessing.
const SEAL: usize = 16;
const PLACE: usize = 1 + 8 + 16;

/// Seals cursors. All processes with the same `DATABASE_URL` have the same key.
pub(crate) struct CursorKey([u8; 32]);

impl CursorKey {
    /// The key of everyone who knows `secret`.
    pub(crate) fn derive(secret: &str) -> Self {
        Self(blake3::derive_key("time-series-backend 2026 list cursors", secret.as_bytes()))
    }

    /// A cursor for the list of that user.
    pub(crate) fn seal(&self, user: UserId, position: &SessionPosition) -> String {
        let mut place = Vec::with_capacity(PLACE);
        place.push(u8::from(position.start_ts.is_some()));
        place.extend(position.start_ts.map_or(0, Timestamp::micros).to_be_bytes());
        place.extend(position.session_id.0.as_bytes());
        self.seal_place(user.0.as_bytes(), place)
    }

    /// The place that a cursor of ours names; `None` for anything else, also for another user's.
    pub(crate) fn open(&self, user: UserId, cursor: &str) -> Option<SessionPosition> {
        let place: [u8; PLACE] = self.open_place(user.0.as_bytes(), cursor)?.try_into().ok()?;
        let micros = i64::from_be_bytes(place[1..9].try_into().ok()?);
        Some(SessionPosition {
            start_ts: (place[0] == 1).then(|| Timestamp::from_micros(micros)),
            session_id: SessionId(Uuid::from_slice(&place[9..]).ok()?),
        })
    }

    /// A place in the list that `list` tells from all others.
    pub(crate) fn seal_place(&self, list: &[u8], mut place: Vec<u8>) -> String {
        let seal = self.seal_of(list, &place);
        place.extend(&seal);
        hex::encode(place)
    }

    /// The place that a cursor of ours names in that list.
    pub(crate) fn open_place(&self, list: &[u8], cursor: &str) -> Option<Vec<u8>> {
        let mut bytes = hex::decode(cursor).ok()?;
        let seal = bytes.split_off(bytes.len().checked_sub(SEAL)?);
        (self.seal_of(list, &bytes).as_slice() == seal).then_some(bytes)
    }

    fn seal_of(&self, list: &[u8], place: &[u8]) -> [u8; SEAL] {
        let mut hasher = blake3::Hasher::new_keyed(&self.0);
        hasher.update(list).update(place);
        let mut seal = [0; SEAL];
        seal.copy_from_slice(&hasher.finalize().as_bytes()[..SEAL]);
        seal
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_cursors_open() {
        let key = CursorKey::derive("postgresql://one");
        let (user, other) = (UserId(Uuid::from_u128(1)), UserId(Uuid::from_u128(2)));
        for start_ts in [None, Some(Timestamp::from_micros(-5))] {
            let position = SessionPosition { start_ts, session_id: SessionId(Uuid::from_u128(9)) };
            let cursor = key.seal(user, &position);
            assert_eq!(key.open(user, &cursor), Some(position));
            assert_eq!(key.open(other, &cursor), None);
            assert_eq!(key.open(user, &cursor.replace('0', "1")), None);
            assert_eq!(CursorKey::derive("x").open(user, &cursor), None);
        }
        assert_eq!(key.open(user, ""), None);
    }
}
