//! The numbers of a block: one array of the narrowest type that restores every double bit for bit.

use std::ops::Range;

use super::decimal_scale::{MAX_SCALE, decimal_scale, scaled_integer, unscaled};

/// Channel-major numbers: all values of the first channel, then all of the second, and so on.
///
/// The array has `channels * points` elements. A number is the integer divided by 10^scale of its
/// channel. `None` is a leaf that is absent or not a number.
#[derive(Debug, Clone, PartialEq)]
pub enum Numbers {
    /// No channels.
    None,
    /// Bytes, and the decimal scale and the base of each channel. A number is (base + byte) /
    /// 10^scale.
    Int1(Vec<u8>, Vec<u8>, Vec<i32>),
    /// 16-bit integers, and the decimal scale of each channel.
    Int2(Vec<Option<i16>>, Vec<u8>),
    /// 32-bit integers, and the decimal scale of each channel.
    Int4(Vec<Option<i32>>, Vec<u8>),
    /// Single precision, and the number of channels.
    Float4(Vec<Option<f32>>, usize),
    /// Double precision, and the number of channels.
    Float8(Vec<Option<f64>>, usize),
}

/// The stored parts are not those of a block's numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NumbersError {
    /// The length of the array is not a multiple of the number of points.
    #[error("{values} values cannot be the channels of {points} points")]
    Length {
        /// Length of the array.
        values: usize,
        /// Number of points of the block.
        points: usize,
    },
    /// The number of scales differs from the channels, or a scale lies outside 0 to 9.
    #[error("scales {0:?} do not fit the channels, or lie outside 0 to 9")]
    Scales(usize),
    /// The number of bases differs from the channels.
    #[error("{0} bases do not fit the channels")]
    Bases(usize),
}

