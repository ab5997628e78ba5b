//! `/api/timeseries/`: parameters → what is asked → answer → bytes.

mod asked;
mod columns;
mod flat;
mod metadata;
mod nested;
mod params;
mod post_timeseries;
mod render;
mod timeseries;
mod timeseries_answer;

pub(crate) use post_timeseries::post_timeseries;
pub(crate) use timeseries::timeseries;
