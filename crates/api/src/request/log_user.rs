//! Users in log lines: a keyed hash groups the lines of one user and does not reveal the user.

use std::sync::Arc;
use std::time::Duration;

use time_series_domain::UserId;
use time_series_domain::ports::SecretStore;

/// Context of the key that users are hashed with.
const CONTEXT: &str = "time-series-backend 2026-11-28 users in logs";
/// A log line waits for the key no longer: with an unreachable database, it names no user.
const WAIT: Duration = Duration::from_millis(20);

/// Names users in the log lines of requests.
pub(crate) struct LogUsers(Arc<dyn SecretStore>);

impl LogUsers {
    /// Derives the key from the service's secret.
    pub(crate) const fn new(secrets: Arc<dyn SecretStore>) -> Self {
        Self(secrets)
    }

    /// Puts the hash of a user into the current request's log line.
    pub(crate) async fn note(&self, user: UserId) {
        let Ok(Ok(secret)) = tokio::time::timeout(WAIT, self.0.secret()).await else {
            return;
        };
        let hash = secret.mac_key(CONTEXT).tag(&[user.0.as_bytes()]).to_hex();
        tracing::Span::current().record("user_hash", &hash[..16]);
    }
}