impl Numbers {
    /// Encodes one column per channel, all of equal length, in the narrowest type.
    #[must_use]
    pub fn encode(columns: &[&[Option<f64>]]) -> Self {
        if columns.is_empty() {
            return Self::None;
        }
        let all = || columns.iter().flat_map(|column| column.iter().copied());
        if let Some(scales) = columns
            .iter()
            .map(|c| decimal_scale(c))
            .collect::<Option<Vec<u8>>>()
        {
            let scaled = columns.iter().zip(&scales).flat_map(|(column, &scale)| {
                column
                    .iter()
                    .map(move |v| v.map(|v| scaled_integer(v, scale)))
            });
            let integers: Vec<Option<i32>> = scaled.collect();
            if let Some((bytes, bases)) = in_bytes(&integers, columns.len()) {
                return Self::Int1(bytes, scales, bases);
            }
            let narrow: Option<Vec<Option<i16>>> = integers
                .iter()
                .map(|v| v.map_or(Some(None), |v| i16::try_from(v).ok().map(Some)))
                .collect();
            return match narrow {
                Some(narrow) => Self::Int2(narrow, scales),
                None => Self::Int4(integers, scales),
            };
        }
        #[expect(
            clippy::cast_possible_truncation,
            reason = "checked to be exact before it is used"
        )]
        let single = |v: f64| v as f32;
        if all()
            .flatten()
            .all(|v| f64::from(single(v)).to_bits() == v.to_bits())
        {
            return Self::Float4(all().map(|v| v.map(single)).collect(), columns.len());
        }
        Self::Float8(all().collect(), columns.len())
    }

    /// Creates bytes from stored parts; `None` for scales or bases means that all are 0.
    ///
    /// # Errors
    /// [`NumbersError`] if the lengths do not match.
    pub fn int1(
        values: Vec<u8>,
        scales: Option<Vec<i16>>,
        bases: Option<Vec<i32>>,
        points: usize,
    ) -> Result<Self, NumbersError> {
        let channels = channels_of(values.len(), points)?;
        let bases = bases.unwrap_or_else(|| vec![0; channels]);
        if bases.len() != channels {
            return Err(NumbersError::Bases(bases.len()));
        }
        Ok(Self::Int1(values, check_scales(scales, channels)?, bases))
    }

    /// Creates integers from stored parts; `None` for scales means that all are 0.
    ///
    /// # Errors
    /// [`NumbersError`] if the lengths do not match.
    pub fn int2(
        values: Vec<Option<i16>>,
        scales: Option<Vec<i16>>,
        points: usize,
    ) -> Result<Self, NumbersError> {
        let scales = check_scales(scales, channels_of(values.len(), points)?)?;
        Ok(Self::Int2(values, scales))
    }

    /// Creates integers from stored parts; `None` for scales means that all are 0.
    ///
    /// # Errors
    /// [`NumbersError`] if the lengths do not match.
    pub fn int4(
        values: Vec<Option<i32>>,
        scales: Option<Vec<i16>>,
        points: usize,
    ) -> Result<Self, NumbersError> {
        let scales = check_scales(scales, channels_of(values.len(), points)?)?;
        Ok(Self::Int4(values, scales))
    }

    /// Creates single-precision numbers from stored parts.
    ///
    /// # Errors
    /// [`NumbersError`] if the lengths do not match.
    pub fn float4(values: Vec<Option<f32>>, points: usize) -> Result<Self, NumbersError> {
        let channels = channels_of(values.len(), points)?;
        Ok(Self::Float4(values, channels))
    }

    /// Creates double-precision numbers from stored parts.
    ///
    /// # Errors
    /// [`NumbersError`] if the lengths do not match.
    pub fn float8(values: Vec<Option<f64>>, points: usize) -> Result<Self, NumbersError> {
        let channels = channels_of(values.len(), points)?;
        Ok(Self::Float8(values, channels))
    }

    /// Returns the heap memory of the arrays, in bytes.
    #[must_use]
    pub const fn heap_bytes(&self) -> usize {
        match self {
            Self::None => 0,
            Self::Int1(values, ..) => values.capacity(),
            Self::Int2(values, _) => values.capacity() * size_of::<Option<i16>>(),
            Self::Int4(values, _) => values.capacity() * size_of::<Option<i32>>(),
            Self::Float4(values, _) => values.capacity() * size_of::<Option<f32>>(),
            Self::Float8(values, _) => values.capacity() * size_of::<Option<f64>>(),
        }
    }

    /// Returns the number of channels.
    #[must_use]
    pub const fn channels(&self) -> usize {
        match self {
            Self::None => 0,
            Self::Int1(_, scales, _) | Self::Int2(_, scales) | Self::Int4(_, scales) => {
                scales.len()
            }
            Self::Float4(_, channels) | Self::Float8(_, channels) => *channels,
        }
    }

    /// Returns the numbers of a channel of a block of `points`; empty for an unknown channel.
    pub fn channel(&self, channel: usize, points: usize) -> impl Iterator<Item = Option<f64>> + '_ {
        self.at(channel, points, 0..points)
    }

    /// Returns the numbers of a channel at some indexes of a block of `points`; empty for an
    /// unknown channel.
    pub fn at(
        &self,
        channel: usize,
        points: usize,
        indexes: Range<usize>,
    ) -> impl Iterator<Item = Option<f64>> + '_ {
        let start = channel * points;
        let elements = if channel < self.channels() {
            start + indexes.start..start + indexes.end
        } else {
            0..0
        };
        elements.map(move |i| self.value(i, channel))
    }

    fn value(&self, i: usize, channel: usize) -> Option<f64> {
        match self {
            Self::None => None,
            Self::Int1(values, scales, bases) => Some(unscaled(
                bases[channel].wrapping_add(i32::from(values[i])),
                scales[channel],
            )),
            Self::Int2(values, scales) => {
                values[i].map(|v| unscaled(i32::from(v), scales[channel]))
            }
            Self::Int4(values, scales) => values[i].map(|v| unscaled(v, scales[channel])),
            Self::Float4(values, _) => values[i].map(f64::from),
            Self::Float8(values, _) => values[i],
        }
    }
}

/// Encodes one byte per number and one base per channel; `None` if a number is absent or a channel
/// spans more than 255.
fn in_bytes(integers: &[Option<i32>], channels: usize) -> Option<(Vec<u8>, Vec<i32>)> {
    if integers.is_empty() {
        return None;
    }
    let (mut bytes, mut bases) = (
        Vec::with_capacity(integers.len()),
        Vec::with_capacity(channels),
    );
    for channel in integers.chunks(integers.len() / channels) {
        let (mut min, mut max) = (i32::MAX, i32::MIN);
        for integer in channel {
            min = min.min((*integer)?);
            max = max.max((*integer)?);
        }
        let is_byte = min >= 0 && max <= i32::from(u8::MAX);
        let base = if is_byte { 0 } else { min };
        u8::try_from(i64::from(max) - i64::from(base)).ok()?;
        bases.push(base);
        let offset =
            |integer: &Option<i32>| integer.and_then(|integer| u8::try_from(integer - base).ok());
        bytes.extend(channel.iter().filter_map(offset));
    }
    (bytes.len() == integers.len()).then_some((bytes, bases))
}

fn channels_of(values: usize, points: usize) -> Result<usize, NumbersError> {
    if points == 0 || !values.is_multiple_of(points) {
        return Err(NumbersError::Length { values, points });
    }
    Ok(values / points)
}

