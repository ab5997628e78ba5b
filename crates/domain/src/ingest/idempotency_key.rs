//! What a sender calls one append, so that a retry is known from a second one of the same points.

use std::fmt;

/// The longest key.
const MAX_BYTES: usize = 255;

/// The value of an `Idempotency-Key` header: 1 to 255 printable ASCII characters but `"`, unique within a session.
///
/// Quotes around it, which [the draft](https://datatracker.ietf.org/doc/draft-ietf-httpapi-idempotency-key-header/) asks
/// for and most senders leave out, are no part of it.
///
/// ```
/// use time_series_domain::ingest::IdempotencyKey;
///
/// assert_eq!(IdempotencyKey::parse("\"7-a\""), IdempotencyKey::parse("7-a"));
/// assert!(IdempotencyKey::parse("").is_err());
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct IdempotencyKey(String);

/// Text that is no key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "must be sent once, with 1 to 255 printable ASCII characters and no quotes inside, such as a UUID"
)]
pub struct IdempotencyKeyError;

impl IdempotencyKey {
    /// Reads a key.
    ///
    /// # Errors
    /// [`IdempotencyKeyError`] if it is empty, too long, or has other characters.
    pub fn parse(text: &str) -> Result<Self, IdempotencyKeyError> {
        let text = text.trim();
        let text = text
            .strip_prefix('"')
            .and_then(|rest| rest.strip_suffix('"'))
            .unwrap_or(text);
        let is_key = (1..=MAX_BYTES).contains(&text.len())
            && text
                .bytes()
                .all(|byte| (byte.is_ascii_graphic() || byte == b' ') && byte != b'"');
        if is_key {
            Ok(Self(text.to_owned()))
        } else {
            Err(IdempotencyKeyError)
        }
    }

    /// The characters.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for IdempotencyKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
