//! The block codec: encoded values are decoded; corrupt parts are rejected or read without a panic.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::test_runner::TestCaseResult;
use time_series_domain::block::{
    Block, MAX_BLOCK_POINTS, Numbers, NumbersError, Remainder, SeriesColumns, Spacing, TimeUnit,
    Times, cut,
};
use time_series_domain::{Json, MetricTypeId, Pointer, Timestamp};

use crate::fuzz::harness::fuzz;

const UNITS: [TimeUnit; 3] = [
    TimeUnit::Second,
    TimeUnit::Millisecond,
    TimeUnit::Microsecond,
];

/// Any double that can be stored: all except NaN and infinity.
fn double() -> impl Strategy<Value = f64> {
    prop_oneof![
        any::<f64>().prop_filter("finite", |v| v.is_finite()),
        (-40_000..40_000_i32, 0..6_i32).prop_map(|(v, scale)| f64::from(v) / 10_f64.powi(scale)),
        any::<i32>().prop_map(f64::from),
        any::<f32>()
            .prop_filter("finite", |v| v.is_finite())
            .prop_map(f64::from),
        (0..256_i32).prop_map(f64::from),
    ]
}

/// Columns of equal length: `(length, columns)`.
fn columns() -> impl Strategy<Value = (usize, Vec<Vec<Option<f64>>>)> {
    let value = prop_oneof![3 => double().prop_map(Some), 1 => Just(None)].boxed();
    let dense = double().prop_map(Some).boxed();
    (0..40_usize, 0..4_usize).prop_flat_map(move |(points, channels)| {
        let column = prop_oneof![vec(value.clone(), points), vec(dense.clone(), points)];
        (Just(points), vec(column, channels))
    })
}

fn bits(values: impl Iterator<Item = Option<f64>>) -> Vec<Option<u64>> {
    values.map(|value| value.map(f64::to_bits)).collect()
}

#[test]
fn numbers_round_trip_bit_for_bit() {
    fuzz("numbers", columns(), |(points, columns)| {
        let slices: Vec<&[Option<f64>]> = columns.iter().map(Vec::as_slice).collect();
        let numbers = Numbers::encode(&slices);
        prop_assert_eq!(numbers.channels(), columns.len());
        for (channel, column) in columns.iter().enumerate() {
            prop_assert_eq!(
                bits(numbers.channel(channel, points)),
                bits(column.iter().copied())
            );
            let half = points / 2..points;
            prop_assert_eq!(
                bits(numbers.at(channel, points, half.clone())),
                bits(column[half].iter().copied())
            );
        }
        Ok(())
    });
}

/// Reads everything out of the numbers of stored parts, if the parts were accepted.
fn check_numbers(
    numbers: Result<Numbers, NumbersError>,
    values: usize,
    points: usize,
) -> TestCaseResult {
    let Ok(numbers) = numbers else { return Ok(()) };
    prop_assert_eq!(numbers.channels() * points, values);
    for channel in 0..=numbers.channels() {
        let read = numbers.channel(channel, points).count();
        prop_assert_eq!(
            read,
            if channel < numbers.channels() {
                points
            } else {
                0
            }
        );
        prop_assert_eq!(numbers.at(channel, points, 0..points).count(), read);
    }
    Ok(())
}

#[test]
fn corrupt_numbers_are_rejected_or_decoded() {
    let lengths = || (0..30_usize, prop_oneof![0..10_usize, any::<usize>()]);
    let scales = || option::of(vec(prop_oneof![0..10_i16, any::<i16>()], 0..6));
    let bases = option::of(vec(any::<i32>(), 0..6));
    fuzz(
        "stored numbers",
        (lengths(), scales(), bases, any::<u64>()),
        |((values, points), scales, bases, seed)| {
            let some = |i: usize| (seed >> (i % 64)) & 1 == 1;
            let byte = |i: usize| seed.to_le_bytes()[i % 8];
            let bytes: Vec<u8> = (0..values).map(byte).collect();
            check_numbers(
                Numbers::int1(bytes, scales.clone(), bases, points),
                values,
                points,
            )?;
            let all = |i: usize| {
                some(i)
                    .then(|| i32::from_le_bytes([byte(i), byte(i + 1), byte(i + 2), byte(i + 3)]))
            };
            let short: Vec<Option<i16>> = (0..values)
                .map(|i| some(i).then(|| i16::from_le_bytes([byte(i), byte(i + 1)])))
                .collect();
            check_numbers(Numbers::int2(short, scales.clone(), points), values, points)?;
            check_numbers(
                Numbers::int4((0..values).map(all).collect(), scales, points),
                values,
                points,
            )?;
            let single = |i: usize| {
                some(i)
                    .then(|| f32::from_le_bytes([byte(i), byte(i + 1), byte(i + 2), byte(i + 3)]))
            };
            check_numbers(
                Numbers::float4((0..values).map(single).collect(), points),
                values,
                points,
            )?;
            let double = |i: usize| {
                some(i).then(|| f64::from_bits(seed.rotate_left(u32::try_from(i).unwrap_or(0))))
            };
            check_numbers(
                Numbers::float8((0..values).map(double).collect(), points),
                values,
                points,
            )
        },
    );
}

