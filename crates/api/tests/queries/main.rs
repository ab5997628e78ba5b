//! Queries: how they are asked, in which form they are answered, how fresh, and what is refused.

#![expect(clippy::panic, reason = "a test that cannot go on says so")]

mod align;
mod binary_formats;
mod bounds;
mod catalog;
#[path = "../common/mod.rs"]
mod common;
mod conditions;
mod cut_off;
mod disconnects;
mod downsampling;
mod etags;
mod explain;
mod extreme_times;
mod fill;
mod fill_daylight;
mod formats;
mod groups;
mod latest;
mod layouts;
mod min_version;
mod over;
mod parameters;
mod point_pages;
mod point_parameters;
mod point_values;
mod points;
mod session_points;
mod support;
mod text_formats;
mod time_avg;
mod timeouts;
mod users;
mod versions;

/// When the sessions here start: a Wednesday.
const START: &str = "2025-01-01T00:00:00Z";

/// `START` as seconds since 1970.
const START_SECONDS: i64 = 1_735_689_600;

/// January 2025, until a fixed end.
const JANUARY: [(&str, &str); 2] = [("start_time", "2025-01-01"), ("end_time", "2025-02-01")];
