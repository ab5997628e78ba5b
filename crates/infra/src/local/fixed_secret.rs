//! The service's secret from its settings.

use std::sync::Arc;

use async_trait::async_trait;
use time_series_domain::RootSecret;
use time_series_domain::ports::{SecretStore, StoreError};

/// [`SecretStore`] of a secret from the settings.
#[derive(Debug)]
pub struct FixedSecret(Arc<RootSecret>);

impl FixedSecret {
    /// Derives the secret from a text.
    #[must_use]
    pub fn new(text: &str) -> Self {
        Self(Arc::new(RootSecret::new(text.as_bytes())))
    }
}

#[async_trait]
impl SecretStore for FixedSecret {
    async fn secret(&self) -> Result<Arc<RootSecret>, StoreError> {
        Ok(Arc::clone(&self.0))
    }
}
