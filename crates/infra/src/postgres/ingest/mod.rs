//! Write path: from the write queue to the tables.
//!
//! 1. [`PgSessionStore`] pushes a write to the [`write_queue`].
//! 2. A [`worker`] takes a batch: the writes of many users, each user in one batch at a time.
//! 3. The [`batch`] is stored in one transaction. Batches of new sessions take the [`fast_path`].
//!    Others lock the users and load the [`existing_state`] first.
//! 4. The worker returns each result once the commit has returned.

mod append;
mod batch;
mod day_summaries;
mod existing_state;
mod fast_path;
mod session_rows;
mod session_store;
mod worker;
mod write_queue;
#[cfg(test)]
mod write_queue_tests;
mod write_rate;

pub(super) use batch::{RAISE_VERSION, read_version};
pub(super) use day_summaries::{TouchedDays, date, recompute_days};
pub use session_store::PgSessionStore;

/// Number of workers, each with a connection of its own.
pub(super) const WORKERS: usize = 3;

#[cfg(test)]
pub(super) use statements::ALL as STATEMENTS;

#[cfg(test)]
mod statements {
    //! Every statement of this folder, for the test that prepares them.
    pub(in crate::postgres) const ALL: &[&str] = &[
        include_str!("block_headers.sql"),
        include_str!("take_blocks.sql"),
        include_str!("extend_sessions.sql"),
        include_str!("insert_appends.sql"),
        include_str!("earlier_appends.sql"),
        include_str!("copy_blocks.sql"),
        include_str!("insert_block.sql"),
        include_str!("raise_version.sql"),
        include_str!("lock_users.sql"),
        include_str!("lock_users_or_fail.sql"),
        include_str!("schema_generations.sql"),
        include_str!("lower_versions.sql"),
        include_str!("stored_session.sql"),
        include_str!("stored_sessions.sql"),
        include_str!("insert_sessions.sql"),
        include_str!("insert_new_sessions.sql"),
        include_str!("merge_day_summaries.sql"),
        include_str!("delete_day_summaries.sql"),
        include_str!("blocks_of_days.sql"),
        include_str!("channels.sql"),
    ];
}
