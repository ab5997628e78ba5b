//! Cutting columns into blocks.

use std::ops::Range;

use super::block::Block;
use super::columns::SeriesColumns;
use super::numbers::Numbers;
use super::remainder::Remainder;
use super::times::{MAX_BLOCK_POINTS, Times};
use crate::Timestamp;

/// The longest gap, in microseconds, that fits a 32-bit delta in any unit.
const MAX_GAP: i64 = i32::MAX as i64;

/// Encodes columns as blocks, numbered from `first_seq` on.
///
/// Cuts at UTC midnights, into pieces of even size of at most [`MAX_BLOCK_POINTS`] points, and at
/// gaps that exceed a 32-bit delta.
#[must_use]
pub fn cut(columns: &SeriesColumns, first_seq: u32) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut start = 0;
    let mut seq = first_seq;
    while start < columns.len() {
        let (end, times) = next_block(&columns.times, start);
        blocks.push(block_of(columns, start..end, times, seq));
        seq += 1;
        start = end;
    }
    blocks
}

/// Encodes points at ascending times as [`cut`] does. Calls `value` once per point, in order, so
/// that only the values of one block are in memory.
#[cfg(feature = "schema")]
pub(crate) fn cut_values(
    metric_type: crate::MetricTypeId,
    channels: &[crate::Pointer],
    times: &[Timestamp],
    mut value: impl FnMut(usize) -> crate::Json,
) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut start = 0;
    let mut seq = 0;
    while start < times.len() {
        let (end, encoded) = next_block(times, start);
        let mut columns = SeriesColumns::of_blocks(metric_type, &[]);
        for (index, time) in (start..end).zip(&times[start..end]) {
            columns.push(*time, value(index), channels);
        }
        columns.widen(channels.len());
        blocks.push(block_of(&columns, 0..columns.len(), encoded, seq));
        seq += 1;
        start = end;
    }
    blocks
}

fn block_of(columns: &SeriesColumns, indexes: Range<usize>, times: Times, seq: u32) -> Block {
    let numbers = columns.numbers(indexes.clone());
    let numbers: Vec<&[Option<f64>]> = numbers.iter().map(AsRef::as_ref).collect();
    Block {
        metric_type: columns.metric_type,
        seq,
        times,
        numbers: Numbers::encode(&numbers),
        remainder: Remainder::new(columns.remainders(indexes)),
    }
}

