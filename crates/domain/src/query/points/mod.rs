//! The points themselves: in order, page by page, or thinned out for a plot.

mod downsample;
mod merge;
mod point_query;
mod point_reader;
mod read_points;

pub use downsample::{Method, Thinned, Thinning};
pub use point_query::{PointPosition, PointQuery};
pub use point_reader::{PointSeries, PointSink, PointView};
pub use read_points::{LatestPoint, PointsRead, ReadPoints};
