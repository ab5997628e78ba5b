//! [`AnswerCache`] in Redis.

use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use fred::prelude::*;
use time_series_domain::ports::AnswerCache;

use super::breaker::Breaker;

/// Pause after a failure.
const PAUSE: Duration = Duration::from_secs(5);
/// Lifetime of an answer. Newer versions of the data have other keys.
const LIFETIME_SECONDS: i64 = 3_600;
/// Maximum size of an entry. A larger entry would occupy the connection for longer than the timeout
/// of a command.
const MAX_ENTRY_BYTES: usize = 4 << 20;

/// A cache in Redis.
pub struct RedisCache {
    client: Client,
    breaker: Breaker,
}

/// Error of an invalid `REDIS_URL`.
#[derive(Debug, thiserror::Error)]
#[error("is not a Redis URL such as redis://127.0.0.1:6379: {0}")]
pub struct RedisUrlError(String);

impl RedisCache {
    /// Connects in the background, and reconnects whenever the connection is lost. A command that
    /// takes longer than `timeout` fails, and the request is answered from `PostgreSQL`.
    ///
    /// # Errors
    /// [`RedisUrlError`]. An unreachable Redis is not an error.
    pub fn new(url: &str, timeout: Duration) -> Result<Self, RedisUrlError> {
        let mut config = Config::from_url(url).map_err(|e| RedisUrlError(e.to_string()))?;
        // Redis may start later than this process: with `fail_fast`, a failed first attempt would
        // be final.
        config.fail_fast = false;
        let client = Builder::from_config(config)
            .with_performance_config(|performance| performance.default_command_timeout = timeout)
            .with_connection_config(|connection| {
                connection.connection_timeout = Duration::from_secs(2);
                // Commands do not wait for a reconnection: PostgreSQL answers meanwhile.
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

    fn handle_error(&self, doing: &str, error: &Error) {
        // An entry of another type is a miss, not a failure of Redis.
        if error.details().starts_with("WRONGTYPE") {
            return;
        }
        if self.breaker.open() {
            tracing::warn!(redis.doing = doing, error = %error, "Redis failed; continuing without it");
        }
    }
}

#[async_trait]
impl AnswerCache for RedisCache {
    async fn get(&self, key: &str) -> Option<Vec<u8>> {
        if self.breaker.is_open() {
            return None;
        }
        // Reads at most one byte more than the limit: other writers to Redis cannot make this
        // process load larger entries.
        match self
            .client
            .getrange::<Bytes, _>(key, 0, MAX_ENTRY_BYTES)
            .await
        {
            // The range of an absent key is empty.
            Ok(entry) => {
                Some(Vec::from(entry)).filter(|entry| (1..=MAX_ENTRY_BYTES).contains(&entry.len()))
            }
            Err(e) => {
                self.handle_error("get", &e);
                None
            }
        }
    }

    async fn put(&self, key: &str, answer: &[u8]) {
        if self.breaker.is_open() || answer.len() > MAX_ENTRY_BYTES {
            return;
        }
        let expiration = Some(Expiration::EX(LIFETIME_SECONDS));
        let value = Bytes::copy_from_slice(answer);
        if let Err(e) = self
            .client
            .set::<(), _, _>(key, value, expiration, None, false)
            .await
        {
            self.handle_error("put", &e);
        }
    }
}