/// Returns the end and the times of the block that starts at `start`.
fn next_block(times: &[Timestamp], start: usize) -> (usize, Times) {
    let day = times[start].utc_day();
    let in_day = times[start..].partition_point(|t| t.utc_day() == day);
    // Pieces of even size: one point too many does not leave a block of a single point.
    let end = start + in_day.div_ceil(in_day.div_ceil(MAX_BLOCK_POINTS));
    if let Some(encoded) = Times::encode(&times[start..end]) {
        return (end, encoded);
    }
    let too_long = |pair: &[Timestamp]| pair[1].micros() - pair[0].micros() > MAX_GAP;
    let before_gap = times[start..end]
        .windows(2)
        .position(too_long)
        .map_or(end, |i| start + i + 1);
    let encoded = Times::encode(&times[start..before_gap]);
    (
        before_gap,
        encoded.expect("every gap before the first long one fits 32 bits"),
    )
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{Json, MetricTypeId, Pointer};

    fn columns(times: &[i64]) -> SeriesColumns {
        let value =
            |i: usize| Json::parse(&format!("{{\"value\":{i},\"note\":{i}}}")).expect("json");
        let points = times
            .iter()
            .enumerate()
            .map(|(i, &t)| (Timestamp::from_micros(t), value(i)));
        let channels = [Pointer::parse("/value").expect("a pointer")];
        SeriesColumns::new(MetricTypeId(1), &channels, points.collect())
    }

    proptest! {
        #[test]
        fn every_point_is_in_exactly_one_block(times in prop::collection::vec(0..400_000_000_000_i64, 1..200)) {
            let columns = columns(&times);
            let blocks = cut(&columns, 5);
            let mut sorted = times.clone();
            sorted.sort_unstable();
            let out: Vec<i64> = blocks.iter().flat_map(|b| b.times.iter().map(Timestamp::micros)).collect();
            prop_assert_eq!(out, sorted);
            for (block, seq) in blocks.iter().zip(5..) {
                prop_assert_eq!(block.seq, seq);
                prop_assert_eq!(block.t_min().utc_day(), block.t_max().utc_day());
            }
        }
    }

    /// The text of a number: any double, a short decimal, a small integer, or an integer too long
    /// for a double.
    fn number() -> impl Strategy<Value = String> {
        let any =
            prop::num::f64::ANY.prop_filter("accepted", |v| v.is_finite() && v.abs() <= 1e140);
        prop_oneof![
            any.prop_map(|v| format!("{v:e}")),
            (-40_000..40_000_i32, 0..4_i32)
                .prop_map(|(v, scale)| format!("{}", f64::from(v) / 10_f64.powi(scale))),
            (0..300_u32).prop_map(|v| v.to_string()),
            any_long_integer(),
        ]
    }

    fn any_long_integer() -> impl Strategy<Value = String> {
        "-?[1-9][0-9]{15,40}".prop_map(|digits| digits)
    }

    /// A value whose leaves are absent, numbers or other values, and which may have an undeclared
    /// member.
    fn value() -> impl Strategy<Value = String> {
        let leaf = || prop_oneof![4 => number(), 1 => Just("null".to_owned()), 1 => Just(r#""text""#.to_owned())];
        let object = (
            prop::option::of(leaf()),
            prop::option::of(leaf()),
            prop::option::of(leaf()),
        );
        let object = object.prop_map(|(a, x, more)| {
            let members = [
                a.map(|a| format!(r#""a":{a}"#)),
                x.map(|x| format!(r#""b":{{"x":{x}}}"#)),
                more.map(|more| format!(r#""c":[{more}]"#)),
            ];
            format!(
                "{{{}}}",
                members.into_iter().flatten().collect::<Vec<_>>().join(",")
            )
        });
        let all_numbers =
            (number(), number()).prop_map(|(a, x)| format!(r#"{{"a":{a},"b":{{"x":{x}}}}}"#));
        prop_oneof![2 => object, 3 => all_numbers, 1 => number()]
    }

    proptest! {
        #[test]
        fn accepted_points_round_trip(
            start in 0..4_000_000_000_000_000_i64,
            unit in prop::sample::select(vec![1, 1_000, 1_000_000, 60_000_000]),
            points in prop::collection::vec((0..5_000_i64, value()), 1..80),
        ) {
            let parsed = |(after, value): &(i64, String)| {
                (Timestamp::from_micros(start + after * unit), Json::parse(value).expect("accepted"))
            };
            let mut points: Vec<(Timestamp, Json)> = points.iter().map(parsed).collect();
            let channels = ["/a", "/b/x"].map(|p| Pointer::parse(p).expect("a pointer"));
            let blocks = cut(&SeriesColumns::new(MetricTypeId(1), &channels, points.clone()), 0);
            points.sort_by_key(|(time, _)| *time);
            let read = blocks.iter().flat_map(|block| block.points(&channels).collect::<Vec<_>>());
            let read: Vec<(Timestamp, Json)> = read.map(|point| (point.time, point.value)).collect();
            prop_assert_eq!(&read, &points);
            // Again through columns, as an append decodes blocks.
            let columns = SeriesColumns::of_blocks(MetricTypeId(1), &blocks);
            let again = cut(&columns, 0);
            let read = again.iter().flat_map(|block| block.points(&channels).collect::<Vec<_>>());
            prop_assert_eq!(read.map(|point| (point.time, point.value)).collect::<Vec<_>>(), points);
        }
    }

    #[test]
    fn a_block_has_at_most_4096_points() {
        let times: Vec<i64> = (0..5_000).map(|i| i * 1_000).collect();
        let lengths: Vec<usize> = cut(&columns(&times), 0).iter().map(Block::len).collect();
        assert_eq!(lengths, [2_500, 2_500]);
    }

    #[test]
    fn a_gap_too_long_for_microseconds_starts_a_block() {
        let lengths: Vec<usize> = cut(&columns(&[0, 1, 3_600_000_002]), 0)
            .iter()
            .map(Block::len)
            .collect();
        assert_eq!(lengths, [2, 1]);
        // In whole seconds the same gap fits.
        let lengths: Vec<usize> = cut(&columns(&[0, 1_000_000, 3_600_000_000]), 0)
            .iter()
            .map(Block::len)
            .collect();
        assert_eq!(lengths, [3]);
    }
}
