//! The properties, each checked on random cases.

mod aggregates;
mod aligned_sessions;
mod backends;
mod bucket_sums;
mod formats;
mod points;
mod relations;
mod round_trip;
mod session_splits;
