//! The times and the time zone around which a case places its data.

use proptest::prelude::*;
use proptest::sample::{Index, select};

use crate::fixture::calendar::{Calendar, DAY, SECOND, ZONES, zone};

/// No point of a test is later. Sessions start at least 40 days earlier.
pub(crate) const LATEST: i64 = 20_454 * DAY;
/// No session of a test starts earlier.
pub(crate) const EARLIEST: i64 = 3 * DAY;

/// The time zone of a case, and the instant around which it places its data.
#[derive(Debug, Clone)]
pub(crate) struct TimeSpan {
    pub(crate) zone: &'static str,
    transition: Option<Index>,
    fallback: i64,
}

impl TimeSpan {
    /// The instant around which data are placed: a transition of the zone or a notable date.
    pub(crate) fn anchor(&self) -> i64 {
        let transitions = self.calendar().transitions();
        match self.transition {
            Some(index) if !transitions.is_empty() => *index.get(&transitions),
            _ => self.fallback,
        }
    }

    pub(crate) fn calendar(&self) -> Calendar {
        Calendar {
            zone: zone(self.zone),
            ..Calendar::utc()
        }
    }
}

pub(crate) fn time_span() -> impl Strategy<Value = TimeSpan> {
    // New Year, a leap day, the end of a month, the first valid days, a Wednesday noon.
    let fallback = select(vec![
        20_089 * DAY,
        19_782 * DAY,
        18_992 * DAY,
        5 * DAY,
        19_620 * DAY + 12 * 3_600 * SECOND,
    ]);
    let transition = proptest::option::weighted(0.7, any::<Index>());
    (select(ZONES.to_vec()), transition, fallback).prop_map(|(zone, transition, fallback)| {
        TimeSpan {
            zone,
            transition,
            fallback,
        }
    })
}
