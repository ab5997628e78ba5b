//! ETags of responses, and the headers for the data version and the next cursor.

use actix_web::http::header::HeaderName;

/// Header with the version of the user's data: after the write, or as of the read.
pub(crate) const USER_VERSION: HeaderName = HeaderName::from_static("user-version");

/// Header with the cursor of the next page, the same as `metadata.next_cursor`.
pub(crate) const NEXT_CURSOR: HeaderName = HeaderName::from_static("next-cursor");

/// Returns the strong ETag of a response that depends only on `key`. The ETag does not reveal
/// the key.
pub(crate) fn etag_of(key: &str) -> String {
    let digest = blake3::hash(key.as_bytes()).to_hex();
    format!("\"{}\"", &digest[..32])
}
