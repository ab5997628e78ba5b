//! The way of a session into the tables.

mod append;
mod day_summaries;
mod found;
mod session_rows;
mod store_as_new;
mod store_group;
mod turns;
mod writer;

pub(super) use day_summaries::{TouchedDays, date, recompute_days};
pub(super) use store_group::{RAISE_VERSION, read_version};
pub(super) use turns::{Turns, WRITERS};

#[cfg(test)]
pub(super) use statements::ALL as STATEMENTS;

#[cfg(test)]
mod statements {
    //! Every statement of this folder, for the test that prepares them.
    pub(in crate::postgres) const ALL: &[&str] = &[
        include_str!("block_heads.sql"),
        include_str!("take_blocks.sql"),
        include_str!("extend_sessions.sql"),
        include_str!("insert_parts.sql"),
        include_str!("stored_parts.sql"),
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
