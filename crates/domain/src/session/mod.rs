//! Use cases of sessions: ingest, append, dry run, get, list, delete.

mod ingest_session;
mod stored_sessions;
mod write_stage;

pub use ingest_session::{IngestError, IngestSession, Ingested};
pub use stored_sessions::{DeleteError, FindError, FoundSession, StoredSessions};
pub use write_stage::WriteStage;
