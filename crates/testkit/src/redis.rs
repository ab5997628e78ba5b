//! A client of the test Redis, to inspect and change the entries of a service.

use fred::prelude::*;
use fred::types::CustomCommand;

use crate::database::redis_url;

/// A connection to the Redis of [`redis_url`].
pub struct TestRedis(Client);

impl TestRedis {
    /// Connects to Redis.
    ///
    /// # Panics
    /// Panics if Redis cannot be reached.
    pub async fn connect() -> Self {
        let config = Config::from_url(&redis_url()).expect("a URL of Redis");
        let client = Builder::from_config(config).build().expect("a client");
        client.init().await.expect("Redis accepts the connection");
        Self(client)
    }

    /// Returns the keys of cached responses whose entry contains `text`.
    ///
    /// # Panics
    /// Panics if Redis fails.
    pub async fn keys_with(&self, text: &str) -> Vec<String> {
        let all = CustomCommand::new_static("KEYS", None, false);
        let keys: Vec<String> = self
            .0
            .custom(all, vec!["answer:*"])
            .await
            .expect("a list of keys");
        let mut found = Vec::new();
        for key in keys {
            // Concurrent tests store entries, too; some expire and some are not strings.
            let entry = self
                .0
                .get::<Option<Vec<u8>>, _>(&key)
                .await
                .ok()
                .flatten()
                .unwrap_or_default();
            if entry
                .windows(text.len())
                .any(|part| part == text.as_bytes())
            {
                found.push(key);
            }
        }
        found
    }

    /// Returns an entry.
    ///
    /// # Panics
    /// Panics if there is no such entry.
    pub async fn get(&self, key: &str) -> Vec<u8> {
        self.0
            .get::<Option<Vec<u8>>, _>(key)
            .await
            .expect("a string entry")
            .expect("the entry exists")
    }

    /// Replaces an entry.
    ///
    /// # Panics
    /// Panics if Redis fails.
    pub async fn set(&self, key: &str, entry: &[u8]) {
        self.0
            .set::<(), _, _>(key, entry, Some(Expiration::EX(60)), None, false)
            .await
            .expect("the entry is set");
    }

    /// Replaces an entry with one of another type.
    ///
    /// # Panics
    /// Panics if Redis fails.
    pub async fn set_list(&self, key: &str) {
        self.0.del::<(), _>(key).await.expect("the key is deleted");
        let push = CustomCommand::new_static("RPUSH", None, false);
        self.0
            .custom::<(), _>(push, vec![key, "x"])
            .await
            .expect("the value is pushed");
    }
}
