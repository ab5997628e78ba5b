//! Settings of admins.

use secrecy::SecretString;

use super::env::Env;

/// Settings of admins.
#[derive(Debug, Clone)]
pub struct AdminConfig {
    /// `ADMIN_TOKEN` (default none): bearer token of admins, who can change metric types and query
    /// several users. Without it, every client is an admin if `BIND_ADDR` is a loopback address,
    /// and no client otherwise.
    pub token: Option<SecretString>,
}

impl AdminConfig {
    pub(super) fn read(env: &Env) -> Self {
        Self {
            token: env.text("ADMIN_TOKEN").map(SecretString::from),
        }
    }
}
