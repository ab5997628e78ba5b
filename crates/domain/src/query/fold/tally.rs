//! What is gathered of the points of a series in a bucket.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use super::holds::Share;
use super::values::{SKETCH_WEIGHT, Values};
use crate::{Json, SessionId, Summary, Timestamp, UserId};

/// Of one row of the answer.
pub(in crate::query) enum Cell {
    /// By channel; a channel without a number has an empty summary.
    Numbers(Vec<Tally>),
    /// Of a series without channels.
    Text(Box<TextTally>),
    /// Of a row beyond the limit, which is only counted.
    Counted,
}

impl Cell {
    /// Of numbers, with none yet.
    pub(super) fn of_numbers(channels: usize, keeps_values: bool) -> Self {
        Self::Numbers(
            std::iter::repeat_with(|| Tally::new(keeps_values))
                .take(channels)
                .collect(),
        )
    }

    /// How many values are kept.
    pub(super) fn kept(&self) -> usize {
        match self {
            Self::Numbers(tallies) => tallies
                .iter()
                .filter_map(|t| t.values.as_ref())
                .map(|v| v.kept())
                .sum(),
            Self::Text(tally) => tally.kept,
            Self::Counted => 0,
        }
    }

    /// Sketches the values that take more memory than a sketch.
    pub(super) fn sketch(&mut self) {
        let Self::Numbers(tallies) = self else { return };
        for values in tallies
            .iter_mut()
            .filter_map(|t| t.values.as_mut())
            .filter(|v| v.kept() > SKETCH_WEIGHT)
        {
            values.sketch();
        }
    }
}

/// Of the numbers of a channel.
pub(in crate::query) struct Tally {
    pub(in crate::query) summary: Summary,
    /// Only if a function needs them.
    pub(in crate::query) values: Option<Box<Values>>,
    pub(in crate::query) held: Held,
}

/// Values times the microseconds that they held, and the microseconds.
#[derive(Debug, Clone, Copy, Default)]
pub(in crate::query) struct Held {
    integral: f64,
    micros: f64,
    /// The least and the greatest value, where something held.
    bounds: Option<(f64, f64)>,
}

impl Tally {
    pub(in crate::query) fn new(keeps_values: bool) -> Self {
        Self {
            summary: Summary::EMPTY,
            values: keeps_values.then(|| Box::new(Values::new())),
            held: Held::default(),
        }
    }

    /// The mean weighted by time, or the mean of what held for no time.
    pub(in crate::query) fn time_average(&self) -> Option<f64> {
        self.held.mean().or_else(|| self.summary.mean())
    }
}

impl Held {
    /// Returns true if no value was held.
    pub(in crate::query) fn is_empty(self) -> bool {
        self.bounds.is_none()
    }

    /// The values that held through a whole bucket.
    #[expect(
        clippy::cast_precision_loss,
        reason = "a hundred years of microseconds are below 2^53"
    )]
    pub(super) fn add_share(&mut self, share: &Share) {
        let micros = (share.bucket.end().micros() - share.bucket.start().micros()) as f64;
        self.integral += share.sum * micros;
        self.micros += f64::from(share.count) * micros;
        self.bound(share.least, share.most);
    }

    fn bound(&mut self, least: f64, most: f64) {
        let (known_least, known_most) = self.bounds.unwrap_or((least, most));
        self.bounds = Some((least.min(known_least), most.max(known_most)));
    }

    /// The mean weighted by time, never outside of the values that held; `None` where nothing held.
    fn mean(self) -> Option<f64> {
        let (least, most) = self.bounds?;
        Some((self.integral / self.micros).max(least).min(most))
    }

    #[expect(
        clippy::cast_precision_loss,
        reason = "a hundred years of microseconds are below 2^53"
    )]
    pub(super) fn add(&mut self, value: f64, from: Timestamp, until: Timestamp) {
        let micros = (until.micros() - from.micros()) as f64;
        if micros <= 0.0 {
            return;
        }
        self.integral += value * micros;
        self.micros += micros;
        self.bound(value, value);
    }
}

