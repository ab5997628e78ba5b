//! Properties of queries for raw points.

mod downsampling;
mod formats;
mod listing;
mod overview;
