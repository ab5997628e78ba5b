//! Queries: parameters, formats, caching and rejections.

mod align;
mod binary_formats;
mod binary_points;
mod bounds;
mod catalog;
mod conditional_requests;
mod conditions;
mod csv_format;
mod disconnects;
mod downsampling;
mod etag_changes;
mod etags;
mod explain;
mod extreme_times;
mod fill;
mod fill_daylight;
mod fill_leaves;
mod fill_lookback;
mod formats;
mod groups;
mod latest;
mod layouts;
mod min_version;
mod over;
mod parameters;
mod point_order;
mod point_pages;
mod point_parameters;
mod point_values;
mod points;
mod session_points;
mod sketches;
mod support;
mod text_formats;
mod text_series;
mod time_avg;
mod timeouts;
mod truncation;
mod users;
mod versions;

/// January 2025, with a fixed end.
const JANUARY: [(&str, &str); 2] = [("start_time", "2025-01-01"), ("end_time", "2025-02-01")];
