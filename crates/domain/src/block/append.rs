//! Points that are appended to a session: which stored blocks of a series and day they change, and into what.
//!
//! The blocks of a series in a session never overlap, and those that meet at an instant are numbered in order of arrival.
//! Appending keeps it so, and lets no small blocks gather: see `docs/adr/0010-appends-merge-blocks.md`.

use std::ops::Range;

use super::{Block, SeriesColumns, cut};
use crate::Timestamp;

/// A stored block of fewer points takes in what is appended beside it.
pub const SMALL_BLOCK_POINTS: usize = 256;

/// A stored block as far as it must be known to tell whether it changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BlockHead {
    /// Its number.
    pub seq: u32,
    /// The time of its first point.
    pub t_min: Timestamp,
    /// The time of its last point.
    pub t_max: Timestamp,
    /// How many points.
    pub points: usize,
}

/// Neighbouring stored blocks, and the appended points that are put together with them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cluster {
    /// Places of the stored blocks, which are to go; none where the points have blocks of their own.
    pub stored: Range<usize>,
    /// Places of the appended points.
    pub appended: Range<usize>,
}

/// Plans what `appended`, points of one UTC day, change among the stored blocks of that series, session and day, which come
/// by (`t_min`, `seq`).
#[must_use]
pub fn plan_append(stored: &[BlockHead], appended: &SeriesColumns) -> Vec<Cluster> {
    let mut clusters: Vec<Cluster> = Vec::new();
    let mut at = 0;
    while at < appended.len() {
        let run = next_run(stored, &appended.times, at);
        match clusters.last_mut() {
            // They share a block, or it is the neighbour of both.
            Some(last) if run.stored.start < last.stored.end => {
                last.stored.end = last.stored.end.max(run.stored.end);
                last.appended.end = run.appended.end;
            }
            _ => clusters.push(run.clone()),
        }
        at = run.appended.end;
    }
    clusters
}

/// The points from `at` on that belong into one stored block, or between two, with the blocks that change.
fn next_run(stored: &[BlockHead], times: &[Timestamp], at: usize) -> Cluster {
    // What comes at a stored instant comes behind what is there: into the last block that has begun.
    let begun = |t: Timestamp| stored.partition_point(|head| head.t_min <= t);
    let behind = begun(times[at]);
    let into = behind
        .checked_sub(1)
        .filter(|block| times[at] <= stored[*block].t_max);
    let belongs =
        |t: &Timestamp| begun(*t) == behind && into.is_none_or(|block| *t <= stored[block].t_max);
    let end = at + times[at..].iter().take_while(|t| belongs(t)).count();
    let is_small = |block: &usize| stored[*block].points < SMALL_BLOCK_POINTS;
    let mut changed = match into {
        Some(block) => block..behind,
        None => behind.checked_sub(1).filter(is_small).unwrap_or(behind)..behind,
    };
    if into.is_none() && behind < stored.len() && is_small(&behind) {
        changed.end += 1;
    }
    // A block that is written anew is numbered behind all others, so whoever meets its end must be, too.
    while (1..stored.len()).contains(&changed.end)
        && !changed.is_empty()
        && stored[changed.end].t_min == stored[changed.end - 1].t_max
    {
        changed.end += 1;
    }
    Cluster {
        stored: changed,
        appended: at..end,
    }
}

impl Cluster {
    /// The blocks that take the place of those `stored` ones, numbered from `first_seq` on.
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
    use crate::channel::Pointer;
    use crate::{Json, MetricTypeId};

    /// Values tell the order of arrival, and some have a rest.
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

    /// Appends as a store does.
    fn append(stored: &mut Vec<Block>, appended: &SeriesColumns) -> usize {
        let heads: Vec<BlockHead> = stored.iter().map(Block::head).collect();
        let clusters = plan_append(&heads, appended);
        let mut seq = heads.iter().map(|h| h.seq + 1).max().unwrap_or(0);
        let mut gone = Vec::new();
        for cluster in &clusters {
            let blocks = cluster.blocks(&stored[cluster.stored.clone()], appended, seq);
            seq += u32::try_from(blocks.len()).expect("few");
            gone.extend(heads[cluster.stored.clone()].iter().map(|h| h.seq));
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
        fn however_points_come_they_are_all_there_in_order_and_no_blocks_overlap(
            parts in prop::collection::vec((prop::collection::vec(0..60_i64, 1..40), 0..1_500_usize), 1..12),
        ) {
            let (mut arrived, mut stored, mut all) = (0, Vec::new(), Vec::new());
            for (times, more) in parts {
                // Some parts are dense, so that there are blocks that are not small.
                let dense = (0..if more > 1_200 { more } else { 0 }).map(|i| i64::try_from(i).expect("small") / 40);
                let times: Vec<i64> = times.into_iter().chain(dense).map(|t| t * 1_000_000).collect();
                let appended = columns(&times, &mut arrived);
                let whole = Cluster { stored: 0..0, appended: 0..appended.len() }.blocks(&[], &appended, 0);
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
    fn small_parts_grow_together_and_large_blocks_stay() {
        let (mut arrived, mut stored) = (0, Vec::new());
        for part in 0..200 {
            let times: Vec<i64> = (0..10).map(|i| (part * 10 + i) * 1_000_000).collect();
            append(&mut stored, &columns(&times, &mut arrived));
        }
        let lengths: Vec<usize> = stored.iter().map(Block::len).collect();
        assert_eq!(lengths, [260, 260, 260, 260, 260, 260, 260, 180]);
    }

    #[test]
    fn points_far_apart_leave_what_lies_between_alone() {
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
