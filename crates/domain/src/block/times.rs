//! The times of a block: the first instant, and a step or deltas in the coarsest exact unit.

use crate::Timestamp;

/// Maximum number of points of a block.
pub const MAX_BLOCK_POINTS: usize = 4_096;

/// The unit of a block's deltas.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimeUnit {
    /// Whole seconds.
    Second,
    /// Whole milliseconds.
    Millisecond,
    /// Microseconds.
    Microsecond,
}

impl TimeUnit {
    /// Returns the length of the unit, in microseconds.
    #[must_use]
    pub const fn micros(self) -> i64 {
        match self {
            Self::Second => 1_000_000,
            Self::Millisecond => 1_000,
            Self::Microsecond => 1,
        }
    }

    /// Returns the unit of a length in microseconds.
    #[must_use]
    pub const fn from_micros(micros: i64) -> Option<Self> {
        match micros {
            1_000_000 => Some(Self::Second),
            1_000 => Some(Self::Millisecond),
            1 => Some(Self::Microsecond),
            _ => None,
        }
    }

    /// Returns the coarsest unit that divides all of `micros`.
    fn coarsest(micros: &[i64]) -> Self {
        let whole = |unit: &Self| micros.iter().all(|m| m % unit.micros() == 0);
        [Self::Second, Self::Millisecond]
            .into_iter()
            .find(whole)
            .unwrap_or(Self::Microsecond)
    }
}

/// The distances between consecutive times, in units.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Spacing {
    /// The same distance everywhere.
    Step(i32),
    /// The distance of each point from the previous one: one fewer than points.
    Deltas(Vec<i32>),
}

/// Ascending instants: 1 to [`MAX_BLOCK_POINTS`], equal ones allowed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Times {
    first: Timestamp,
    len: usize,
    unit: TimeUnit,
    spacing: Spacing,
}

/// The stored parts are not those of a block's times.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TimesError {
    /// The number of deltas is not one less than the number of points.
    #[error("{deltas} deltas cannot be the times of {points} points")]
    Deltas {
        /// Number of points.
        points: usize,
        /// Number of deltas.
        deltas: usize,
    },
    /// No points, or more than [`MAX_BLOCK_POINTS`].
    #[error("{0} points are not the points of a block, which has 1 to {MAX_BLOCK_POINTS}")]
    Points(usize),
    /// A step or delta below zero.
    #[error("times of a block do not descend")]
    Descending,
}

impl Times {
    /// Returns the heap memory of the deltas, in bytes.
    #[must_use]
    pub const fn heap_bytes(&self) -> usize {
        match &self.spacing {
            Spacing::Step(_) => 0,
            Spacing::Deltas(deltas) => deltas.capacity() * size_of::<i32>(),
        }
    }

    /// Encodes ascending instants; `None` if there are none, or if a gap needs more than 32 bits.
    #[must_use]
    pub fn encode(times: &[Timestamp]) -> Option<Self> {
        let first = *times.first()?;
        let gaps: Vec<i64> = times
            .windows(2)
            .map(|pair| pair[1].micros() - pair[0].micros())
            .collect();
        let unit = TimeUnit::coarsest(&gaps);
        let deltas: Option<Vec<i32>> = gaps
            .iter()
            .map(|gap| i32::try_from(gap / unit.micros()).ok())
            .collect();
        let deltas = deltas?;
        let step = deltas.first().copied().unwrap_or(0);
        let spacing = if deltas.iter().all(|&d| d == step) {
            Spacing::Step(step)
        } else {
            Spacing::Deltas(deltas)
        };
        Some(Self {
            first,
            len: times.len(),
            unit,
            spacing,
        })
    }

