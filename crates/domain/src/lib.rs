#![doc = include_str!("../README.md")]

pub mod block;
pub mod bucket;
pub mod channel;
mod clock;
pub mod fingerprint;
pub mod ingest;
pub mod json;
pub mod memory;
pub mod metric_type;
pub mod model;
pub mod point;
pub mod ports;
pub mod query;
mod secret;
pub mod session;
pub mod summary;
pub mod text;
mod timestamp;

pub use block::BlockPoint;
pub use bucket::{Bucket, Calendar, Interval, Weekday};
pub use channel::{Channel, ChannelId, Pointer};
pub use clock::{Clock, FixedClock};
pub use json::{Json, JsonError, JsonErrorKind};
pub use metric_type::{
    Catalogue, MetricType, MetricTypeId, SchemaVersion, SelectorError, SeriesMode, SeriesName,
    SeriesSelector,
};
pub use model::{SessionId, SessionPage, SessionPosition, SessionRecord, TimeRules, UserId};
pub use point::TimeSeriesPoint;
pub use secret::{MacHasher, MacKey, RootSecret};
pub use summary::{Sample, Summary};
pub use timestamp::{MICROS_PER_DAY, Timestamp, TimestampError, UtcDay};