#[test]
fn times_round_trip_or_are_not_encoded() {
    let gap = prop_oneof![
        Just(0_i64),
        0..10_i64,
        (0..5_000_i64).prop_map(|s| s * 1_000_000),
        (0..5_000_i64).prop_map(|ms| ms * 1_000),
        0..i64::from(i32::MAX) * 2,
        0..i64::MAX / 100,
    ];
    let start = prop_oneof![any::<i64>(), 0..2_000_000_000_000_000_i64];
    fuzz("times", (start, vec(gap, 0..60)), |(start, gaps)| {
        let mut at = Timestamp::from_micros(start);
        let mut times = vec![at];
        for gap in gaps {
            at = at.plus_micros(gap);
            times.push(at);
        }
        if let Some(encoded) = Times::encode(&times) {
            prop_assert_eq!(encoded.iter().collect::<Vec<_>>(), times.clone());
            prop_assert_eq!(
                (encoded.first(), encoded.last(), encoded.len()),
                (times[0], at, times.len())
            );
            let (unit, spacing) = (encoded.unit(), encoded.spacing().clone());
            prop_assert_eq!(
                Times::from_parts(times[0], times.len(), unit, spacing),
                Ok(encoded)
            );
        } else {
            let widest = times
                .windows(2)
                .map(|pair| pair[1].micros() - pair[0].micros())
                .max();
            prop_assert!(
                widest > Some(i64::from(i32::MAX)),
                "every gap fits in 32 bits: {:?}",
                times
            );
        }
        Ok(())
    });
}

#[test]
fn corrupt_times_are_rejected_or_ascending() {
    let len = prop_oneof![0..10_usize, 4_000..5_000_usize, any::<usize>()];
    let delta = || prop_oneof![0..100_i32, any::<i32>()];
    let spacing = prop_oneof![
        delta().prop_map(Spacing::Step),
        vec(delta(), 0..10).prop_map(Spacing::Deltas)
    ];
    let parts = (any::<i64>(), len, prop::sample::select(&UNITS[..]), spacing);
    fuzz("stored times", parts, |(first, len, unit, spacing)| {
        let first = Timestamp::from_micros(first);
        let Ok(times) = Times::from_parts(first, len, unit, spacing) else {
            return Ok(());
        };
        prop_assert!(len <= MAX_BLOCK_POINTS && times.len() == len);
        let read: Vec<Timestamp> = times.iter().collect();
        prop_assert_eq!(
            (read.len(), read[0], read[len - 1]),
            (len, first, times.last())
        );
        prop_assert!(read.is_sorted());
        Ok(())
    });
}

/// JSON objects by index as they are stored, almost valid ones, and anything else.
fn remainders() -> impl Strategy<Value = String> {
    let leaf =
        "(null|true|-?[0-9]{1,25}(\\.[0-9]{1,9})?(e-?[0-9]{1,3})?|\"[a-zé\\\\\"u0-9]{0,6}\")";
    let value = leaf.prop_recursive(4, 24, 4, |inner| {
        let object = vec(("[a-c]", inner.clone()), 0..4).prop_map(|members| {
            let members: Vec<String> = members
                .into_iter()
                .map(|(key, value)| format!("\"{key}\":{value}"))
                .collect();
            format!("{{{}}}", members.join(","))
        });
        prop_oneof![
            object,
            vec(inner, 0..4).prop_map(|items| format!("[{}]", items.join(",")))
        ]
    });
    let place = "(-|\\+|0)?[0-9]{0,3}|[0-9]{18,25}|[a-z]";
    let stored = vec((place, value), 0..5).prop_map(|members| {
        let members: Vec<String> = members
            .into_iter()
            .map(|(place, rest)| format!("\"{place}\":{rest}"))
            .collect();
        format!("{{{}}}", members.join(","))
    });
    let deep = (0..300_usize, "[\\[{]")
        .prop_map(|(depth, open)| format!("{{\"0\":{}", open.repeat(depth)));
    let nested = (0..300_usize)
        .prop_map(|depth| format!("{{\"0\":{}{}}}", "[".repeat(depth), "]".repeat(depth)));
    prop_oneof![4 => stored, 1 => ".*", 1 => deep, 1 => nested]
}

