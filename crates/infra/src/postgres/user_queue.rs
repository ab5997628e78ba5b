//! Writers of one user queue up here before they take a connection.
//!
//! The user's row in the database is the lock that counts, also between processes. But whoever waits
//! for it holds a connection and a snapshot, and a snapshot keeps every row version that the others
//! leave behind: 32 writers of one user made the day summaries ten times as large.

use std::hash::{DefaultHasher, Hash, Hasher};

use time_series_domain::UserId;
use tokio::sync::{Mutex, MutexGuard};

/// Users that share a queue by chance wait for each other needlessly; with so many, rarely.
const QUEUES: usize = 1_024;

pub(super) struct UserQueue {
    queues: Vec<Mutex<()>>,
}

impl UserQueue {
    pub(super) fn new() -> Self {
        Self { queues: (0..QUEUES).map(|_| Mutex::new(())).collect() }
    }

    /// The turn of one writer of that user; over when it is dropped.
    pub(super) async fn turn(&self, user: UserId) -> MutexGuard<'_, ()> {
        let mut hasher = DefaultHasher::new();
        user.hash(&mut hasher);
        let place = usize::try_from(hasher.finish() % QUEUES as u64).unwrap_or(0);
        self.queues[place].lock().await
    }
}
