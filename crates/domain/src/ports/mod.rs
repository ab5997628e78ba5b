//! What the domain needs from outside: stores and a cache.
//!
//! One method is one transaction. Something absent is `Ok(None)`, never an error. Every
//! implementation passes the same contract suite (`crates/infra/tests/contract`).

mod aggregate_store;
mod answer_cache;
mod catalogue_view;
mod cpu_pool;
mod metric_type_store;
mod point_store;
mod secret_store;
mod session_store;

pub use aggregate_store::{
    AggregateStore, Arrays, BlockContent, BlockMatch, BlockScan, DataVersion, DayScan,
    LeafCondition, Presence, ScanRequest, ScanSink, ScannedBlock, SummaryParts,
};
pub use answer_cache::AnswerCache;
pub use catalogue_view::{CatalogueView, PointSource};
pub use cpu_pool::{CpuBusy, CpuPool, RunHere, run_in};
pub use metric_type_store::{CatalogueChanges, ChangeError, MetricTypeStore, SchemaChange};
pub use point_store::{BlockSink, Order, PointScan, PointStore, SeriesExtent};
pub use secret_store::SecretStore;
pub use session_store::{SessionStore, Stored};

/// Why a store could not answer. What to do about each stands beside it.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database cannot be reached or has no free connection: try again later.
    #[error("the store is unavailable while {doing}")]
    Unavailable {
        /// What was being done.
        doing: &'static str,
        /// The cause, for the log.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// Too much waits already; nothing was done: try again later.
    #[error("too much is waiting for {doing}")]
    Busy {
        /// What was to be done.
        doing: &'static str,
    },
    /// Another request holds what is to be changed for longer than may be waited; nothing was done: try again.
    #[error("something else holds a lock while {doing}")]
    Locked {
        /// What was to be done.
        doing: &'static str,
    },
    /// The statement ran longer than allowed: ask for less.
    #[error("the store took too long while {doing}")]
    TimedOut {
        /// What was being done.
        doing: &'static str,
    },
    /// The sink of a scan has enough: answer with what it says.
    #[error("the scan was ended by its reader")]
    Stopped,
    /// The connection was lost in the middle of a commit: it may have happened. Send the very same again.
    #[error("the outcome is unknown while {doing}")]
    OutcomeUnknown {
        /// What was being done.
        doing: &'static str,
        /// The cause, for the log.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A metric type that the request depends on changed meanwhile: read the latest catalogue and try again.
    #[error("a metric type changed meanwhile")]
    CatalogueChanged,
    /// A metric type of the session is being changed right now: try again in a moment.
    #[error("a metric type is being changed")]
    MetricTypeBusy,
    /// Another session is stored under this id.
    #[error("another session is stored under this id")]
    SessionConflict,
    /// There is no session to append to.
    #[error("no session is stored under this id")]
    SessionAbsent,
    /// The session that was to be appended to has another start.
    #[error("the stored session has another start_ts")]
    StartConflict,
    /// The session that was to be appended to has as many points as it can have.
    #[error("the stored session is full")]
    SessionFull,
    /// Points lie too far from those of the stored session: check each of them against it.
    #[error("points do not fit the stored session's times")]
    OutOfSession,
    /// Other points were appended under this key.
    #[error("other points were appended under this key")]
    KeyReused,
    /// What is stored cannot be read: a bug or tampering, to be looked at.
    #[error("{table}.{column} cannot be read: {problem}")]
    Inconsistent {
        /// The table.
        table: &'static str,
        /// The column.
        column: &'static str,
        /// What is wrong.
        problem: String,
    },
    /// Anything else the store says: a bug, to be looked at.
    #[error("the store failed while {doing}")]
    Failed {
        /// What was being done.
        doing: &'static str,
        /// The cause, for the log.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}
