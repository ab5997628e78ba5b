//! Metric types: created, listed, changed while they are in use, deleted; and who may do so.

mod admins;
mod beside_changes;
mod catalogue;
mod changes;
mod removal;
mod schemas;

/// January 2025 in one bucket.
const JANUARY: [(&str, &str); 3] = [
    ("start_time", "2025-01-01"),
    ("end_time", "2025-02-01"),
    ("interval", "month"),
];
