//! Typed access to environment variables.

use std::collections::HashMap;
use std::ffi::OsString;
use std::fmt::Display;
use std::net::{SocketAddr, ToSocketAddrs};
use std::str::FromStr;
use std::time::Duration;

/// Maximum of a setting in milliseconds: one day. `PostgreSQL` accepts timeouts below 2^31 ms, and
/// the service adds several settings.
const MAX_MILLISECONDS: u32 = 24 * 60 * 60 * 1_000;

/// An invalid setting.
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

/// Environment variables of the process or of a test.
pub(super) struct Env(HashMap<String, String>);

impl Env {
    /// Returns the environment of the process, completed from `.env`.
    pub(super) fn of_process() -> Result<Self, ConfigError> {
        match dotenvy::dotenv() {
            Err(e) if !e.not_found() => {
                return Err(ConfigError::new(
                    "file .env",
                    format!("cannot be read: {e}"),
                ));
            }
            _ => {} // the file is optional
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

    /// Returns the text of a setting. An empty text counts as absent.
    pub(super) fn text(&self, name: &'static str) -> Option<String> {
        self.0.get(name).filter(|v| !v.is_empty()).cloned()
    }

    /// Returns the text of a required setting. `expected` describes it in the error.
    pub(super) fn required(
        &self,
        name: &'static str,
        expected: &str,
    ) -> Result<String, ConfigError> {
        self.text(name)
            .ok_or_else(|| ConfigError::new(name, format!("is missing: {expected}")))
    }

    /// Returns an address with a port. A host name is resolved.
    pub(super) fn address(
        &self,
        name: &'static str,
        default: SocketAddr,
    ) -> Result<SocketAddr, ConfigError> {
        let Some(text) = self.text(name) else {
            return Ok(default);
        };
        let invalid = |reason: &dyn Display| {
            ConfigError::new(
                name,
                format!("is {text:?}; it must be an address such as 127.0.0.1:8000: {reason}"),
            )
        };
        let mut addresses = text.trim().to_socket_addrs().map_err(|e| invalid(&e))?;
        addresses
            .next()
            .ok_or_else(|| invalid(&"the host name has no address"))
    }

    /// Returns the parsed value, or the default if the setting is absent.
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
            .map_err(|e| ConfigError::new(name, format!("is {text:?}, which is invalid: {e}")))
    }

    /// Returns a number of at least one.
    pub(super) fn positive<T>(&self, name: &'static str, default: T) -> Result<T, ConfigError>
    where
        T: FromStr + Default + PartialEq,
        T::Err: Display,
    {
        at_least_one(name, self.parsed(name, default)?)
    }

    /// Returns a time of at most one day. `default` is in milliseconds.
    pub(super) fn milliseconds(
        &self,
        name: &'static str,
        default: u32,
    ) -> Result<Duration, ConfigError> {
        let milliseconds = self.parsed(name, default)?;
        if milliseconds > MAX_MILLISECONDS {
            return Err(ConfigError::new(
                name,
                format!("must be at most {MAX_MILLISECONDS}, which is one day"),
            ));
        }
        Ok(Duration::from_millis(milliseconds.into()))
    }

    /// Returns a time from one millisecond to one day. `default` is in milliseconds.
    pub(super) fn positive_milliseconds(
        &self,
        name: &'static str,
        default: u32,
    ) -> Result<Duration, ConfigError> {
        at_least_one(name, self.milliseconds(name, default)?)
    }

    /// Returns the index of the setting in `keywords`, or 0 if the setting is absent.
    pub(super) fn keyword(
        &self,
        name: &'static str,
        keywords: &[&str],
    ) -> Result<usize, ConfigError> {
        let Some(text) = self.text(name) else {
            return Ok(0);
        };
        keywords
            .iter()
            .position(|keyword| *keyword == text)
            .ok_or_else(|| {
                ConfigError::new(
                    name,
                    format!("is {text:?}; it must be {}", keywords.join(" or ")),
                )
            })
    }
}

fn at_least_one<T: Default + PartialEq>(name: &'static str, value: T) -> Result<T, ConfigError> {
    if value == T::default() {
        Err(ConfigError::new(name, "must be at least 1"))
    } else {
        Ok(value)
    }
}
