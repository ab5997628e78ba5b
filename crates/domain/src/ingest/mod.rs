//! Ingest: the pure steps from a body to a session ready to be stored.
//!
//! 1. A [`SessionSource`] reads a body into a [`SessionDraft`] and collects all errors.
//! 2. [`ValidSession::check`] validates the draft against the catalogue and the time rules.
//! 3. [`EncodedSession::encode`] cuts the valid session into blocks and computes day summaries and
//!    the digest.
//! 4. A store loads the session under the same id and calls [`decide`].
//!
//! The use cases that call these steps are in [`session`](crate::session).

mod append;
mod bounded_seq;
mod check_points;
mod columnar_series;
mod columnar_values;
mod columns_body;
mod conflict;
mod diagnose_entry;
mod digest;
mod draft_points;
mod encoded_session;
mod field_error;
mod fields;
mod idempotency_key;
mod json_source;
mod leaf_columns;
mod location;
mod raw_values;
mod row;
mod row_format;
mod rows_body;
mod session_body;
mod session_draft;
mod session_source;
mod shape;
mod valid_session;

pub use append::{AppendRecord, MAX_SESSION_POINTS, Stored};
pub use conflict::{
    OnConflict, Outcome, SessionWrite, StoredSession, WriteConflict, WriteDecision, decide,
};
pub use digest::Digest;
pub use encoded_session::{DaySummary, EncodedSession};
pub use field_error::{FieldError, FieldErrorCode, ValidationErrors};
pub use idempotency_key::{IdempotencyKey, IdempotencyKeyError};
pub use json_source::JsonSource;
pub use row::Row;
pub use row_format::{MAX_COLUMNS, RowFormat, RowFormatError};
pub use session_draft::SessionDraft;
pub use session_source::{BodyError, SessionSource};
pub use valid_session::ValidSession;
