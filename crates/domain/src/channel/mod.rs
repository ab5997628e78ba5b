//! Channels: the numeric leaves of a metric type's values.

use crate::json::Pointer;

/// The number of a channel in the catalogue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ChannelId(pub i32);

/// One numeric leaf of a metric type. Its index in `MetricType::channels` never changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Channel {
    /// The number of the channel in the catalogue.
    pub id: ChannelId,
    /// The location of the leaf in a value.
    pub pointer: Pointer,
}
