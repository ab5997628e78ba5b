//! Reads and deletes of stored sessions.

mod delete_session;
mod read_session;

pub(super) use delete_session::{StoredSpan, delete_blocks};

#[cfg(test)]
pub(super) const STATEMENTS: &[&str] = &[
    include_str!("delete_blocks.sql"),
    include_str!("delete_session.sql"),
    include_str!("get_session.sql"),
    include_str!("session_owners.sql"),
    include_str!("list_sessions.sql"),
    include_str!("series_points.sql"),
    include_str!("user_version.sql"),
];
