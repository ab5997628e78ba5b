//! [`AnswerCache`] in this process.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use moka::future::Cache;
use time_series_domain::ports::AnswerCache;

/// Time after which an unused answer is dropped. Newer versions of the data have other keys.
const IDLE: Duration = Duration::from_mins(10);

/// A cache of limited size. moka's policy (TinyLFU) selects the answers to evict.
pub struct MokaCache {
    answers: Cache<String, Arc<[u8]>>,
}

impl MokaCache {
    /// Creates a cache of at most `max_bytes`.
    #[must_use]
    pub fn new(max_bytes: u64) -> Self {
        let weigh = |key: &String, answer: &Arc<[u8]>| {
            u32::try_from(key.len() + answer.len()).unwrap_or(u32::MAX)
        };
        let answers = Cache::builder()
            .max_capacity(max_bytes)
            .weigher(weigh)
            .time_to_idle(IDLE)
            .build();
        Self { answers }
    }
}

#[async_trait]
impl AnswerCache for MokaCache {
    async fn get(&self, key: &str) -> Option<Vec<u8>> {
        self.answers.get(key).await.map(|answer| answer.to_vec())
    }

    async fn put(&self, key: &str, answer: &[u8]) {
        self.answers.insert(key.to_owned(), answer.into()).await;
    }
}
