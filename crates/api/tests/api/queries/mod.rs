//! Queries: parameters, formats, caching and rejections.

mod align;
mod binary_formats;
mod bounds;
mod catalog;
mod conditions;
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
mod truncation;
mod users;
mod versions;

/// January 2025, with a fixed end.
const JANUARY: [(&str, &str); 2] = [("start_time", "2025-01-01"), ("end_time", "2025-02-01")];
