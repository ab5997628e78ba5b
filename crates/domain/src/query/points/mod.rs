//! Raw points: ordered scans, cursor pagination and downsampling.

mod block_merge;
mod downsample;
mod point_reader;
mod point_spec;
mod read_points;

pub use downsample::{DownsampledPoint, Downsampler, Method};
pub use point_reader::{PointSeries, PointSink, PointView};
pub use point_spec::{PointPosition, PointSpec};
pub use read_points::{LatestPoint, PointsRead, ReadPoints};
