//! The port to a cache of finished answers.

use async_trait::async_trait;

/// Keeps answers for a while, or loses them. Keys name the version of all data an answer was made
/// of, so that nothing in here can ever be out of date. A cache that fails behaves like an empty one.
#[async_trait]
pub trait AnswerCache: Send + Sync {
    /// What was put under `key`, if it is still there.
    async fn get(&self, key: &str) -> Option<Vec<u8>>;

    /// Keeps `answer` under `key`, perhaps.
    async fn put(&self, key: &str, answer: &[u8]);
}
