//! The average over time: what each value holds until the next of its session.

use std::collections::BTreeMap;

use uuid::Uuid;

use crate::model::total;
use crate::wide::axis::Axis;
use crate::wide::functions::mean;
use crate::wide::model::Taken;
use crate::wide::want::Span;

/// A number: where it is on the axis, its arrival, its bucket.
type Placed = (i64, usize, i64, f64);

/// Values held in a bucket, each with its microseconds.
type Held = Vec<(f64, i64)>;

/// Of one leaf's numbers in one group, in every bucket that has some or through which one held. They are in order of
/// time within each session and each bucket.
pub(crate) fn by_time(
    axis: &Axis,
    buckets: &BTreeMap<i64, Vec<(&Taken<'_>, f64)>>,
) -> BTreeMap<i64, Span> {
    let mut helds: BTreeMap<i64, Held> = buckets
        .keys()
        .map(|bucket| (*bucket, Held::new()))
        .collect();
    let mut sessions: BTreeMap<(Uuid, Uuid), Vec<Placed>> = BTreeMap::new();
    for (bucket, numbers) in buckets {
        for (point, number) in numbers {
            let session = sessions.entry((point.user, point.session)).or_default();
            session.push((point.at, point.arrival, *bucket, *number));
        }
    }
    for mut points in sessions.into_values() {
        points.sort_by_key(|(at, arrival, ..)| (*at, *arrival));
        for (point, next) in points.iter().zip(points.iter().skip(1)) {
            let (from, _, bucket, number) = *point;
            let until = next.0;
            let mut start = bucket;
            while start <= next.2 {
                let end = axis.end_of(start);
                let within = until.min(end) - from.max(start);
                if within > 0 {
                    helds.entry(start).or_default().push((number, within));
                }
                start = end;
            }
        }
    }
    let average = |bucket: i64, held: &Held| {
        if held.is_empty() {
            let numbers = buckets[&bucket]
                .iter()
                .map(|(_, number)| Span::exactly(*number));
            return mean(&numbers.collect::<Vec<_>>());
        }
        let duration = held.iter().map(|(_, time)| time).sum::<i64>() as f64;
        let parts: Vec<f64> = held
            .iter()
            .map(|(number, time)| number * (*time as f64 / duration))
            .collect();
        let sizes: Vec<f64> = parts.iter().map(|part| part.abs()).collect();
        let lost = 8.0 * f64::EPSILON * (parts.len() as f64 + 4.0) * total(&sizes);
        Span::near(total(&parts), lost + 1e-300)
    };
    helds
        .iter()
        .map(|(bucket, held)| (*bucket, average(*bucket, held)))
        .collect()
}
