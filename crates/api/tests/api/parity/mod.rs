//! The documented behaviour of the original system, as its README describes it.

mod selections;
mod sessions;
mod time_ranges;
mod values;

use serde_json::json;

use crate::common::{COLOR, point};

const JANUARY: [(&str, &str); 2] = [
    ("start_time", "2025-01-01T00:00:00Z"),
    ("end_time", "2025-02-01T00:00:00Z"),
];

fn january<'a>(more: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    JANUARY.iter().chain(more).copied().collect()
}

fn color(time: &str, rgb: [f64; 3]) -> serde_json::Value {
    point(COLOR, time, &json!({"r": rgb[0], "g": rgb[1], "b": rgb[2]}))
}
