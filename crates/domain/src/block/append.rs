//! Appends: plans which stored blocks of a series and UTC day are replaced, and encodes their
//! replacements.
//!
//! The blocks of a series in a session never overlap, and blocks that share an instant are numbered
//! in order of arrival. An append keeps both invariants and merges small blocks: see
//! `docs/adr/0010-appends-merge-blocks.md`.

use std::ops::Range;

use super::block::Block;
use super::columns::SeriesColumns;
use super::cut::cut;
use super::header::BlockHeader;
use crate::Timestamp;

/// Stored blocks of fewer points are merged with points that are appended next to them.
pub const SMALL_BLOCK_POINTS: usize = 256;

/// Consecutive stored blocks, and the appended points that are merged with them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlockMerge {
    /// The indexes of the stored blocks to replace; empty if the points become new blocks.
    pub stored: Range<usize>,
    /// The indexes of the appended points.
    pub appended: Range<usize>,
}

/// Plans an append of points of one UTC day.
///
/// `stored` are the blocks of the same series, session and day, sorted by (`t_min`, `seq`).
#[must_use]
pub fn plan_append(stored: &[BlockHeader], appended: &SeriesColumns) -> Vec<BlockMerge> {
    let mut merges: Vec<BlockMerge> = Vec::new();
    let mut at = 0;
    while at < appended.len() {
        let next = next_merge(stored, &appended.times, at);
        match merges.last_mut() {
            // Both merges replace a block in common.
            Some(last) if next.stored.start < last.stored.end => {
                last.stored.end = last.stored.end.max(next.stored.end);
                last.appended.end = next.appended.end;
            }
            _ => merges.push(next.clone()),
        }
        at = next.appended.end;
    }
    merges
}

/// Returns the merge of the points from `at` on that fall into one stored block, or between two.
fn next_merge(stored: &[BlockHeader], times: &[Timestamp], at: usize) -> BlockMerge {
    // Points at a stored instant follow the stored points: they fall into the last block that
    // starts at or before that instant.
    let started = |t: Timestamp| stored.partition_point(|header| header.t_min <= t);
    let after = started(times[at]);
    let into = after
        .checked_sub(1)
        .filter(|block| times[at] <= stored[*block].t_max);
    let belongs =
        |t: &Timestamp| started(*t) == after && into.is_none_or(|block| *t <= stored[block].t_max);
    let end = at + times[at..].iter().take_while(|t| belongs(t)).count();
    let is_small = |block: &usize| stored[*block].points < SMALL_BLOCK_POINTS;
    let mut changed = match into {
        Some(block) => block..after,
        None => after.checked_sub(1).filter(is_small).unwrap_or(after)..after,
    };
    if into.is_none() && after < stored.len() && is_small(&after) {
        changed.end += 1;
    }
    // A replacement gets a higher number than all stored blocks. A block that starts at the instant
    // at which the replacement ends must therefore be replaced, too.
    while (1..stored.len()).contains(&changed.end)
        && !changed.is_empty()
        && stored[changed.end].t_min == stored[changed.end - 1].t_max
    {
        changed.end += 1;
    }
    BlockMerge {
        stored: changed,
        appended: at..end,
    }
}

