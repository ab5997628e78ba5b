//! Tags of answers, and the header that tells the version of a user's data.

use actix_web::http::header::HeaderName;

/// The version of the user's data after a write, or that an answer shows.
pub(crate) const USER_VERSION: HeaderName = HeaderName::from_static("user-version");

/// The cursor of the next page, the same as `next_cursor` in its metadata.
pub(crate) const NEXT_CURSOR: HeaderName = HeaderName::from_static("next-cursor");

/// Returns the strong `ETag` of the answer that depends on nothing but `key`. Cache keys do not show through it.
pub(crate) fn tag_of(key: &str) -> String {
    let digest = blake3::hash(key.as_bytes()).to_hex();
    format!("\"{}\"", &digest[..32])
}
