//! A client of the test Redis, to look at and change what a service stored there.

use fred::prelude::*;
use fred::types::CustomCommand;

use crate::database::redis_url;

/// A connection to the Redis of [`redis_url`].
pub struct TestRedis(Client);

impl TestRedis {
    /// Connects.
    ///
    /// # Panics
    /// When Redis cannot be reached.
    pub async fn connect() -> Self {
        let config = Config::from_url(&redis_url()).expect("a URL of Redis");
        let client = Builder::from_config(config).build().expect("a client");
        client.init().await.expect("Redis accepts the connection");
        Self(client)
    }

    /// Returns the keys of cached answers whose entry contains `text`.
    ///
    /// # Panics
    /// When Redis fails.
    pub async fn answers_with(&self, text: &str) -> Vec<String> {
        let all = CustomCommand::new_static("KEYS", None, false);
        let keys: Vec<String> = self.0.custom(all, vec!["answer:*"]).await.expect("keys");
        let mut found = Vec::new();
        for key in keys {
            // Tests beside this one store entries, too, of which some expire and some are no strings.
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
    /// When there is none.
    pub async fn get(&self, key: &str) -> Vec<u8> {
        self.0
            .get::<Option<Vec<u8>>, _>(key)
            .await
            .expect("a string")
            .expect("an entry")
    }

    /// Replaces an entry.
    ///
    /// # Panics
    /// When Redis fails.
    pub async fn set(&self, key: &str, entry: &[u8]) {
        self.0
            .set::<(), _, _>(key, entry, Some(Expiration::EX(60)), None, false)
            .await
            .expect("set");
    }

    /// Replaces an entry by one of another type.
    ///
    /// # Panics
    /// When Redis fails.
    pub async fn set_list(&self, key: &str) {
        self.0.del::<(), _>(key).await.expect("deleted");
        let push = CustomCommand::new_static("RPUSH", None, false);
        self.0
            .custom::<(), _>(push, vec![key, "x"])
            .await
            .expect("pushed");
    }
}
