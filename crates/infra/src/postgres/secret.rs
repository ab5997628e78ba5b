//! [`SecretStore`] on PostgreSQL: the service's secret in the database that it protects.

use std::sync::Arc;

use async_trait::async_trait;
use secrecy::zeroize::Zeroizing;
use time_series_domain::RootSecret;
use time_series_domain::ports::{SecretStore, StoreError};

use super::error::{PgError, corrupt};
use super::pool::Postgres;

const DOING: &str = "reading the service's secret";
const READ: &str = include_str!("read_secret.sql");

#[async_trait]
impl SecretStore for Postgres {
    async fn secret(&self) -> Result<Arc<RootSecret>, StoreError> {
        let loaded = self
            .secret
            .get_or_try_init(async || self.read_secret().await.map(Arc::new));
        // The timeout also bounds the wait for the attempt of another caller.
        match tokio::time::timeout(self.wait, loaded).await {
            Ok(secret) => secret.cloned(),
            Err(e) => Err(StoreError::Unavailable {
                doing: DOING,
                source: e.into(),
            }),
        }
    }
}

impl Postgres {
    async fn read_secret(&self) -> Result<RootSecret, StoreError> {
        let client = self.connection(DOING).await?;
        let row = client
            .query_opt(READ, &[])
            .await
            .map_err(|e| PgError::from(e).into_store_error(DOING))?;
        let invalid = |problem: &dyn std::fmt::Display| {
            corrupt("service_secret", "key", problem).into_store_error(DOING)
        };
        let row =
            row.ok_or_else(|| invalid(&"no row; run INSERT INTO service_secret DEFAULT VALUES"))?;
        let key: Zeroizing<Vec<u8>> = row
            .try_get(0)
            .map(Zeroizing::new)
            .map_err(|e| invalid(&e))?;
        Ok(RootSecret::new(&key))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use time_series_testkit::{Backend, TestDatabase};

    use super::*;
    use crate::postgres::{PostgresConfig, ServerRole};

    fn stores(database: &TestDatabase) -> Postgres {
        let config = PostgresConfig {
            url: database.url.clone(),
            connections: 2,
            wait: Duration::from_secs(10),
            statement_timeout: Duration::from_secs(10),
            max_write_wait: Duration::from_mins(1),
            max_queued_bytes: 64 << 20,
            role: ServerRole::Primary,
        };
        Postgres::new(&config).expect("a URL")
    }

    async fn tag(store: &Postgres) -> blake3::Hash {
        store
            .secret()
            .await
            .expect("a secret")
            .mac_key("test")
            .tag(&[b"x"])
    }

    #[tokio::test]
    async fn processes_on_one_database_have_the_same_secret() {
        let database = TestDatabase::new(Backend::Plain).await;
        assert_eq!(tag(&stores(&database)).await, tag(&stores(&database)).await);
    }

    #[tokio::test]
    async fn a_renewed_secret_is_read_after_a_restart() {
        let database = TestDatabase::new(Backend::Plain).await;
        let before = stores(&database);
        let tag_before = tag(&before).await;
        let client = database.connect().await;
        client
            .batch_execute("UPDATE service_secret SET key = DEFAULT")
            .await
            .expect("renewed");
        assert_ne!(tag(&stores(&database)).await, tag_before);
        assert_eq!(
            tag(&before).await,
            tag_before,
            "a process keeps its secret until it restarts"
        );
    }

    #[tokio::test]
    async fn a_missing_secret_is_an_error_until_it_is_inserted() {
        let database = TestDatabase::new(Backend::Plain).await;
        let client = database.connect().await;
        client
            .batch_execute("DELETE FROM service_secret")
            .await
            .expect("deleted");
        let store = stores(&database);
        let missing = store.secret().await;
        assert!(
            matches!(
                missing,
                Err(StoreError::Corrupt {
                    table: "service_secret",
                    ..
                })
            ),
            "{missing:?}"
        );
        client
            .batch_execute("INSERT INTO service_secret DEFAULT VALUES")
            .await
            .expect("inserted");
        let _ = tag(&store).await;
    }

    #[tokio::test]
    async fn the_table_accepts_one_row_of_at_least_32_bytes() {
        let database = TestDatabase::new(Backend::Plain).await;
        let client = database.connect().await;
        for rejected in [
            "INSERT INTO service_secret DEFAULT VALUES",
            "INSERT INTO service_secret (id) VALUES (false)",
            "UPDATE service_secret SET key = '\\x00'",
        ] {
            assert!(client.batch_execute(rejected).await.is_err(), "{rejected}");
        }
    }
}
