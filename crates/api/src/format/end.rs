//! The end record of a response.

use time_series_domain::fingerprint::{FingerprintHasher, Fingerprinted};

use crate::request::Choice;

/// The end marker of NDJSON and of a stream of CSV.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum End {
    /// A record that distinguishes a complete response from a truncated one.
    #[default]
    Record,
    /// No end marker, for clients that treat every line as a row.
    None,
}

/// The parameter `end`.
pub(crate) static END: Choice<End> = Choice::new(
    "end",
    &[("record", End::Record), ("none", End::None)],
    "`none`: no end record after the last line of NDJSON, or after a stream of CSV. `record` by \
     default.",
)
.example("record");

impl Fingerprinted for End {
    fn feed(&self, hasher: &mut FingerprintHasher) {
        hasher.variant(match self {
            Self::Record => "record",
            Self::None => "none",
        });
    }
}
