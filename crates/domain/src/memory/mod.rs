//! The ports in memory, for trying out this library and as a reference for the real stores in
//! tests.

mod aggregate_store;
mod metric_type_store;
mod point_store;
mod session_store;

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::block::Block;
use crate::ingest::{AppendRecord, Digest};
use crate::metric_type::MetricType;
use crate::{MetricTypeId, SessionId, SessionRecord, UserId};

/// All ports in one process, without persistence. Every method holds one lock, so each is one
/// transaction.
#[derive(Debug, Default)]
pub struct MemoryStore {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    generation: u64,
    metric_types: Vec<MetricType>,
    /// The generations at which metric types were deleted.
    deleted: Vec<(u64, MetricTypeId)>,
    /// The last number of a metric type. Numbers are never reused.
    last_metric_type: i32,
    last_channel: i32,
    users: BTreeMap<UserId, User>,
}

#[derive(Debug, Default)]
struct User {
    version: u64,
    sessions: BTreeMap<SessionId, StoredRow>,
}

#[derive(Debug)]
struct StoredRow {
    record: SessionRecord,
    digest: Digest,
    blocks: Vec<Block>,
    appends: Vec<AppendRecord>,
}

impl MemoryStore {
    /// Creates a store without metric types and sessions.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
