//! `/api/points/`, `/api/latest/` and `/api/catalog/`: raw points, last points and extents of
//! series.

mod catalog;
mod columns;
mod cursor;
mod get_points;
mod get_session_points;
mod latest;
mod listing;
mod overview;
mod params;
mod points_answer;
mod render;
mod request;
mod stream;
mod value_text;

pub(crate) use catalog::catalog;
pub(crate) use get_points::get_points;
pub(crate) use get_session_points::get_session_points;
pub(crate) use latest::latest;
