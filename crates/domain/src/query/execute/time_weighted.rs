//! Time-weighted means: each value is in effect until the next point of its session, series and
//! leaf.

use std::cmp::Ordering;
use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, HashMap};

use super::accumulator::BucketState;
use super::rows::{BucketSlot, RangePart, Rows, Table, offset};
use super::time_weighted_mean::{TimeWeightedMean, WholeBucket};
use crate::ports::StoreError;
use crate::query::spec::Axis;
use crate::{Sample, SessionId, Timestamp, UserId};

/// Memory of an entry of [`TimeWeighted`], in units of one number.
const ENTRY_WEIGHT: usize = 16;

/// One channel of one session in one part of the range.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct TrackKey {
    pub(super) user: UserId,
    pub(super) session: SessionId,
    pub(super) series: usize,
    pub(super) channel: usize,
    pub(super) part: RangePart,
    pub(super) group: u32,
}

/// The first and last sample of a track in a block.
struct BlockEnds {
    seq: u32,
    first: (Sample, BucketSlot),
    last: (Sample, BucketSlot),
}

/// A value that was in effect throughout whole buckets, from the end of one bucket to the start of
/// another one, on the axis.
struct LongInterval {
    of: ChannelKey,
    value: f64,
    from: Timestamp,
    until: Timestamp,
}

/// One channel of the rows of a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct ChannelKey {
    pub(super) part: RangePart,
    pub(super) series: usize,
    pub(super) group: u32,
    pub(super) channel: usize,
}

/// The intervals that are not yet added to their buckets. Blocks may arrive in any order.
#[derive(Default)]
pub(super) struct TimeWeighted {
    ends: HashMap<TrackKey, (Vec<BlockEnds>, Option<Timestamp>)>,
    long: Vec<LongInterval>,
}

impl TimeWeighted {
    /// Returns the memory taken, in units of one number.
    pub(super) fn retained(&self) -> usize {
        ENTRY_WEIGHT * (self.ends.len() + self.long.len())
    }

    /// Adds the samples of a track in one block, in order.
    pub(super) fn add_block(
        &mut self,
        track: TrackKey,
        seq: u32,
        start: Option<Timestamp>,
        samples: &[(Sample, BucketSlot)],
        rows: &mut Rows,
    ) {
        for pair in samples.windows(2) {
            self.add_interval(track, start, &pair[0], &pair[1], rows);
        }
        if let (Some(first), Some(last)) = (samples.first(), samples.last()) {
            let ends = BlockEnds {
                seq,
                first: *first,
                last: *last,
            };
            self.ends
                .entry(track)
                .or_insert_with(|| (Vec::new(), start))
                .0
                .push(ends);
        }
    }

    /// Adds the interval from sample `a` to sample `b`, in which the value of `a` is in effect, to
    /// the buckets of both samples. The buckets between them are added by
    /// [`Self::for_each_whole_bucket`].
    fn add_interval(
        &mut self,
        track: TrackKey,
        start: Option<Timestamp>,
        a: &(Sample, BucketSlot),
        b: &(Sample, BucketSlot),
        rows: &mut Rows,
    ) {
        let value = a.0.value;
        let (from, first) = (a.0.time, &a.1);
        let (until, last) = (b.0.time, &b.1);
        let mut add = |bucket, from, until| {
            if let Some(mean) = mean_of(rows, bucket, &track) {
                mean.add(value, from, until);
            }
        };
        if first.bucket == last.bucket {
            add(first.bucket, from, until);
            return;
        }
        add(first.bucket, from, first.until);
        add(last.bucket, last.from, until);
        if first.until < last.from {
            // On a session's axis, buckets count from the session's start.
            let on_axis = |t: Timestamp| start.map_or(t, |start| offset(t, start));
            let TrackKey {
                part,
                series,
                group,
                channel,
                ..
            } = track;
            let of = ChannelKey {
                part,
                series,
                group,
                channel,
            };
            self.long.push(LongInterval {
                of,
                value,
                from: on_axis(first.until),
                until: on_axis(last.from),
            });
        }
    }

