//! Statements that read blocks with or without their arrays. They share one list of columns.

/// Prepends the columns of a scan to the rest of a statement.
macro_rules! scan_blocks {
    ($rest:literal) => {
        concat!(include_str!("block_columns.sql"), include_str!($rest))
    };
}

/// Blocks of one time range.
pub(super) const BLOCKS_OF_RANGE: &str = scan_blocks!("blocks_of_range.sql");
/// Blocks of one time range that meet conditions.
pub(super) const FILTERED_BLOCKS: &str = scan_blocks!("filtered_blocks_of_range.sql");
/// Blocks of many time ranges of a plain table.
pub(super) const BLOCKS_OF_MANY_RANGES: &str = scan_blocks!("blocks_of_many_ranges.sql");
/// Blocks of many time ranges of a hypertable.
pub(super) const BLOCKS_IN_ONE_SCAN: &str = scan_blocks!("blocks_in_one_scan.sql");

/// All statements of this module and its siblings.
#[cfg(test)]
pub(in crate::postgres) const ALL: &[&str] = &[
    include_str!("data_version.sql"),
    include_str!("session_span.sql"),
    include_str!("blocks_in_order.sql"),
    include_str!("next_block.sql"),
    include_str!("previous_block.sql"),
    include_str!("last_blocks.sql"),
    include_str!("extents.sql"),
    include_str!("session_starts.sql"),
    include_str!("present.sql"),
    include_str!("days_basic.sql"),
    include_str!("days_full.sql"),
    BLOCKS_OF_RANGE,
    FILTERED_BLOCKS,
    BLOCKS_OF_MANY_RANGES,
    BLOCKS_IN_ONE_SCAN,
];
