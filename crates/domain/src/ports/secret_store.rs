//! [`SecretStore`]: the port to the service's secret.

use std::sync::Arc;

use async_trait::async_trait;

use super::StoreError;
use crate::RootSecret;

/// Provides the secret that all processes on one database share.
#[async_trait]
pub trait SecretStore: Send + Sync {
    /// Returns the secret. It is loaded at the first call and then held.
    ///
    /// # Errors
    /// [`StoreError`]. The next call tries again.
    async fn secret(&self) -> Result<Arc<RootSecret>, StoreError>;
}
