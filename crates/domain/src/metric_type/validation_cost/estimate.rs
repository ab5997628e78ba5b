//! Estimates of the steps for one value.

use super::cost::ValidationCost;
use super::limits::{LEVELS, MAX_ERROR_STEPS, MAX_NESTING};
use crate::Json;

/// Bytes of text that count as one unit.
pub(super) const TEXT_UNIT: usize = 16;

/// The estimated work of validating one value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::metric_type) struct Estimate {
    /// Steps to decide whether the value is valid.
    pub(in crate::metric_type) steps: u64,
    /// True if all errors may be collected.
    pub(in crate::metric_type) lists_errors: bool,
    /// Number of levels of the value.
    pub(in crate::metric_type) levels: usize,
    /// Maximum growth of the steps from one level to the next.
    pub(in crate::metric_type) growth: u64,
}

/// The number of parts and the amount of text of a value, by level.
struct ValueSize {
    parts: [u64; LEVELS],
    /// In units of [`TEXT_UNIT`] bytes.
    text: [u64; LEVELS],
}

impl ValidationCost {
    /// Estimates the work of validating a value.
    pub(in crate::metric_type) fn estimate(&self, value: &Json) -> Estimate {
        let mut size = ValueSize {
            parts: [0; LEVELS],
            text: [0; LEVELS],
        };
        let levels = size.add(value, 0, 0);
        let mut steps = 0_u64;
        let mut errors = 0_u64;
        for (level, cost) in self.levels().iter().enumerate().take(levels) {
            let of_parts = cost.part.saturating_mul(size.parts[level]);
            let of_text = cost.text.saturating_mul(size.text[level]);
            steps = steps.saturating_add(of_parts).saturating_add(of_text);
            errors = errors
                .saturating_add(cost.errors.saturating_mul(size.parts[level]))
                .saturating_add(of_text);
        }
        let used = &self.levels()[..levels.clamp(1, LEVELS)];
        if used.iter().any(|cost| cost.nesting > MAX_NESTING) {
            steps = u64::MAX;
        }
        let growth = used
            .windows(2)
            .map(|pair| pair[1].part / pair[0].part.max(1))
            .max()
            .unwrap_or(1);
        Estimate {
            steps,
            lists_errors: errors <= MAX_ERROR_STEPS,
            levels,
            growth,
        }
    }
}

impl ValueSize {
    /// Adds a value at a level with a key of `key` bytes, and returns the level below its deepest
    /// part.
    fn add(&mut self, value: &Json, level: usize, key: usize) -> usize {
        let level = level.min(LEVELS - 1);
        self.parts[level] += 1;
        let text = if let Json::String(text) = value {
            text.len()
        } else {
            0
        };
        self.text[level] += (key + text).div_ceil(TEXT_UNIT) as u64;
        let deepest = match value {
            Json::Array(items) => items.iter().map(|item| self.add(item, level + 1, 0)).max(),
            Json::Object(members) => members
                .iter()
                .map(|(key, member)| self.add(member, level + 1, key.len()))
                .max(),
            _ => None,
        };
        deepest.unwrap_or(level + 1)
    }
}
