//! Channels: the numeric leaves of a metric type's values.

mod pointer;

pub use pointer::Pointer;

/// A channel's number in the catalogue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ChannelId(pub i32);

/// One numeric leaf of a metric type. Its place in [`crate::MetricType::channels`] never changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Channel {
    /// Its number in the catalogue.
    pub id: ChannelId,
    /// Where in a value it stands.
    pub pointer: Pointer,
}