#[test]
fn remainders_round_trip_through_text() {
    fuzz("stored remainders", remainders(), |text| {
        let Ok(remainder) = Remainder::from_text(&text) else {
            return Ok(());
        };
        prop_assert!(remainder.indexes().count() <= text.len());
        for place in remainder.indexes() {
            prop_assert!(remainder.get(place).is_some());
        }
        prop_assert_eq!(
            Remainder::from_text(&remainder.to_text()),
            Ok(remainder),
            "{}",
            text
        );
        Ok(())
    });
}

/// A JSON value with the leaves of two channels, one of them, or something else.
fn value() -> impl Strategy<Value = Json> {
    let leaf = prop_oneof![
        4 => double().prop_filter("accepted", |v| v.abs() <= 1e140).prop_map(|v| format!("{v:e}")),
        1 => "-?[1-9][0-9]{15,40}",
        1 => "(null|true|\"text\"|\\[1,2\\])",
    ]
    .boxed();
    (leaf.clone(), leaf, 0..5_u8).prop_map(|(a, x, shape)| {
        let text = match shape {
            0 => format!(r#"{{"a":{a}}}"#),
            1 => format!(r#"{{"b":{{"x":{x}}},"c":{a}}}"#),
            2 => a,
            _ => format!(r#"{{"a":{a},"b":{{"x":{x}}}}}"#),
        };
        Json::parse(&text).expect("accepted")
    })
}

/// A block made of its stored parts.
fn stored(block: &Block) -> Block {
    let (times, points) = (&block.times, block.len());
    let scales = |scales: &[u8]| Some(scales.iter().map(|scale| i16::from(*scale)).collect());
    let numbers = match block.numbers.clone() {
        Numbers::None => Ok(Numbers::None),
        Numbers::Int1(values, of, bases) => Numbers::int1(values, scales(&of), Some(bases), points),
        Numbers::Int2(values, of) => Numbers::int2(values, scales(&of), points),
        Numbers::Int4(values, of) => Numbers::int4(values, scales(&of), points),
        Numbers::Float4(values, _) => Numbers::float4(values, points),
        Numbers::Float8(values, _) => Numbers::float8(values, points),
    };
    Block {
        times: Times::from_parts(times.first(), points, times.unit(), times.spacing().clone())
            .expect("times"),
        numbers: numbers.expect("numbers"),
        remainder: Remainder::from_text(&block.remainder.to_text()).expect("a remainder"),
        ..block.clone()
    }
}

#[test]
fn stored_blocks_return_their_points() {
    let start = prop_oneof![any::<i64>(), 0..4_000_000_000_000_000_i64];
    let unit = prop::sample::select(&[1_i64, 1_000, 1_000_000, 60_000_000][..]);
    let points = vec((0..5_000_i64, value()), 1..60);
    let channels = ["/a", "/b/x"].map(|path| Pointer::parse(path).expect("a pointer"));
    fuzz("blocks", (start, unit, points), |(start, unit, points)| {
        let at = |after: i64| Timestamp::from_micros(start).plus_micros(after * unit);
        let mut points: Vec<(Timestamp, Json)> = points
            .into_iter()
            .map(|(after, value)| (at(after), value))
            .collect();
        let blocks = cut(
            &SeriesColumns::new(MetricTypeId(1), &channels, points.clone()),
            0,
        );
        points.sort_by_key(|(time, _)| *time);
        let mut read = Vec::new();
        for block in blocks {
            let stored = stored(&block);
            prop_assert_eq!(&stored, &block);
            read.extend(
                stored
                    .points(&channels)
                    .map(|point| (point.time, point.value)),
            );
        }
        prop_assert_eq!(read, points);
        Ok(())
    });
}
