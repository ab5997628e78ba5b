//! Ingest: raw session → valid session → blocks, each buildable only from the one before.

mod at_most;
mod columns_body;
mod conflict;
mod diagnose_entry;
mod digest;
mod encoded_session;
mod fields;
mod idempotency_key;
mod ingest_session;
mod joining;
mod json_source;
mod leaf_columns;
mod numeric_points;
mod place;
mod raw_points;
mod raw_session;
mod raw_values;
mod reject;
mod rows_body;
mod valid_session;
mod write_stage;

pub use conflict::{SessionWrite, StoredSession, WriteDecision, decide};
pub use digest::Digest;
pub use encoded_session::{DaySummary, EncodedSession};
pub use idempotency_key::{IdempotencyKey, IdempotencyKeyError};
pub use ingest_session::{IngestError, IngestSession, Ingested, OnConflict, Outcome};
pub use joining::{Joining, MAX_SESSION_POINTS, StoredPart};
pub use json_source::JsonSource;
pub use raw_session::{BodyError, RawSession, SessionSource};
pub use reject::{Reject, RejectCode, Rejects};
pub use rows_body::{MAX_COLUMNS, Row, RowFormat, RowFormatError};
pub use valid_session::ValidSession;
pub use write_stage::WriteStage;
