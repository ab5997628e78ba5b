//! The end record of a response.

use time_series_domain::fingerprint::{FingerprintHasher, Fingerprinted};

use crate::request::QueryParams;

/// The parameter `end`: the end marker of NDJSON and of a stream of CSV.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum End {
    /// A record that distinguishes a complete response from a truncated one.
    #[default]
    Record,
    /// No end marker, for clients that treat every line as a row.
    None,
}

impl End {
    pub(crate) fn from_query(params: &mut QueryParams) -> Self {
        params
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
