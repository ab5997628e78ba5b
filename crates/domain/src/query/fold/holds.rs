//! How long each value held: until the next point of its session, series and leaf.

use std::cmp::Ordering;
use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, HashMap};

use super::rows::{Part, Rows, Slot, Table, offset};
use super::tally::{Cell, Held};
use crate::bucket::Bucket;
use crate::ports::StoreError;
use crate::query::ask::Axis;
use crate::{Sample, SessionId, Timestamp, UserId};

/// One channel of one session in one part of the range.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Track {
    pub(super) user: UserId,
    pub(super) session: SessionId,
    pub(super) series: usize,
    pub(super) channel: usize,
    pub(super) part: Part,
    pub(super) group: u32,
}

/// The first and last sample of a track in a block.
struct Ends {
    seq: u32,
    first: (Sample, Slot),
    last: (Sample, Slot),
}

/// A value that held through whole buckets, from one bucket's end to another one's start, on the axis.
struct Long {
    of: LongKey,
    value: f64,
    from: Timestamp,
    until: Timestamp,
}

/// The channel of a row's group that a value held in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct LongKey {
    pub(super) part: Part,
    pub(super) series: usize,
    pub(super) group: u32,
    pub(super) channel: usize,
}

/// Values held through a whole bucket.
pub(super) struct Share {
    pub(super) of: LongKey,
    pub(super) bucket: Bucket,
    /// The sum of the values, the least and the greatest of them.
    pub(super) sum: f64,
    pub(super) least: f64,
    pub(super) most: f64,
    /// How many there were.
    pub(super) count: u32,
}

/// What is known of holding times while blocks come in any order.
#[derive(Default)]
pub(super) struct Holds {
    ends: HashMap<Track, (Vec<Ends>, Option<Timestamp>)>,
    long: Vec<Long>,
}

impl Holds {
    /// How much memory is taken, in values: an entry is some sixteen.
    pub(super) fn kept(&self) -> usize {
        16 * (self.ends.len() + self.long.len())
    }

    /// The samples of a track in one block, in order.
    pub(super) fn block(
        &mut self,
        track: Track,
        seq: u32,
        start: Option<Timestamp>,
        samples: &[(Sample, Slot)],
        rows: &mut Rows,
    ) {
        for pair in samples.windows(2) {
            self.hold(track, start, &pair[0], &pair[1], rows);
        }
        if let (Some(first), Some(last)) = (samples.first(), samples.last()) {
            let ends = Ends {
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

    /// The value of `a` holds until `b`: each bucket gets its share.
    fn hold(
        &mut self,
        track: Track,
        start: Option<Timestamp>,
        a: &(Sample, Slot),
        b: &(Sample, Slot),
        rows: &mut Rows,
    ) {
        let (value, (from, first), (until, last)) = (a.0.value, (a.0.time, &a.1), (b.0.time, &b.1));
        let mut add = |bucket, from, until| {
            if let Some(held) = held(rows, bucket, &track) {
                held.add(value, from, until);
            }
        };
        if first.bucket == last.bucket {
            add(first.bucket, from, until);
            return;
        }
        add(first.bucket, from, first.until);
        add(last.bucket, last.from, until);
        if first.until < last.from {
            // On a session's axis, buckets count from its start.
            let on_axis = |t: Timestamp| start.map_or(t, |start| offset(t, start));
            let Track {
                part,
                series,
                group,
                channel,
                ..
            } = track;
            let of = LongKey {
                part,
                series,
                group,
                channel,
            };
            self.long.push(Long {
                of,
                value,
                from: on_axis(first.until),
                until: on_axis(last.from),
            });
        }
    }

    /// Joins the blocks of each session.
    pub(super) fn join(&mut self, table: &mut Table) -> Result<(), StoreError> {
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
                self.hold(
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

    /// Gives the buckets in the middle of long holds their shares, each bucket of a channel and group once.
    pub(super) fn share<E>(
        self,
        axis: &Axis,
        mut give: impl FnMut(Share) -> Result<(), E>,
    ) -> Result<(), E> {
        let ends = |long: Long| {
            [
                (long.of, long.from, long.value, true),
                (long.of, long.until, long.value, false),
            ]
        };
        let mut ends: Vec<(LongKey, Timestamp, f64, bool)> =
            self.long.into_iter().flat_map(ends).collect();
        // In one order, whatever order they came in: sums are rounded.
        ends.sort_unstable_by(|a, b| {
            (a.0, a.1, a.3)
                .cmp(&(b.0, b.1, b.3))
                .then(a.2.total_cmp(&b.2))
        });
        let mut holding = Holding::default();
        for (place, &(of, at, value, begins)) in ends.iter().enumerate() {
            holding.change(value, begins);
            let Some((least, most)) = holding.bounds() else {
                continue;
            };
            // A hold that began also ends, so that there is another end of the same channel and group.
            let until = ends.get(place + 1).map_or(at, |next| next.1);
            let mut from = at;
            while from < until {
                let bucket = axis.bucket(from);
                from = bucket.end();
                give(Share {
                    of,
                    bucket,
                    sum: holding.sum.rounded(),
                    least,
                    most,
                    count: holding.count,
                })?;
            }
        }
        Ok(())
    }
}

/// The values that hold at an instant.
#[derive(Default)]
struct Holding {
    sum: LongSum,
    count: u32,
    /// How often each value is there.
    values: BTreeMap<Ordered, u32>,
}

impl Holding {
    /// A value begins or ends to hold.
    fn change(&mut self, value: f64, begins: bool) {
        if begins {
            self.sum.add(value);
            self.count += 1;
            *self.values.entry(Ordered(value)).or_default() += 1;
            return;
        }
        self.sum.add(-value);
        self.count -= 1;
        if let Entry::Occupied(mut times) = self.values.entry(Ordered(value)) {
            *times.get_mut() -= 1;
            if *times.get() == 0 {
                times.remove();
            }
        }
        if self.count == 0 {
            self.sum = LongSum::default();
        }
    }

    /// The least and the greatest value; `None` where nothing holds.
    fn bounds(&self) -> Option<(f64, f64)> {
        Some((
            self.values.first_key_value()?.0.0,
            self.values.last_key_value()?.0.0,
        ))
    }
}

/// A number in its total order.
#[derive(Debug, Clone, Copy)]
struct Ordered(f64);

impl Ord for Ordered {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.total_cmp(&other.0)
    }
}

impl PartialOrd for Ordered {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Ordered {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Ordered {}

/// A sum in twice the precision: values that ended must leave nothing behind. Source of the step: Knuth, The Art of
/// Computer Programming 2, 4.2.2, theorem B.
#[derive(Default)]
struct LongSum {
    high: f64,
    low: f64,
}

impl LongSum {
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

fn held<'a>(rows: &'a mut Rows, bucket: Timestamp, track: &Track) -> Option<&'a mut Held> {
    match rows.get_mut(&(bucket, track.group)) {
        Some(Cell::Numbers(tallies)) => tallies.get_mut(track.channel).map(|t| &mut t.held),
        _ => None,
    }
}
