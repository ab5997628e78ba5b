//! Idempotency keys: identify the retry of an append.

use std::fmt;

/// Maximum length of a key.
const MAX_BYTES: usize = 255;

/// The value of an `Idempotency-Key` header: 1 to 255 printable ASCII characters except `"`, unique
/// within a session.
///
/// Quotes around the key are optional and not part of it. The [draft] requires them, but most
/// clients do not send them.
///
/// [draft]: https://datatracker.ietf.org/doc/draft-ietf-httpapi-idempotency-key-header/
///
/// ```
/// use time_series_domain::ingest::IdempotencyKey;
///
/// assert_eq!(IdempotencyKey::parse("\"7-a\""), IdempotencyKey::parse("7-a"));
/// assert!(IdempotencyKey::parse("").is_err());
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct IdempotencyKey(String);

/// Error of a text that is not a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "must be sent once, with 1 to 255 printable ASCII characters and no quotes inside, such as a \
     UUID"
)]
pub struct IdempotencyKeyError;

impl IdempotencyKey {
    /// Parses a key.
    ///
    /// # Errors
    /// [`IdempotencyKeyError`] if the key is empty, too long, or has other characters.
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

    /// The key without quotes.
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
