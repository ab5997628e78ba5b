//! Ingest: raw session → valid session → blocks, each buildable only from the one before.

mod at_most;
mod columns_body;
mod digest;
mod encoded_session;
mod fields;
mod ingest_session;
mod place;
mod raw_session;
mod reject;
mod valid_session;

pub use digest::Digest;
pub use encoded_session::{DaySummary, EncodedSession};
pub use ingest_session::{IngestError, IngestSession, Ingested, OnConflict, Outcome};
pub use raw_session::{BodyError, RawSession};
pub use reject::{Reject, RejectCode, Rejects};
pub use valid_session::ValidSession;
