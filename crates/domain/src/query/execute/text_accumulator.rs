//! Accumulator of values that are not numbers.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use crate::{Json, SessionId, Timestamp, UserId};

/// The state of a series without channels in a bucket. Null values are not counted.
pub(in crate::query) struct TextAccumulator {
    pub(in crate::query) count: u64,
    /// The first and the last value; `None` before any value.
    ends: Option<(TextSample, TextSample)>,
    /// The memory of the retained values, in units of one number.
    retained: usize,
    /// The number of occurrences of each value, if a function needs it.
    pub(in crate::query) counts: Option<BTreeMap<TextKey, u64>>,
}

/// A value and its sort key.
#[derive(Debug, Clone)]
pub(in crate::query) struct TextSample {
    pub(in crate::query) order: TextOrder,
    pub(in crate::query) value: Json,
}

/// Time, user, session, sequence number of the block, index in the block.
pub(in crate::query) type TextOrder = (Timestamp, UserId, SessionId, u32, usize);

impl TextAccumulator {
    pub(in crate::query) fn new(counts: bool) -> Self {
        Self {
            count: 0,
            ends: None,
            retained: 0,
            counts: counts.then(BTreeMap::new),
        }
    }

    /// Adds a value. Returns the additional memory, in units of one number.
    pub(in crate::query) fn push(&mut self, sample: TextSample) -> usize {
        self.count += 1;
        let (before, weight) = (self.retained, sample.value.weight());
        if let Some(counts) = &mut self.counts {
            let times = counts.entry(TextKey(sample.value.clone())).or_default();
            *times += 1;
            self.retained += if *times == 1 { weight } else { 0 };
        }
        match &mut self.ends {
            None => {
                self.retained += 2 * weight;
                self.ends = Some((sample.clone(), sample));
            }
            Some((first, _)) if sample.order < first.order => *first = sample,
            Some((_, last)) if sample.order > last.order => *last = sample,
            Some(_) => {}
        }
        self.retained - before
    }

    /// Returns the memory of the retained values, in units of one number.
    pub(super) const fn retained(&self) -> usize {
        self.retained
    }

    pub(in crate::query) fn first(&self) -> Option<&TextSample> {
        self.ends.as_ref().map(|(first, _)| first)
    }

    pub(in crate::query) fn last(&self) -> Option<&TextSample> {
        self.ends.as_ref().map(|(_, last)| last)
    }

    /// Returns the most frequent value; of several, the least.
    pub(in crate::query) fn mode(&self) -> Option<&Json> {
        let mut most: Option<(&TextKey, u64)> = None;
        for (key, &n) in self.counts.iter().flatten() {
            if most.is_none_or(|(_, m)| n > m) {
                most = Some((key, n));
            }
        }
        most.map(|(key, _)| &key.0)
    }

    /// Returns the number of different values.
    pub(in crate::query) fn distinct(&self) -> u64 {
        self.counts.as_ref().map_or(0, |counts| counts.len() as u64)
    }
}

/// A value ordered by kind (null, false, true, numbers, strings, arrays, objects), then by content.
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
