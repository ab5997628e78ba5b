//! The steps of applying a subschema to one part of a value.

/// The steps at one part of a value. Sums saturate.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Steps {
    /// Steps per part.
    pub(super) part: u64,
    /// Steps per unit of text, [`TEXT_UNIT`](super::estimate::TEXT_UNIT) bytes.
    pub(super) text: u64,
    /// Steps per part if all errors are collected.
    pub(super) errors: u64,
    /// Nesting of subschemas, down to this level.
    pub(super) nesting: u64,
}

impl Steps {
    /// The steps of a schema that applies itself endlessly.
    pub(super) const ENDLESS: Self = Self {
        part: u64::MAX,
        text: u64::MAX,
        errors: u64::MAX,
        nesting: u64::MAX,
    };

    /// Adds the steps of another subschema, whose errors are collected after its validation.
    pub(super) fn apply(&mut self, other: Self) {
        let errors = self.errors.saturating_add(other.part);
        *self = self.and(other);
        self.errors = errors.saturating_add(other.errors);
    }

    /// Returns the sum of both, with the deeper nesting.
    pub(super) fn and(self, other: Self) -> Self {
        Self {
            part: self.part.saturating_add(other.part),
            text: self.text.saturating_add(other.text),
            errors: self.errors.saturating_add(other.errors),
            nesting: self.nesting.max(other.nesting),
        }
    }

    /// Returns the maximum of each field.
    pub(super) fn max(self, other: Self) -> Self {
        Self {
            part: self.part.max(other.part),
            text: self.text.max(other.text),
            errors: self.errors.max(other.errors),
            nesting: self.nesting.max(other.nesting),
        }
    }
}