/// Of values that are no numbers; nulls do not count.
pub(in crate::query) struct TextTally {
    pub(in crate::query) count: u64,
    /// `None` before the first value.
    ends: Option<(TextSample, TextSample)>,
    /// The memory that the values take, in numbers.
    kept: usize,
    /// How often each value is there; only if a function needs it.
    pub(in crate::query) counts: Option<BTreeMap<TextKey, u64>>,
}

/// A value and what orders it.
#[derive(Debug, Clone)]
pub(in crate::query) struct TextSample {
    pub(in crate::query) order: TextOrder,
    pub(in crate::query) value: Json,
}

/// Time, user, session, number of the block in the session, place in the block.
pub(in crate::query) type TextOrder = (Timestamp, UserId, SessionId, u32, usize);

impl TextTally {
    pub(in crate::query) fn new(counts: bool) -> Self {
        Self {
            count: 0,
            ends: None,
            kept: 0,
            counts: counts.then(BTreeMap::new),
        }
    }

    /// Adds a value; gives how much more memory is taken, in numbers.
    pub(in crate::query) fn push(&mut self, sample: TextSample) -> usize {
        self.count += 1;
        let (before, weight) = (self.kept, sample.value.weight());
        if let Some(counts) = &mut self.counts {
            let times = counts.entry(TextKey(sample.value.clone())).or_default();
            *times += 1;
            self.kept += if *times == 1 { weight } else { 0 };
        }
        match &mut self.ends {
            None => {
                self.kept += 2 * weight;
                self.ends = Some((sample.clone(), sample));
            }
            Some((first, _)) if sample.order < first.order => *first = sample,
            Some((_, last)) if sample.order > last.order => *last = sample,
            Some(_) => {}
        }
        self.kept - before
    }

    pub(in crate::query) fn first(&self) -> Option<&TextSample> {
        self.ends.as_ref().map(|(first, _)| first)
    }

    pub(in crate::query) fn last(&self) -> Option<&TextSample> {
        self.ends.as_ref().map(|(_, last)| last)
    }

    /// The most frequent value, the least of the tied.
    pub(in crate::query) fn mode(&self) -> Option<&Json> {
        let mut most: Option<(&TextKey, u64)> = None;
        for (key, &n) in self.counts.iter().flatten() {
            if most.is_none_or(|(_, m)| n > m) {
                most = Some((key, n));
            }
        }
        most.map(|(key, _)| &key.0)
    }

    pub(in crate::query) fn distinct(&self) -> u64 {
        self.counts.as_ref().map_or(0, |counts| counts.len() as u64)
    }
}

/// A value by kind (null, false, true, numbers, strings, arrays, objects), then by content.
#[derive(Debug, Clone)]
pub(in crate::query) struct TextKey(Json);

impl TextKey {
    const fn kind(&self) -> u8 {
        match self.0 {
            Json::Null => 0,
            Json::Bool(false) => 1,
            Json::Bool(true) => 2,
            Json::Number(_) => 3,
            Json::String(_) => 4,
            Json::Array(_) => 5,
            Json::Object(_) => 6,
        }
    }
}

impl Ord for TextKey {
    fn cmp(&self, other: &Self) -> Ordering {
        let by_content = || match (&self.0, &other.0) {
            (Json::String(a), Json::String(b)) => a.cmp(b),
            (Json::Number(a), Json::Number(b)) => {
                let order = a.as_f64().total_cmp(&b.as_f64());
                order.then_with(|| a.to_string().cmp(&b.to_string()))
            }
            (Json::Array(_) | Json::Object(_), _) => self.0.to_string().cmp(&other.0.to_string()),
            _ => Ordering::Equal,
        };
        self.kind().cmp(&other.kind()).then_with(by_content)
    }
}

impl PartialOrd for TextKey {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for TextKey {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for TextKey {}
