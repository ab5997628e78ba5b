//! Conversions between [`Timestamp`] and the types of `std`, `jiff` and `time`.
//!
//! Conversions to [`Timestamp`] round down to the microsecond. A `TryFrom` fails outside the range
//! of the target type.

use std::time::{Duration, SystemTime};

use time::OffsetDateTime;

use super::{Timestamp, TimestampError};

impl Timestamp {
    /// Returns the instant as a type of the `time` crate, in UTC.
    ///
    /// # Panics
    /// Never: the range of `Timestamp` lies inside that of `OffsetDateTime`.
    #[must_use]
    pub fn to_offset_date_time(self) -> OffsetDateTime {
        OffsetDateTime::from_unix_timestamp_nanos(i128::from(self.micros()) * 1_000)
            .expect("years 1 to 9999 fit OffsetDateTime")
    }
}

impl From<Timestamp> for OffsetDateTime {
    fn from(t: Timestamp) -> Self {
        t.to_offset_date_time()
    }
}

impl From<OffsetDateTime> for Timestamp {
    /// Rounds down to the microsecond and clamps to [`Timestamp::MIN`]..=[`Timestamp::MAX`].
    fn from(value: OffsetDateTime) -> Self {
        let micros = value.unix_timestamp_nanos().div_euclid(1_000);
        Self::from_micros(i64::try_from(micros).unwrap_or(i64::MAX))
    }
}

impl TryFrom<jiff::Timestamp> for Timestamp {
    type Error = TimestampError;

    fn try_from(value: jiff::Timestamp) -> Result<Self, TimestampError> {
        let micros = value.as_nanosecond().div_euclid(1_000);
        let micros = i64::try_from(micros).map_err(|_| TimestampError::OutOfRange)?;
        Self::try_from_micros(micros)
    }
}

impl TryFrom<Timestamp> for jiff::Timestamp {
    type Error = jiff::Error;

    /// Fails for the last 26 hours before [`Timestamp::MAX`], which `jiff` does not represent.
    fn try_from(t: Timestamp) -> Result<Self, jiff::Error> {
        Self::from_microsecond(t.micros())
    }
}

impl TryFrom<SystemTime> for Timestamp {
    type Error = TimestampError;

    fn try_from(value: SystemTime) -> Result<Self, TimestampError> {
        let micros = match value.duration_since(SystemTime::UNIX_EPOCH) {
            Ok(after) => i64::try_from(after.as_micros()),
            Err(e) => i64::try_from(e.duration().as_nanos().div_ceil(1_000)).map(|micros| -micros),
        };
        Self::try_from_micros(micros.map_err(|_| TimestampError::OutOfRange)?)
    }
}

impl TryFrom<Timestamp> for SystemTime {
    type Error = TimestampError;

    /// Fails where the platform's clock does not reach, such as before 1601 on Windows.
    fn try_from(t: Timestamp) -> Result<Self, TimestampError> {
        let distance = Duration::from_micros(t.micros().unsigned_abs());
        let time = if t < Timestamp::EPOCH {
            Self::UNIX_EPOCH.checked_sub(distance)
        } else {
            Self::UNIX_EPOCH.checked_add(distance)
        };
        time.ok_or(TimestampError::OutOfRange)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn conversions_round_trip(micros in Timestamp::MIN.micros()..=Timestamp::MAX.micros()) {
            let t = Timestamp::from_micros(micros);
            prop_assert_eq!(Timestamp::from(OffsetDateTime::from(t)), t);
            let system = SystemTime::try_from(t).expect("64-bit clocks reach every year");
            prop_assert_eq!(Timestamp::try_from(system), Ok(t));
            if let Ok(instant) = jiff::Timestamp::try_from(t) {
                prop_assert_eq!(Timestamp::try_from(instant), Ok(t));
            }
        }
    }

    #[test]
    fn nanoseconds_round_down_on_both_sides_of_the_epoch() {
        for (nanos, micros) in [(1_999, 1), (999, 0), (-1, -1), (-1_000, -1), (-1_001, -2)] {
            let expected = Ok(Timestamp::from_micros(micros));
            let instant = jiff::Timestamp::from_nanosecond(nanos).expect("in range");
            assert_eq!(Timestamp::try_from(instant), expected, "{nanos}");
            let distance = Duration::from_nanos(u64::try_from(nanos.abs()).expect("small"));
            let system = if nanos < 0 {
                SystemTime::UNIX_EPOCH - distance
            } else {
                SystemTime::UNIX_EPOCH + distance
            };
            assert_eq!(Timestamp::try_from(system), expected, "{nanos}");
        }
    }

    #[test]
    fn instants_outside_the_range_are_rejected() {
        let before = jiff::Timestamp::MIN;
        assert_eq!(Timestamp::try_from(before), Err(TimestampError::OutOfRange));
        assert!(jiff::Timestamp::try_from(Timestamp::MAX).is_err());
    }
}
