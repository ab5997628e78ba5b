//! Reference implementation of `time_avg`: each number holds until the next number of its session.

use std::collections::BTreeMap;

use uuid::Uuid;

use crate::model::aggregate::LeafNumber;
use crate::model::axis::Axis;
use crate::model::expected::Bounds;
use crate::model::functions::mean;
use crate::model::rounding::total;

/// A number with its position on the axis.
struct Placed {
    on_axis: i64,
    arrival: usize,
    bucket: i64,
    number: f64,
}

/// A number and the microseconds for which it holds in a bucket.
struct Held {
    number: f64,
    duration: i64,
}

#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct SessionKey {
    user: Uuid,
    session: Uuid,
}

/// Returns the averages of one leaf in one group, for each bucket in which a number holds or is.
pub(crate) fn by_bucket(
    axis: &Axis,
    buckets: &BTreeMap<i64, Vec<LeafNumber<'_>>>,
) -> BTreeMap<i64, Bounds> {
    let mut held_by_bucket: BTreeMap<i64, Vec<Held>> =
        buckets.keys().map(|bucket| (*bucket, Vec::new())).collect();
    let mut sessions: BTreeMap<SessionKey, Vec<Placed>> = BTreeMap::new();
    for (bucket, numbers) in buckets {
        for LeafNumber { point, number } in numbers {
            let key = SessionKey {
                user: point.user,
                session: point.session,
            };
            sessions.entry(key).or_default().push(Placed {
                on_axis: point.position.on_axis,
                arrival: point.arrival,
                bucket: *bucket,
                number: *number,
            });
        }
    }
    for mut numbers in sessions.into_values() {
        numbers.sort_by_key(|placed| (placed.on_axis, placed.arrival));
        for (placed, next) in numbers.iter().zip(numbers.iter().skip(1)) {
            let mut bucket = placed.bucket;
            while bucket <= next.bucket {
                let end = axis.end_of(bucket);
                let duration = next.on_axis.min(end) - placed.on_axis.max(bucket);
                if duration > 0 {
                    held_by_bucket.entry(bucket).or_default().push(Held {
                        number: placed.number,
                        duration,
                    });
                }
                bucket = end;
            }
        }
    }
    let average = |bucket: i64, held: &[Held]| {
        if !held.is_empty() {
            return weighted_mean(held);
        }
        let numbers = &buckets[&bucket];
        mean(
            &numbers
                .iter()
                .map(|n| Bounds::exactly(n.number))
                .collect::<Vec<_>>(),
        )
    };
    held_by_bucket
        .iter()
        .map(|(bucket, held)| (*bucket, average(*bucket, held)))
        .collect()
}

fn weighted_mean(held: &[Held]) -> Bounds {
    let duration = held.iter().map(|h| h.duration).sum::<i64>() as f64;
    let terms: Vec<f64> = held
        .iter()
        .map(|h| h.number * (h.duration as f64 / duration))
        .collect();
    let magnitudes: Vec<f64> = terms.iter().map(|term| term.abs()).collect();
    let error = 8.0 * f64::EPSILON * (terms.len() as f64 + 4.0) * total(&magnitudes);
    Bounds::around(total(&terms), error + 1e-300)
}