    /// Adds the intervals between consecutive blocks of each session, once all blocks have arrived.
    pub(super) fn connect_blocks(&mut self, table: &mut Table) -> Result<(), StoreError> {
        for (track, (mut ends, start)) in std::mem::take(&mut self.ends) {
            ends.sort_unstable_by_key(|e| (e.first.0.time, e.seq));
            for pair in ends.windows(2) {
                if pair[1].first.0.time < pair[0].last.0.time {
                    return Err(StoreError::Corrupt {
                        table: "block",
                        column: "t_max",
                        problem: format!(
                            "blocks of session {} overlap at {}",
                            track.session, pair[1].first.0.time
                        ),
                    });
                }
                self.add_interval(
                    track,
                    start,
                    &pair[0].last,
                    &pair[1].first,
                    table.rows(track.part, track.series),
                );
            }
        }
        Ok(())
    }

    /// Calls `visit` once for each bucket of a channel that lies within a long interval, with all
    /// values that were in effect throughout that bucket.
    pub(super) fn for_each_whole_bucket<E>(
        self,
        axis: &Axis,
        mut visit: impl FnMut(ChannelKey, WholeBucket) -> Result<(), E>,
    ) -> Result<(), E> {
        let ends = |long: LongInterval| {
            [
                (long.of, long.from, long.value, true),
                (long.of, long.until, long.value, false),
            ]
        };
        let mut ends: Vec<(ChannelKey, Timestamp, f64, bool)> =
            self.long.into_iter().flat_map(ends).collect();
        // Sums are rounded: a fixed order makes them independent of the order of arrival.
        ends.sort_unstable_by(|a, b| {
            (a.0, a.1, a.3)
                .cmp(&(b.0, b.1, b.3))
                .then(a.2.total_cmp(&b.2))
        });
        let mut active = ActiveValues::default();
        for (index, &(of, at, value, begins)) in ends.iter().enumerate() {
            active.change(value, begins);
            let Some((least, most)) = active.bounds() else {
                continue;
            };
            // An active interval has an end, so that the next entry is of the same channel and
            // group.
            let until = ends.get(index + 1).map_or(at, |next| next.1);
            let mut from = at;
            while from < until {
                let bucket = axis.bucket(from);
                from = bucket.end();
                let whole = WholeBucket {
                    bucket,
                    sum: active.sum.rounded(),
                    least,
                    most,
                    count: active.count,
                };
                visit(of, whole)?;
            }
        }
        Ok(())
    }
}

/// The values in effect at an instant.
#[derive(Default)]
struct ActiveValues {
    sum: CompensatedSum,
    count: u32,
    /// The number of occurrences of each value.
    values: BTreeMap<TotalOrder, u32>,
}

impl ActiveValues {
    /// Adds a value whose interval begins, or removes one whose interval ends.
    fn change(&mut self, value: f64, begins: bool) {
        if begins {
            self.sum.add(value);
            self.count += 1;
            *self.values.entry(TotalOrder(value)).or_default() += 1;
            return;
        }
        self.sum.add(-value);
        self.count -= 1;
        if let Entry::Occupied(mut times) = self.values.entry(TotalOrder(value)) {
            *times.get_mut() -= 1;
            if *times.get() == 0 {
                times.remove();
            }
        }
        if self.count == 0 {
            self.sum = CompensatedSum::default();
        }
    }

    /// Returns the least and the greatest value; `None` if no value is in effect.
    fn bounds(&self) -> Option<(f64, f64)> {
        Some((
            self.values.first_key_value()?.0.0,
            self.values.last_key_value()?.0.0,
        ))
    }
}

/// A number ordered by [`f64::total_cmp`].
#[derive(Debug, Clone, Copy)]
struct TotalOrder(f64);

impl Ord for TotalOrder {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.total_cmp(&other.0)
    }
}

impl PartialOrd for TotalOrder {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for TotalOrder {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for TotalOrder {}

/// A sum in twice the precision, so that values that were added and removed leave no residue.
/// Source: Knuth, The Art of Computer Programming 2, 4.2.2, theorem B.
#[derive(Default)]
struct CompensatedSum {
    high: f64,
    low: f64,
}

impl CompensatedSum {
    fn add(&mut self, value: f64) {
        let sum = self.high + value;
        let of_value = sum - self.high;
        self.low += (self.high - (sum - of_value)) + (value - of_value);
        self.high = sum;
    }

    fn rounded(&self) -> f64 {
        self.high + self.low
    }
}

fn mean_of<'a>(
    rows: &'a mut Rows,
    bucket: Timestamp,
    track: &TrackKey,
) -> Option<&'a mut TimeWeightedMean> {
    match rows.get_mut(&(bucket, track.group)) {
        Some(BucketState::Numbers(accumulators)) => accumulators
            .get_mut(track.channel)
            .map(|a| &mut a.time_weighted),
        _ => None,
    }
}
