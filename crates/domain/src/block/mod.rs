//! Blocks: the points of one series, in one session and one UTC day, as columns.
//!
//! [`SeriesColumns`] sorts the points of a series and splits each value into the number of each
//! channel and a remainder. [`cut`](cut()) encodes columns as [`Block`]s: [`Times`] as steps or 32-bit
//! deltas, [`Numbers`] in the narrowest type that restores every double bit for bit, and
//! [`Remainder`] as JSON text. [`plan_append`] decides which stored blocks an append replaces.
//!
//! ```
//! use time_series_domain::block::{SeriesColumns, cut};
//! use time_series_domain::{Json, MetricTypeId, Pointer, Timestamp};
//!
//! let channels = [Pointer::root()];
//! let points = [36.6, 36.7].map(|value| Json::parse(&value.to_string()).expect("JSON"));
//! let points = (0..).map(Timestamp::from_micros).zip(points).collect();
//! let blocks = cut(&SeriesColumns::new(MetricTypeId(1), &channels, points), 0);
//! assert_eq!(blocks[0].len(), 2);
//! assert_eq!(blocks[0].summarise()[0].max(), Some(36.7));
//! ```

mod append;
#[expect(clippy::module_inception, reason = "named after its type")]
mod block;
mod columns;
mod cut;
mod decimal_scale;
mod header;
mod numbers;
mod points;
mod remainder;
mod times;
mod value;

pub use append::{BlockMerge, SMALL_BLOCK_POINTS, plan_append};
pub use block::Block;
#[cfg(feature = "schema")]
pub(crate) use columns::Column;
pub use columns::SeriesColumns;
pub use cut::cut;
#[cfg(feature = "schema")]
pub(crate) use cut::cut_values;
pub use header::BlockHeader;
pub use numbers::{Numbers, NumbersError};
pub use points::BlockPoint;
pub use remainder::{Remainder, RemainderError};
pub use times::{MAX_BLOCK_POINTS, Spacing, TimeUnit, Times, TimesError};
#[cfg(feature = "schema")]
pub(crate) use value::join;

/// Minimum number of points of a block that is stored with summaries. Arrays of fewer points are as
/// fast to read.
pub const MIN_SUMMARISED_POINTS: usize = 16;
