//! Reads variables of the environment.

use std::collections::HashMap;
use std::ffi::OsString;
use std::fmt::Display;
use std::net::{SocketAddr, ToSocketAddrs};
use std::str::FromStr;

/// A setting that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the setting {name} {problem}")]
pub struct ConfigError {
    name: &'static str,
    problem: String,
}

impl ConfigError {
    pub(crate) fn new(name: &'static str, problem: impl Display) -> Self {
        Self {
            name,
            problem: problem.to_string(),
        }
    }
}

/// The variables of the process, or of a test.
pub(super) struct Env(HashMap<String, String>);

impl Env {
    /// The environment, and `.env` for what is not in it.
    pub(super) fn of_process() -> Result<Self, ConfigError> {
        match dotenvy::dotenv() {
            Err(e) if !e.not_found() => {
                return Err(ConfigError::new(
                    "file .env",
                    format!("cannot be read: {e}"),
                ));
            }
            _ => {} // no such file is the normal case
        }
        let text = |(name, value): (OsString, OsString)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        };
        Ok(Self(std::env::vars_os().filter_map(text).collect()))
    }

    #[cfg(test)]
    pub(super) fn of(pairs: &[(&str, &str)]) -> Self {
        Self(
            pairs
                .iter()
                .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
                .collect(),
        )
    }

    /// A text; empty counts as absent.
    pub(super) fn text(&self, name: &'static str) -> Option<String> {
        self.0.get(name).filter(|v| !v.is_empty()).cloned()
    }

    /// A text that must be there.
    pub(super) fn required(&self, name: &'static str, what: &str) -> Result<String, ConfigError> {
        self.text(name)
            .ok_or_else(|| ConfigError::new(name, format!("is missing: {what}")))
    }

    /// An address with a port; a name is looked up.
    pub(super) fn address(
        &self,
        name: &'static str,
        default: SocketAddr,
    ) -> Result<SocketAddr, ConfigError> {
        let Some(text) = self.text(name) else {
            return Ok(default);
        };
        let wrong = |problem: &dyn Display| {
            ConfigError::new(
                name,
                format!("is {text:?}, which is no address such as 127.0.0.1:8000: {problem}"),
            )
        };
        let mut found = text.trim().to_socket_addrs().map_err(|e| wrong(&e))?;
        found
            .next()
            .ok_or_else(|| wrong(&"the name has no address"))
    }

    /// A parsed value, or its default.
    pub(super) fn parsed<T>(&self, name: &'static str, default: T) -> Result<T, ConfigError>
    where
        T: FromStr,
        T::Err: Display,
    {
        let Some(text) = self.text(name) else {
            return Ok(default);
        };
        text.trim()
            .parse()
            .map_err(|e| ConfigError::new(name, format!("is {text:?}, which cannot be read: {e}")))
    }
}
