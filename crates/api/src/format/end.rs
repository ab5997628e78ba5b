//! The end record of a response.

use time_series_domain::fingerprint::{FingerprintHasher, Fingerprinted};

use crate::request::QueryParams;

/// The parameter `end`: what NDJSON and a stream of CSV end with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum End {
    /// A record that tells a complete answer from one that was cut off.
    #[default]
    Record,
    /// Nothing: for readers that take every line for a row.
    None,
}

impl End {
    pub(crate) fn from_query(pairs: &mut QueryParams) -> Self {
        pairs
            .word("end", &[("record", Self::Record), ("none", Self::None)])
            .unwrap_or_default()
    }
}

impl Fingerprinted for End {
    fn feed(&self, hasher: &mut FingerprintHasher) {
        hasher.variant(match self {
            Self::Record => "record",
            Self::None => "none",
        });
    }
}
