//! Cursors: positions in a list, authenticated so that only cursors from this service are valid.

use std::sync::Arc;

use subtle::ConstantTimeEq;
use time_series_domain::fingerprint::{Fingerprint, FingerprintHasher};
use time_series_domain::ports::{SecretStore, StoreError};
use time_series_domain::{MacKey, SessionId, SessionPosition, Timestamp, UserId};
use uuid::Uuid;

/// Context of the key that authenticates cursors.
const CONTEXT: &str = "time-series-backend 2026-11-27 list cursors";
/// Length of the authentication code at the end of a cursor, in bytes.
const CODE_BYTES: usize = 16;
/// Length of the payload of a cursor of sessions, in bytes.
const PAYLOAD_BYTES: usize = 1 + 8 + 16;

/// Provides the key of cursors.
pub(crate) struct Cursors(Arc<dyn SecretStore>);

/// Key that authenticates cursors. All processes with the same secret have the same key.
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
    /// Returns the cursor of a position in the list of a user's sessions.
    pub(crate) fn seal(&self, user: UserId, position: &SessionPosition) -> String {
        let SessionPosition {
            start_ts,
            session_id,
        } = position;
        let mut payload = Vec::with_capacity(PAYLOAD_BYTES + CODE_BYTES);
        payload.push(u8::from(start_ts.is_some()));
        payload.extend(start_ts.map_or(0, Timestamp::micros).to_be_bytes());
        payload.extend(session_id.0.as_bytes());
        self.seal_payload(&sessions_of(user), payload)
    }

    /// Returns the position of a cursor in the list of the user's sessions; `None` for other text.
    pub(crate) fn open(&self, user: UserId, cursor: &str) -> Option<SessionPosition> {
        let payload: [u8; PAYLOAD_BYTES] = self
            .open_payload(&sessions_of(user), cursor)?
            .try_into()
            .ok()?;
        let micros = i64::from_be_bytes(payload[1..9].try_into().ok()?);
        Some(SessionPosition {
            start_ts: (payload[0] == 1).then(|| Timestamp::from_micros(micros)),
            session_id: SessionId(Uuid::from_slice(&payload[9..]).ok()?),
        })
    }

    /// Returns the cursor with a payload, valid for one list.
    pub(crate) fn seal_payload(&self, list: &Fingerprint, mut payload: Vec<u8>) -> String {
        let code = self.code_of(list, &payload);
        payload.extend(&code);
        hex::encode(payload)
    }

    /// Returns the payload of a cursor that was made for the list; `None` for other text.
    pub(crate) fn open_payload(&self, list: &Fingerprint, cursor: &str) -> Option<Vec<u8>> {
        // Each payload has exactly one cursor.
        if cursor.bytes().any(|b| b.is_ascii_uppercase()) {
            return None;
        }
        let mut payload = hex::decode(cursor).ok()?;
        let code = payload.split_off(payload.len().checked_sub(CODE_BYTES)?);
        bool::from(self.code_of(list, &payload).ct_eq(&code)).then_some(payload)
    }

    /// Returns an identifier of the key, for the ETags of responses that contain cursors.
    pub(crate) fn id(&self) -> String {
        self.0.tag(&[b"id"]).to_hex().to_string()
    }

    fn code_of(&self, list: &Fingerprint, payload: &[u8]) -> [u8; CODE_BYTES] {
        let mut code = [0; CODE_BYTES];
        code.copy_from_slice(&self.0.tag(&[list.as_bytes(), payload]).as_bytes()[..CODE_BYTES]);
        code
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

    const SECRET: &str = "a secret of at least 32 characters";

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
    fn a_cursor_is_valid_only_for_its_list_and_key() {
        let our_key = key(SECRET);
        fuzz(positions(), |position| {
            let cursor = our_key.seal(user(1), &position);
            assert_eq!(our_key.open(user(1), &cursor), Some(position));
            assert_eq!(our_key.open(user(2), &cursor), None, "another user");
            assert_eq!(
                key("another secret of 32 characters or so").open(user(1), &cursor),
                None,
                "another key"
            );
            assert_eq!(
                our_key.open_payload(&FingerprintHasher::new("x").finish(), &cursor),
                None,
                "another list"
            );
        });
    }

    #[test]
    fn arbitrary_text_is_not_a_valid_cursor() {
        let key = key(SECRET);
        let texts = prop_oneof![
            ".{0,100}",
            "[0-9a-fA-F]{0,120}",
            prop::collection::vec(any::<u8>(), 0..100).prop_map(hex::encode),
            prop::collection::vec(any::<u8>(), PAYLOAD_BYTES + CODE_BYTES).prop_map(hex::encode),
        ];
        fuzz(texts, |text| {
            assert_eq!(key.open(user(1), &text), None);
            assert_eq!(key.open_payload(&sessions_of(user(1)), &text), None);
        });
    }

    #[test]
    fn a_damaged_cursor_is_not_valid() {
        let key = key(SECRET);
        fuzz(
            (positions(), any::<Index>(), any::<char>()),
            |(position, at, other)| {
                let cursor = key.seal(user(1), &position);
                let bit = at.index((PAYLOAD_BYTES + CODE_BYTES) * 8);
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
