//! How long each value held: until the next point of its session, series and leaf.

use std::collections::HashMap;

use super::rows::{Part, Rows, Slot, Table, offset};
use super::tally::{Cell, Held};
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

/// A value that held through whole buckets, from one bucket's end to another one's start.
struct Long {
    track: Track,
    value: f64,
    from: Timestamp,
    until: Timestamp,
    /// What offsets count from, if the axis is the session's.
    start: Option<Timestamp>,
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
            let ends = Ends { seq, first: *first, last: *last };
            self.ends.entry(track).or_insert_with(|| (Vec::new(), start)).0.push(ends);
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
            self.long.push(Long { track, value, from: first.until, until: last.from, start });
        }
    }

    /// Joins the blocks of each session, and gives the buckets in the middle of long holds their shares.
    pub(super) fn finish(mut self, axis: &Axis, table: &mut Table) -> Result<(), StoreError> {
        for (track, (mut ends, start)) in std::mem::take(&mut self.ends) {
            ends.sort_unstable_by_key(|e| (e.first.0.time, e.seq));
            for pair in ends.windows(2) {
                if pair[1].first.0.time < pair[0].last.0.time {
                    return Err(StoreError::Inconsistent {
                        table: "block",
                        column: "t_max",
                        problem: format!("blocks of session {} overlap at {}", track.session, pair[1].first.0.time),
                    });
                }
                self.hold(track, start, &pair[0].last, &pair[1].first, table.rows(track.part, track.series));
            }
        }
        for long in &self.long {
            long.share(axis, table.rows(long.track.part, long.track.series));
        }
        Ok(())
    }
}

impl Long {
    fn share(&self, axis: &Axis, rows: &mut Rows) {
        // On a session's axis, buckets count from its start.
        let on_axis = |t: Timestamp| self.start.map_or(t, |start| offset(t, start));
        let between = (on_axis(self.from), 0)..(on_axis(self.until), 0);
        for ((bucket, group), cell) in rows.range_mut(between) {
            if *group == self.track.group
                && let Cell::Numbers(tallies) = cell
                && let Some(tally) = tallies.get_mut(self.track.channel)
            {
                tally.held.add(self.value, *bucket, axis.bucket(*bucket).end());
            }
        }
    }
}

fn held<'a>(rows: &'a mut Rows, bucket: Timestamp, track: &Track) -> Option<&'a mut Held> {
    match rows.get_mut(&(bucket, track.group)) {
        Some(Cell::Numbers(tallies)) => tallies.get_mut(track.channel).map(|t| &mut t.held),
        _ => None,
    }
}