fn check_scales(scales: Option<Vec<i16>>, channels: usize) -> Result<Vec<u8>, NumbersError> {
    let Some(scales) = scales else {
        return Ok(vec![0; channels]);
    };
    let narrow = |s: &i16| {
        u8::try_from(*s)
            .ok()
            .filter(|&s| usize::from(s) <= MAX_SCALE)
    };
    let narrowed: Option<Vec<u8>> = scales.iter().map(narrow).collect();
    narrowed
        .filter(|s| s.len() == channels)
        .ok_or(NumbersError::Scales(scales.len()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn decoded(numbers: &Numbers, points: usize) -> Vec<Vec<Option<u64>>> {
        let bits = |c| {
            numbers
                .channel(c, points)
                .map(|v| v.map(f64::to_bits))
                .collect()
        };
        (0..numbers.channels()).map(bits).collect()
    }

    fn column(values: &[f64]) -> Vec<Option<f64>> {
        values.iter().copied().map(Some).collect()
    }

    proptest! {
        #[test]
        fn every_double_round_trips_bit_for_bit(values in prop::collection::vec(prop::option::of(prop::num::f64::ANY), 1..40)) {
            let finite: Vec<Option<f64>> = values.into_iter().map(|v| v.filter(|v| v.is_finite())).collect();
            let numbers = Numbers::encode(&[&finite, &finite]);
            let expected: Vec<Option<u64>> = finite.iter().map(|v| v.map(f64::to_bits)).collect();
            prop_assert_eq!(decoded(&numbers, finite.len()), vec![expected.clone(), expected]);
        }

        #[test]
        fn short_decimals_are_encoded_as_integers(integers in prop::collection::vec(-32_767..32_767_i32, 1..40), scale in 0..4_u8) {
            let values: Vec<f64> = integers.iter().map(|&i| unscaled(i, scale)).collect();
            let numbers = Numbers::encode(&[&column(&values)]);
            prop_assert!(matches!(numbers, Numbers::Int1(..) | Numbers::Int2(..)));
            let expected: Vec<Option<u64>> = values.iter().map(|v| Some(v.to_bits())).collect();
            prop_assert_eq!(decoded(&numbers, values.len()), vec![expected]);
        }
    }

    proptest! {
        #[test]
        fn a_narrow_span_takes_a_byte(base in -2_000_000_000..2_000_000_000_i32, offsets in prop::collection::vec(0..256_i32, 2..40)) {
            let values: Vec<f64> = offsets.iter().map(|&o| f64::from(base.wrapping_add(o))).collect();
            let numbers = Numbers::encode(&[&column(&values), &column(&values)]);
            prop_assert!(matches!(numbers, Numbers::Int1(..)));
            let expected: Vec<Option<u64>> = values.iter().map(|v| Some(v.to_bits())).collect();
            prop_assert_eq!(decoded(&numbers, values.len()), vec![expected.clone(), expected]);
        }
    }

    #[test]
    fn the_narrowest_type_is_chosen() {
        assert!(
            matches!(Numbers::encode(&[&column(&[0.0, 255.0])]), Numbers::Int1(_, s, b) if s == [0] && b == [0])
        );
        assert!(
            matches!(Numbers::encode(&[&column(&[36.6, 38.1])]), Numbers::Int1(_, s, b) if s == [1] && b == [366])
        );
        assert!(matches!(
            Numbers::encode(&[&column(&[-1.0, 255.0])]),
            Numbers::Int2(..)
        ));
        assert!(matches!(
            Numbers::encode(&[&[Some(1.0), None]]),
            Numbers::Int2(..)
        ));
        assert!(
            matches!(Numbers::encode(&[&column(&[72.0, 36.6])]), Numbers::Int2(_, s) if s == [1])
        );
        assert!(matches!(
            Numbers::encode(&[&column(&[0.0, 100_000.0])]),
            Numbers::Int4(..)
        ));
        assert!(matches!(
            Numbers::encode(&[&column(&[-0.0])]),
            Numbers::Float4(..)
        ));
        assert!(matches!(
            Numbers::encode(&[&column(&[std::f64::consts::PI])]),
            Numbers::Float8(..)
        ));
        assert!(matches!(Numbers::encode(&[]), Numbers::None));
    }

    #[test]
    fn a_wrong_length_is_an_error() {
        assert!(Numbers::int1(vec![0; 6], None, Some(vec![1]), 3).is_err());
        assert!(Numbers::int2(vec![None; 5], None, 3).is_err());
        assert!(Numbers::int2(vec![None; 6], Some(vec![0, 12]), 3).is_err());
    }
}
