//! `/api/timeseries/`

mod params;
mod render;
mod timeseries;

pub(crate) use timeseries::timeseries;
