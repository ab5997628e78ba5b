//! The times of a block: the first instant, and steps or deltas in the coarsest exact unit.

use super::MAX_BLOCK_POINTS;
use crate::Timestamp;

/// The unit that a block's deltas are counted in.
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
    /// Microseconds in the unit.
    #[must_use]
    pub const fn micros(self) -> i64 {
        match self {
            Self::Second => 1_000_000,
            Self::Millisecond => 1_000,
            Self::Microsecond => 1,
        }
    }

    /// The unit of so many microseconds.
    #[must_use]
    pub const fn from_micros(micros: i64) -> Option<Self> {
        match micros {
            1_000_000 => Some(Self::Second),
            1_000 => Some(Self::Millisecond),
            1 => Some(Self::Microsecond),
            _ => None,
        }
    }

    /// The coarsest unit in which every one of `micros` is whole.
    fn coarsest(micros: &[i64]) -> Self {
        let whole = |unit: &Self| micros.iter().all(|m| m % unit.micros() == 0);
        [Self::Second, Self::Millisecond]
            .into_iter()
            .find(whole)
            .unwrap_or(Self::Microsecond)
    }
}

/// How the times follow each other, in units.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Spacing {
    /// Always the same step.
    Step(i32),
    /// Each point's distance from the one before; one fewer than points.
    Deltas(Vec<i32>),
}

/// Ascending instants, at least one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Times {
    first: Timestamp,
    len: usize,
    unit: TimeUnit,
    spacing: Spacing,
}

/// The parts do not describe times.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TimesError {
    /// Not one delta fewer than points.
    #[error("{deltas} deltas cannot be the times of {points} points")]
    Deltas {
        /// How many points there should be.
        points: usize,
        /// How many deltas there are.
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
    /// The memory that the deltas take, in bytes.
    #[must_use]
    pub const fn heap_bytes(&self) -> usize {
        match &self.spacing {
            Spacing::Step(_) => 0,
            Spacing::Deltas(deltas) => deltas.capacity() * size_of::<i32>(),
        }
    }

    /// Encodes ascending instants; `None` if there is none, or if a gap needs more than 32 bits.
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

    /// From stored parts.
    ///
    /// # Errors
    /// [`TimesError`] when the parts are not those of a block.
    pub fn from_parts(
        first: Timestamp,
        len: usize,
        unit: TimeUnit,
        spacing: Spacing,
    ) -> Result<Self, TimesError> {
        if !(1..=MAX_BLOCK_POINTS).contains(&len) {
            return Err(TimesError::Points(len));
        }
        let least = match &spacing {
            Spacing::Step(step) => *step,
            Spacing::Deltas(deltas) if deltas.len() + 1 != len => {
                return Err(TimesError::Deltas {
                    points: len,
                    deltas: deltas.len(),
                });
            }
            Spacing::Deltas(deltas) => deltas.iter().copied().min().unwrap_or(0),
        };
        if least < 0 {
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

    /// How many.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.len
    }

    /// Never true: there is at least one instant.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The first instant.
    #[must_use]
    pub const fn first(&self) -> Timestamp {
        self.first
    }

    /// The last instant.
    #[must_use]
    pub fn last(&self) -> Timestamp {
        self.iter().last().unwrap_or(self.first)
    }

    /// The unit of steps and deltas.
    #[must_use]
    pub const fn unit(&self) -> TimeUnit {
        self.unit
    }

    /// Steps or deltas.
    #[must_use]
    pub const fn spacing(&self) -> &Spacing {
        &self.spacing
    }

    /// The instants, ascending.
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
        fn what_goes_in_comes_out(start in 0..2_000_000_000_000_000_i64, gaps in prop::collection::vec(0..2_000_000_000_i64, 0..50)) {
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
    fn parts_that_are_not_of_a_block_are_refused() {
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
