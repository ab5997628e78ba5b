//! Ports: the interfaces to stores, caches and threads that the use cases need.
//!
//! * One method is one transaction.
//! * A missing row is `Ok(None)`, not an error.
//! * Every implementation passes the contract suite of the `infra` crate's tests, which also runs
//!   against [`MemoryStore`](crate::memory::MemoryStore).
//!
//! To add a port: declare the trait here with its plain request and response structs, implement it
//! in [`memory`](crate::memory) and in the `infra` crate, add its rules to the contract suite, and
//! pass it to the use cases in the wiring of the server.

mod aggregate_store;
mod answer_cache;
mod catalogue_view;
mod cpu_pool;
mod metric_type_store;
mod point_store;
mod secret_store;
mod session_store;

pub use crate::metric_type::CatalogueChanges;
pub use aggregate_store::{
    AggregateStore, Arrays, BlockContent, BlockMatch, BlockScan, DataVersion, DayScan,
    LeafCondition, Presence, ScanRequest, ScanSink, ScannedBlock, SummaryParts,
};
pub use answer_cache::AnswerCache;
pub use catalogue_view::{CatalogueView, PointSource};
pub use cpu_pool::{CpuBusy, CpuPool, RunHere, run_in};
pub use metric_type_store::{ChangeError, MetricTypeStore, SchemaChange};
pub use point_store::{BlockSink, Order, PointScan, PointStore, SeriesExtent};
pub use secret_store::SecretStore;
pub use session_store::SessionStore;

use crate::ingest::WriteConflict;

/// Failure of the database, independent of what was requested.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database cannot be reached or has no free connection: try again later.
    #[error("the store is unavailable while {doing}")]
    Unavailable {
        /// The operation.
        doing: &'static str,
        /// The cause, for the log.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The statement ran longer than allowed: request less.
    #[error("the store took too long while {doing}")]
    TimedOut {
        /// The operation.
        doing: &'static str,
    },
    /// The sink of a scan stopped it: return the error of the sink.
    #[error("the sink stopped the scan")]
    Stopped,
    /// A metric type of the request changed: load the current catalogue and try again.
    #[error("a metric type changed")]
    CatalogueChanged,
    /// A stored value is corrupt: a bug or tampering, to be investigated.
    #[error("{table}.{column} is corrupt: {problem}")]
    Corrupt {
        /// The table.
        table: &'static str,
        /// The column.
        column: &'static str,
        /// Description of the corruption.
        problem: String,
    },
    /// Any other error of the database: a bug, to be investigated.
    #[error("the store failed while {doing}")]
    Failed {
        /// The operation.
        doing: &'static str,
        /// The cause, for the log.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

/// Failure of a write. Nothing was changed, except where the variant says otherwise.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// A metric type of the session is being changed: try again in a moment.
    #[error("a metric type is being changed")]
    MetricTypeBusy,
    /// The write queue is full: try again later.
    #[error("the write queue is full")]
    QueueFull,
    /// Another request holds a lock for longer than the lock timeout: try again.
    #[error("lock timeout while {doing}")]
    Locked {
        /// The operation.
        doing: &'static str,
    },
    /// The connection was lost during a commit: the change may be stored. Send the request again.
    #[error("the outcome is unknown while {doing}")]
    OutcomeUnknown {
        /// The operation.
        doing: &'static str,
        /// The cause, for the log.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Rejection or failure of a write of a session.
#[derive(Debug, thiserror::Error)]
pub enum SessionWriteError {
    /// The stored session does not admit the write.
    #[error(transparent)]
    Conflict(#[from] WriteConflict),
    /// A metric type of the session changed: load the current catalogue and validate again.
    #[error("a metric type changed")]
    CatalogueChanged,
    /// The write failed.
    #[error(transparent)]
    Failed(#[from] WriteError),
}

impl From<StoreError> for SessionWriteError {
    fn from(e: StoreError) -> Self {
        Self::Failed(e.into())
    }
}
