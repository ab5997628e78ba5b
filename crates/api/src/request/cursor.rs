//! Cursors: places in a listing, authenticated so that only those that the service gave are accepted.

use std::sync::Arc;

use subtle::ConstantTimeEq;
use time_series_domain::fingerprint::{Fingerprint, FingerprintHasher};
use time_series_domain::ports::{SecretStore, StoreError};
use time_series_domain::{MacKey, SessionId, SessionPosition, Timestamp, UserId};
use uuid::Uuid;

/// Context of the key that cursors are authenticated with.
const CONTEXT: &str = "time-series-backend 2026-11-27 list cursors";
/// Bytes of the code at the end of a cursor.
const SEAL: usize = 16;
const PLACE: usize = 1 + 8 + 16;

/// Provides the key of cursors.
pub(crate) struct Cursors(Arc<dyn SecretStore>);

/// Seals and opens cursors. All processes with one secret have the same key.
pub(crate) struct CursorKey(MacKey);

impl Cursors {
    /// Derives the key from the service's secret.
    pub(crate) const fn new(secrets: Arc<dyn SecretStore>) -> Self {
        Self(secrets)
    }

    /// Returns the key.
    pub(crate) async fn key(&self) -> Result<CursorKey, StoreError> {
        Ok(CursorKey(self.0.secret().await?.mac_key(CONTEXT)))
    }
}

impl CursorKey {
    /// Returns the cursor of a place in the list of a user's sessions.
    pub(crate) fn seal(&self, user: UserId, position: &SessionPosition) -> String {
        let SessionPosition {
            start_ts,
            session_id,
        } = position;
        let mut place = Vec::with_capacity(PLACE + SEAL);
        place.push(u8::from(start_ts.is_some()));
        place.extend(start_ts.map_or(0, Timestamp::micros).to_be_bytes());
        place.extend(session_id.0.as_bytes());
        self.seal_place(&sessions_of(user), place)
    }

    /// Returns the place of a cursor of the list of that user's sessions; `None` for any other text.
    pub(crate) fn open(&self, user: UserId, cursor: &str) -> Option<SessionPosition> {
        let place: [u8; PLACE] = self
            .open_place(&sessions_of(user), cursor)?
            .try_into()
            .ok()?;
        let micros = i64::from_be_bytes(place[1..9].try_into().ok()?);
        Some(SessionPosition {
            start_ts: (place[0] == 1).then(|| Timestamp::from_micros(micros)),
            session_id: SessionId(Uuid::from_slice(&place[9..]).ok()?),
        })
    }

    /// Returns the cursor of a place in a list.
    pub(crate) fn seal_place(&self, list: &Fingerprint, mut place: Vec<u8>) -> String {
        let seal = self.seal_of(list, &place);
        place.extend(&seal);
        hex::encode(place)
    }

    /// Returns the place of a cursor that was sealed for that list; `None` for any other text.
    pub(crate) fn open_place(&self, list: &Fingerprint, cursor: &str) -> Option<Vec<u8>> {
        // A place has one spelling.
        if cursor.bytes().any(|b| b.is_ascii_uppercase()) {
            return None;
        }
        let mut place = hex::decode(cursor).ok()?;
        let seal = place.split_off(place.len().checked_sub(SEAL)?);
        bool::from(self.seal_of(list, &place).ct_eq(&seal)).then_some(place)
    }

    /// Returns a text that tells this key from others, for tags of answers that show cursors.
    pub(crate) fn id(&self) -> String {
        self.0.tag(&[b"id"]).to_hex().to_string()
    }

    fn seal_of(&self, list: &Fingerprint, place: &[u8]) -> [u8; SEAL] {
        let mut seal = [0; SEAL];
        seal.copy_from_slice(&self.0.tag(&[list.as_bytes(), place]).as_bytes()[..SEAL]);
        seal
    }
}

fn sessions_of(user: UserId) -> Fingerprint {
    FingerprintHasher::new("list of sessions")
        .field("user_id", &user)
        .finish()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use proptest::sample::Index;
    use time_series_domain::RootSecret;
    use time_series_testkit::fuzz;

    use super::*;

    const OURS: &str = "a secret of at least 32 characters";

    fn key(secret: &str) -> CursorKey {
        CursorKey(RootSecret::new(secret.as_bytes()).mac_key(CONTEXT))
    }

    fn user(number: u128) -> UserId {
        UserId(Uuid::from_u128(number))
    }

    fn positions() -> impl Strategy<Value = SessionPosition> {
        (
            prop::option::of(any::<i64>().prop_map(Timestamp::from_micros)),
            any::<u128>(),
        )
            .prop_map(|(start_ts, id)| SessionPosition {
                start_ts,
                session_id: SessionId(Uuid::from_u128(id)),
            })
    }

    #[test]
    fn a_cursor_opens_for_its_list_and_key_alone() {
        let key_of_ours = key(OURS);
        fuzz(positions(), |position| {
            let cursor = key_of_ours.seal(user(1), &position);
            assert_eq!(key_of_ours.open(user(1), &cursor), Some(position));
            assert_eq!(key_of_ours.open(user(2), &cursor), None, "another user's");
            assert_eq!(
                key("another secret of 32 characters or so").open(user(1), &cursor),
                None,
                "another key's"
            );
            assert_eq!(
                key_of_ours.open_place(&FingerprintHasher::new("x").finish(), &cursor),
                None,
                "another list's"
            );
        });
    }

    #[test]
    fn no_arbitrary_text_opens() {
        let key = key(OURS);
        let texts = prop_oneof![
            ".{0,100}",
            "[0-9a-fA-F]{0,120}",
            prop::collection::vec(any::<u8>(), 0..100).prop_map(hex::encode),
            prop::collection::vec(any::<u8>(), PLACE + SEAL).prop_map(hex::encode),
        ];
        fuzz(texts, |text| {
            assert_eq!(key.open(user(1), &text), None);
            assert_eq!(key.open_place(&sessions_of(user(1)), &text), None);
        });
    }

    #[test]
    fn no_damaged_cursor_opens() {
        let key = key(OURS);
        fuzz(
            (positions(), any::<Index>(), any::<char>()),
            |(position, at, other)| {
                let cursor = key.seal(user(1), &position);
                let bit = at.index((PLACE + SEAL) * 8);
                let mut bytes = hex::decode(&cursor).expect("hexadecimal digits");
                bytes[bit / 8] ^= 1 << (bit % 8);
                assert_eq!(
                    key.open(user(1), &hex::encode(&bytes)),
                    None,
                    "a bit is flipped"
                );
                let at = at.index(cursor.len());
                assert_eq!(key.open(user(1), &cursor[..at]), None, "the end is cut");
                assert_eq!(
                    key.open(user(1), &cursor[at + 1..]),
                    None,
                    "the start is cut"
                );
                let replaced = format!("{}{other}{}", &cursor[..at], &cursor[at + 1..]);
                assert_eq!(
                    key.open(user(1), &replaced).is_some(),
                    replaced == cursor,
                    "a character is replaced"
                );
                let inserted = format!("{}{other}{}", &cursor[..at], &cursor[at..]);
                assert_eq!(
                    key.open(user(1), &inserted),
                    None,
                    "a character is inserted"
                );
                let upper = cursor.to_uppercase();
                assert_eq!(
                    key.open(user(1), &upper).is_some(),
                    upper == cursor,
                    "the case is changed"
                );
            },
        );
    }
}
