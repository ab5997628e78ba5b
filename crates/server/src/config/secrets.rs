//! Secrets of the service.

use secrecy::{ExposeSecret, SecretString};

use super::env::{ConfigError, Env};

/// Minimum length of `SECRET_KEY`, in bytes.
const MIN_KEY_BYTES: usize = 32;

/// Secrets of the service.
#[derive(Debug, Clone)]
pub struct SecretsConfig {
    /// `SECRET_KEY` (default a random secret in the database): root of the keys that authenticate
    /// cursors and cached results, at least 32 bytes. All processes on one database need the same
    /// key.
    pub key: Option<SecretString>,
}

impl SecretsConfig {
    pub(super) fn read(env: &Env) -> Result<Self, ConfigError> {
        let key = env.text("SECRET_KEY").map(SecretString::from);
        if key
            .as_ref()
            .is_some_and(|key| key.expose_secret().len() < MIN_KEY_BYTES)
        {
            let problem = format!(
                "is shorter than {MIN_KEY_BYTES} bytes; generate one with `openssl rand -hex 32`"
            );
            return Err(ConfigError::new("SECRET_KEY", problem));
        }
        Ok(Self { key })
    }
}