impl BlockMerge {
    /// Encodes the blocks that replace the `stored` blocks, numbered from `first_seq` on.
    #[must_use]
    pub fn blocks(&self, stored: &[Block], appended: &SeriesColumns, first_seq: u32) -> Vec<Block> {
        let mut columns = SeriesColumns::of_blocks(appended.metric_type, stored);
        columns.extend(appended, self.appended.clone());
        cut(&columns.sorted(), first_seq)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::block::BlockPoint;
    use crate::json::Pointer;
    use crate::{Json, MetricTypeId};

    /// Values contain the order of arrival; some have a remainder.
    fn columns(times: &[i64], arrived: &mut u32) -> SeriesColumns {
        let mut value = || {
            *arrived += 1;
            let note = if arrived.is_multiple_of(3) {
                ",\"note\":\"x\""
            } else {
                ""
            };
            Json::parse(&format!("{{\"value\":{arrived}{note}}}")).expect("JSON")
        };
        let points = times
            .iter()
            .map(|t| (Timestamp::from_micros(*t), value()))
            .collect();
        SeriesColumns::new(MetricTypeId(1), &channels(), points)
    }

    fn channels() -> [Pointer; 1] {
        [Pointer::parse("/value").expect("a pointer")]
    }

    /// Appends as a store does, and returns the number of replaced blocks.
    fn append(stored: &mut Vec<Block>, appended: &SeriesColumns) -> usize {
        let headers: Vec<BlockHeader> = stored.iter().map(Block::header).collect();
        let merges = plan_append(&headers, appended);
        let mut seq = headers.iter().map(|h| h.seq + 1).max().unwrap_or(0);
        let mut gone = Vec::new();
        for merge in &merges {
            let blocks = merge.blocks(&stored[merge.stored.clone()], appended, seq);
            seq += u32::try_from(blocks.len()).expect("few");
            gone.extend(headers[merge.stored.clone()].iter().map(|h| h.seq));
            stored.extend(blocks);
        }
        stored.retain(|block| !gone.contains(&block.seq));
        stored.sort_by_key(|block| (block.t_min(), block.seq));
        gone.len()
    }

    fn points(blocks: &[Block]) -> Vec<BlockPoint> {
        blocks
            .iter()
            .flat_map(|block| block.points(&channels()).collect::<Vec<_>>())
            .collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn appends_keep_all_points_in_order_and_blocks_disjoint(
            parts in prop::collection::vec((prop::collection::vec(0..60_i64, 1..40), 0..1_500_usize), 1..12),
        ) {
            let (mut arrived, mut stored, mut all) = (0, Vec::new(), Vec::new());
            for (times, more) in parts {
                // Some parts are dense, so that some blocks are not small.
                let dense = (0..if more > 1_200 { more } else { 0 }).map(|i| i64::try_from(i).expect("small") / 40);
                let times: Vec<i64> = times.into_iter().chain(dense).map(|t| t * 1_000_000).collect();
                let appended = columns(&times, &mut arrived);
                let whole = BlockMerge { stored: 0..0, appended: 0..appended.len() }.blocks(&[], &appended, 0);
                all.extend(points(&whole));
                append(&mut stored, &appended);
                all.sort_by_key(|point| point.time);
                prop_assert_eq!(points(&stored), all.clone());
                for pair in stored.windows(2) {
                    prop_assert!(pair[0].t_max() <= pair[1].t_min());
                    prop_assert!(pair[0].t_max() < pair[1].t_min() || pair[0].seq < pair[1].seq);
                }
            }
        }
    }

    #[test]
    fn small_appends_are_merged_and_large_blocks_stay() {
        let (mut arrived, mut stored) = (0, Vec::new());
        for part in 0..200 {
            let times: Vec<i64> = (0..10).map(|i| (part * 10 + i) * 1_000_000).collect();
            append(&mut stored, &columns(&times, &mut arrived));
        }
        let lengths: Vec<usize> = stored.iter().map(Block::len).collect();
        assert_eq!(lengths, [260, 260, 260, 260, 260, 260, 260, 180]);
    }

    #[test]
    fn points_far_apart_keep_the_blocks_between_them() {
        let (mut arrived, mut stored) = (0, Vec::new());
        let times: Vec<i64> = (100..20_100).map(|i| i * 1_000_000).collect();
        append(&mut stored, &columns(&times, &mut arrived));
        assert_eq!(
            append(&mut stored, &columns(&[0, 30_000_000_000], &mut arrived)),
            0
        );
        assert_eq!(stored.len(), 7);
        assert_eq!(
            append(
                &mut stored,
                &columns(&[1_000_000, 200_500_000, 30_001_000_000], &mut arrived)
            ),
            3
        );
        assert_eq!(stored.len(), 7);
    }
}
