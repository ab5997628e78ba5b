//! Block headers: the properties of a stored block that decide whether an append changes it.

use crate::Timestamp;

/// The number, time span and size of a stored block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BlockHeader {
    /// The number of the block within the session.
    pub seq: u32,
    /// The time of the first point.
    pub t_min: Timestamp,
    /// The time of the last point.
    pub t_max: Timestamp,
    /// Number of points.
    pub points: usize,
}
