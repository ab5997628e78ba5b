//! Users in log lines: a keyed hash that groups the lines of a user without revealing the user.

use std::sync::Arc;
use std::time::Duration;

use time_series_domain::UserId;
use time_series_domain::ports::SecretStore;

/// Context of the key that hashes users.
const CONTEXT: &str = "time-series-backend 2026-11-28 users in logs";
/// Maximum time that a log line waits for the key. Without the key, the line has no user.
const KEY_TIMEOUT: Duration = Duration::from_millis(20);

/// Adds the hashes of users to the log lines of requests.
pub(crate) struct LogUsers(Arc<dyn SecretStore>);

impl LogUsers {
    /// Derives the key from the service's secret.
    pub(crate) const fn new(secrets: Arc<dyn SecretStore>) -> Self {
        Self(secrets)
    }

    /// Records the hash of a user in the span of the current request.
    pub(crate) async fn note(&self, user: UserId) {
        let Ok(Ok(secret)) = tokio::time::timeout(KEY_TIMEOUT, self.0.secret()).await else {
            return;
        };
        let hash = secret.mac_key(CONTEXT).tag(&[user.0.as_bytes()]).to_hex();
        tracing::Span::current().record("user_hash", &hash[..16]);
    }
}
