//! The port to a cache of rendered answers.

use async_trait::async_trait;

/// A best-effort cache of rendered answers. Keys contain the version of all data that an answer was
/// computed from, so that entries are never stale. A cache that fails behaves like an empty one.
#[async_trait]
pub trait AnswerCache: Send + Sync {
    /// Returns the answer stored under `key`, if it is still cached.
    async fn get(&self, key: &str) -> Option<Vec<u8>>;

    /// Stores `answer` under `key`. The cache may drop it at any time.
    async fn put(&self, key: &str, answer: &[u8]);
}
