//! What was posted comes back from the views as it was.

use std::collections::BTreeMap;
use std::fmt::Debug;

use tokio_postgres::{Client, Row};
use uuid::Uuid;

use crate::generate::{Act, Era};
use crate::json::Json;
use crate::play::{Outcome, World};

const POINTS: &str = "
    SELECT session_id::text, series, (extract(epoch FROM time) * 1000000)::bigint, value::text
    FROM timeseries_point WHERE user_id::text = $1";

const NUMBERS: &str = "
    SELECT session_id::text, series, (extract(epoch FROM time) * 1000000)::bigint, leaf, value
    FROM timeseries_value WHERE user_id::text = $1";

/// A session, a series, and microseconds.
type Place = (String, String, i64);

/// How many more of each there are in what was posted than in what is stored.
type Surplus<T> = BTreeMap<(Place, T), i64>;

/// Both views have what was posted, no more and no less: values as JSON, and numbers to the last bit.
pub(crate) async fn comes_back(
    world: &World,
    client: &Client,
    case: &(Era, Vec<(usize, Act)>),
) -> Outcome {
    let state = world.play(Uuid::new_v4(), &case.0, &case.1).await?;
    let mut values: Surplus<Json> = BTreeMap::new();
    let mut numbers: Surplus<(String, u64)> = BTreeMap::new();
    for session in state.slots.values() {
        for point in &session.points {
            let metric = &world.catalogue[point.metric];
            let place = (session.id.to_string(), metric.series.clone(), point.time);
            for path in &metric.leaves {
                if let Some(number) = point.value.leaf(path) {
                    let leaf = if path.is_empty() {
                        "value".to_owned()
                    } else {
                        path.join(".")
                    };
                    *numbers
                        .entry((place.clone(), (leaf, number.to_bits())))
                        .or_default() += 1;
                }
            }
            *values.entry((place, point.value.normal())).or_default() += 1;
        }
    }
    let user = state.user.to_string();
    let place = |row: &Row| (row.get(0), row.get(1), row.get(2));
    for row in client
        .query(POINTS, &[&user])
        .await
        .map_err(|e| format!("{e:?}"))?
    {
        *values
            .entry((place(&row), Json::read(row.get(3)).normal()))
            .or_default() -= 1;
    }
    for row in client
        .query(NUMBERS, &[&user])
        .await
        .map_err(|e| format!("{e:?}"))?
    {
        // How the view names such keys has a test of its own.
        let leaf = row
            .get::<_, String>(3)
            .replace("~1", "/")
            .replace("~0", "~");
        *numbers
            .entry((place(&row), (leaf, row.get::<_, f64>(4).to_bits())))
            .or_default() -= 1;
    }
    let faults = [none_left(&values), none_left(&numbers)].concat();
    if faults.is_empty() {
        Ok(())
    } else {
        Err(format!("{}\nafter\n{}", faults.join("\n"), state.told()))
    }
}

fn none_left<T: Debug>(surplus: &Surplus<T>) -> Vec<String> {
    let left = surplus.iter().filter(|(_, n)| **n != 0);
    left.take(6)
        .map(|(what, n)| format!("{n} more posted than stored of {what:?}"))
        .collect()
}
