//! `/api/timeseries/`: parameters, request, answer and rendering.

mod aggregate_params;
mod columns;
mod flat;
mod metadata;
mod nested;
mod params;
mod post_timeseries;
mod render;
mod request;
mod timeseries;
mod timeseries_answer;

pub(crate) use post_timeseries::post_timeseries;
pub(crate) use timeseries::timeseries;
