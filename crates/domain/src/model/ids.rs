//! Ids of users and sessions.

use std::fmt;

use uuid::Uuid;

use crate::fingerprint::{FingerprintHasher, Fingerprinted};

/// The id of a user. There is no table of users: a user exists by having sessions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UserId(pub Uuid);

/// The id of a session, unique within its user.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SessionId(pub Uuid);

impl fmt::Display for UserId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Fingerprinted for UserId {
    fn feed(&self, hasher: &mut FingerprintHasher) {
        let Self(id) = self;
        id.feed(hasher);
    }
}

impl Fingerprinted for SessionId {
    fn feed(&self, hasher: &mut FingerprintHasher) {
        let Self(id) = self;
        id.feed(hasher);
    }
}