    /// Creates times from stored parts.
    ///
    /// # Errors
    /// [`TimesError`] if the parts are not those of a block.
    pub fn from_parts(
        first: Timestamp,
        len: usize,
        unit: TimeUnit,
        spacing: Spacing,
    ) -> Result<Self, TimesError> {
        if !(1..=MAX_BLOCK_POINTS).contains(&len) {
            return Err(TimesError::Points(len));
        }
        let min = match &spacing {
            Spacing::Step(step) => *step,
            Spacing::Deltas(deltas) if deltas.len() + 1 != len => {
                return Err(TimesError::Deltas {
                    points: len,
                    deltas: deltas.len(),
                });
            }
            Spacing::Deltas(deltas) => deltas.iter().copied().min().unwrap_or(0),
        };
        if min < 0 {
            Err(TimesError::Descending)
        } else {
            Ok(Self {
                first,
                len,
                unit,
                spacing,
            })
        }
    }

    /// Returns the number of instants.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.len
    }

    /// Returns whether there are no instants; always false.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Returns the first instant.
    #[must_use]
    pub const fn first(&self) -> Timestamp {
        self.first
    }

    /// Returns the last instant.
    #[must_use]
    pub fn last(&self) -> Timestamp {
        self.iter().last().unwrap_or(self.first)
    }

    /// Returns the unit of the step or deltas.
    #[must_use]
    pub const fn unit(&self) -> TimeUnit {
        self.unit
    }

    /// Returns the step or deltas.
    #[must_use]
    pub const fn spacing(&self) -> &Spacing {
        &self.spacing
    }

    /// Returns the instants, ascending.
    pub fn iter(&self) -> impl Iterator<Item = Timestamp> + '_ {
        let unit = self.unit.micros();
        let mut at = self.first;
        (0..self.len).map(move |i| {
            if i > 0 {
                let delta = match &self.spacing {
                    Spacing::Step(step) => *step,
                    Spacing::Deltas(deltas) => deltas[i - 1],
                };
                at = at.plus_micros(i64::from(delta) * unit);
            }
            at
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn times_round_trip(start in 0..2_000_000_000_000_000_i64, gaps in prop::collection::vec(0..2_000_000_000_i64, 0..50)) {
            let mut at = Timestamp::from_micros(start);
            let mut times = vec![at];
            for gap in gaps {
                at = at.plus_micros(gap);
                times.push(at);
            }
            let encoded = Times::encode(&times).expect("gaps fit 32 bits");
            prop_assert_eq!(encoded.iter().collect::<Vec<_>>(), times);
        }
    }

    #[test]
    fn one_hertz_is_a_step() {
        let times: Vec<Timestamp> = (0..100)
            .map(|i| Timestamp::from_micros(7 + i * 1_000_000))
            .collect();
        let encoded = Times::encode(&times).expect("fits");
        assert_eq!(encoded.spacing(), &Spacing::Step(1));
        assert_eq!(encoded.unit(), TimeUnit::Second);
    }

    #[test]
    fn parts_that_are_not_of_a_block_are_rejected() {
        let from_parts =
            |len, spacing| Times::from_parts(Timestamp::EPOCH, len, TimeUnit::Second, spacing);
        assert!(from_parts(2, Spacing::Deltas(vec![0])).is_ok());
        assert_eq!(
            from_parts(3, Spacing::Deltas(vec![1])),
            Err(TimesError::Deltas {
                points: 3,
                deltas: 1
            })
        );
        assert_eq!(from_parts(0, Spacing::Step(0)), Err(TimesError::Points(0)));
        assert_eq!(
            from_parts(4_097, Spacing::Step(1)),
            Err(TimesError::Points(4_097))
        );
        assert_eq!(
            from_parts(2, Spacing::Step(-1)),
            Err(TimesError::Descending)
        );
        assert_eq!(
            from_parts(3, Spacing::Deltas(vec![5, -1])),
            Err(TimesError::Descending)
        );
    }

    #[test]
    fn a_gap_beyond_32_bits_is_not_encodable() {
        let times = [
            Timestamp::from_micros(0),
            Timestamp::from_micros(3_000_000_001),
        ];
        assert_eq!(Times::encode(&times), None);
    }
}
