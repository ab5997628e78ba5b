#![doc = include_str!("../README.md")]

pub mod block;
pub mod bucket;
#[cfg(feature = "schema")]
pub mod catalogue;
pub mod channel;
mod clock;
#[cfg(feature = "schema")]
pub mod embedded;
pub mod fingerprint;
#[cfg(feature = "schema")]
pub mod ingest;
pub mod json;
#[cfg(feature = "schema")]
pub mod memory;
pub mod metric_type;
pub mod model;
pub mod point;
#[cfg(feature = "schema")]
pub mod ports;
pub mod prelude;
#[cfg(feature = "schema")]
pub mod query;
mod secret;
#[cfg(feature = "serde")]
mod serde_text;
#[cfg(feature = "schema")]
pub mod session;
pub mod summary;
pub mod text;
mod timestamp;

pub use block::BlockPoint;
pub use bucket::{Bucket, Calendar, Interval, Weekday};
pub use channel::{Channel, ChannelId};
pub use clock::{Clock, FixedClock};
pub use json::{Json, JsonError, JsonErrorKind, Pointer};
#[cfg(feature = "schema")]
pub use metric_type::{Catalogue, MetricType, SelectorError, SeriesMode, SeriesSelector};
pub use metric_type::{MetricTypeId, SchemaVersion, SeriesName};
pub use model::{SessionId, SessionPage, SessionPosition, SessionRecord, TimeRules, UserId};
pub use point::TimeSeriesPoint;
pub use secret::{MacHasher, MacKey, RootSecret};
pub use summary::{Sample, Summary};
pub use timestamp::{MICROS_PER_DAY, Timestamp, TimestampError, UtcDay};
