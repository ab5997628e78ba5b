//! The answer cache in Redis.

use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use fred::prelude::*;
use time_series_domain::ports::AnswerCache;

use super::breaker::Breaker;

/// How long Redis is left alone after it failed.
const PAUSE: Duration = Duration::from_secs(5);
/// Answers are kept so long; newer versions of the data have newer keys anyway.
const KEEP_SECONDS: i64 = 3_600;
/// Maximum size of an entry. A larger one would occupy the connection for longer than a command may wait.
const MAX_ENTRY_BYTES: usize = 4 << 20;

/// Keeps answers in Redis.
pub struct RedisCache {
    client: Client,
    breaker: Breaker,
}

/// `REDIS_URL` cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("is not a Redis URL such as redis://127.0.0.1:6379: {0}")]
pub struct RedisUrlError(String);

impl RedisCache {
    /// Connects in the background, and again whenever the connection is lost. A command that takes longer than `wait` has
    /// failed: `PostgreSQL` answers in the meantime.
    ///
    /// # Errors
    /// [`RedisUrlError`]. A Redis that cannot be reached is no error.
    pub fn new(url: &str, wait: Duration) -> Result<Self, RedisUrlError> {
        let mut config = Config::from_url(url).map_err(|e| RedisUrlError(e.to_string()))?;
        // Redis may come later than this process: without it, a first attempt that fails would be the last.
        config.fail_fast = false;
        let client = Builder::from_config(config)
            .with_performance_config(|performance| performance.default_command_timeout = wait)
            .with_connection_config(|connection| {
                connection.connection_timeout = Duration::from_secs(2);
                // A command waits for no reconnection: the breaker and PostgreSQL take over.
                connection.max_command_attempts = 1;
            })
            .set_policy(ReconnectPolicy::new_exponential(0, 100, 5_000, 2))
            .build()
            .map_err(|e| RedisUrlError(e.to_string()))?;
        client.connect();
        Ok(Self {
            client,
            breaker: Breaker::new(PAUSE),
        })
    }

    fn failed(&self, doing: &str, error: &Error) {
        // An entry of another type is a miss, and no reason to leave Redis alone.
        if error.details().starts_with("WRONGTYPE") {
            return;
        }
        if self.breaker.open() {
            tracing::warn!(redis.doing = doing, error = %error, "Redis does not answer; going on without it");
        }
    }
}

#[async_trait]
impl AnswerCache for RedisCache {
    async fn get(&self, key: &str) -> Option<Vec<u8>> {
        if self.breaker.is_open() {
            return None;
        }
        // One byte more than an entry may have: whoever writes to Redis cannot make this process hold larger ones.
        match self
            .client
            .getrange::<Bytes, _>(key, 0, MAX_ENTRY_BYTES)
            .await
        {
            // No key is an empty range.
            Ok(entry) => {
                Some(Vec::from(entry)).filter(|entry| (1..=MAX_ENTRY_BYTES).contains(&entry.len()))
            }
            Err(e) => {
                self.failed("get", &e);
                None
            }
        }
    }

    async fn put(&self, key: &str, answer: &[u8]) {
        if self.breaker.is_open() || answer.len() > MAX_ENTRY_BYTES {
            return;
        }
        let keep = Some(Expiration::EX(KEEP_SECONDS));
        let value = Bytes::copy_from_slice(answer);
        if let Err(e) = self
            .client
            .set::<(), _, _>(key, value, keep, None, false)
            .await
        {
            self.failed("put", &e);
        }
    }
}
