//! Metric types: create, list, change while in use, delete; and the required permissions.

mod catalogue;
mod changes;
mod concurrent_changes;
mod deletion;
mod permissions;
mod schemas;

/// January 2025 in one bucket.
const JANUARY: [(&str, &str); 3] = [
    ("start_time", "2025-01-01"),
    ("end_time", "2025-02-01"),
    ("interval", "month"),
];
