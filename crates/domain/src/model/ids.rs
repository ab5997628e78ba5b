//! Identifiers of users and sessions.

use std::fmt;
use std::str::FromStr;

use uuid::Uuid;

use crate::fingerprint::{FingerprintHasher, Fingerprinted};

/// The id of a user. Users have no record of their own: a user exists while they have sessions.
///
/// ```
/// use time_series_domain::UserId;
///
/// let user: UserId = "7d8d2e3a-5d2f-4bd4-9f51-1d8c0a3c9a01".parse()?;
/// assert_eq!(user.to_string(), "7d8d2e3a-5d2f-4bd4-9f51-1d8c0a3c9a01");
/// # Ok::<(), time_series_domain::model::IdError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UserId(pub Uuid);

/// The id of a session, unique within its user.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SessionId(pub Uuid);

/// The text is not a UUID (RFC 9562).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("is not a UUID, such as 7d8d2e3a-5d2f-4bd4-9f51-1d8c0a3c9a01")]
pub struct IdError;

macro_rules! uuid_newtype {
    ($id:ident) => {
        impl fmt::Display for $id {
            /// The hyphenated form in lower case.
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $id {
            type Err = IdError;

            /// Accepts every form that [`Uuid::parse_str`] accepts.
            fn from_str(text: &str) -> Result<Self, IdError> {
                Uuid::parse_str(text).map(Self).map_err(|_| IdError)
            }
        }

        impl From<Uuid> for $id {
            fn from(id: Uuid) -> Self {
                Self(id)
            }
        }

        impl From<$id> for Uuid {
            fn from(id: $id) -> Self {
                id.0
            }
        }

        impl Fingerprinted for $id {
            fn feed(&self, hasher: &mut FingerprintHasher) {
                let Self(id) = self;
                id.feed(hasher);
            }
        }
    };
}

uuid_newtype!(UserId);
uuid_newtype!(SessionId);
