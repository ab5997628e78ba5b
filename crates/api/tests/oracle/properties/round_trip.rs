//! The SQL views return the points as they were written.

use std::collections::BTreeMap;
use std::fmt::Debug;

use proptest::strategy::Just;
use time_series_testkit::Backend;
use tokio_postgres::{Client, Row};

use crate::fixture::Fixture;
use crate::fixture::json::Json;
use crate::fixture::metric_type::leaf_name;
use crate::generate::case::{Case, single_user_case};
use crate::model::points::stored_points;
use crate::runner::Outcome;
use crate::runner::for_all::for_all;

const POINTS: &str = "
    SELECT session_id::text, series, (extract(epoch FROM time) * 1000000)::bigint, value::text
    FROM timeseries_point WHERE user_id::text = $1";

const NUMBERS: &str = "
    SELECT session_id::text, series, (extract(epoch FROM time) * 1000000)::bigint, leaf, value
    FROM timeseries_value WHERE user_id::text = $1";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn views_return_every_value_as_it_was_written() {
    for backend in Backend::ALL {
        let fixture = Fixture::start(backend).await;
        let client = fixture.app.database.connect().await;
        client
            .batch_execute("SET jit = off") // as the service does
            .await
            .expect("SET succeeds");
        let cases = single_user_case(6, 0, |_| Just(()));
        for_all("values", 50, &cases, async |case| {
            views_return_what_was_written(&fixture, &client, &case).await
        });
    }
}

/// The location of a value.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct PointKey {
    session: String,
    series: String,
    micros: i64,
}

impl PointKey {
    fn read(row: &Row) -> Self {
        Self {
            session: row.get(0),
            series: row.get(1),
            micros: row.get(2),
        }
    }
}

/// A number of a leaf, by its bits.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct LeafBits {
    leaf: String,
    bits: u64,
}

/// The number of times that a value was written, less the number of times that a view returns it.
type Surplus<T> = BTreeMap<(PointKey, T), i64>;

/// Compares both views with the points: values as JSON, and numbers to the last bit.
async fn views_return_what_was_written(
    fixture: &Fixture,
    client: &Client,
    case: &Case<()>,
) -> Outcome {
    let states = case.run(fixture).await?;
    let state = &states[0];
    let mut values: Surplus<Json> = BTreeMap::new();
    let mut numbers: Surplus<LeafBits> = BTreeMap::new();
    for point in stored_points(fixture, state) {
        let key = PointKey {
            session: point.session.to_string(),
            series: point.series().to_owned(),
            micros: point.time,
        };
        for path in &point.metric_type.leaves {
            if let Some(number) = point.value.leaf(path) {
                let leaf = LeafBits {
                    leaf: leaf_name(path),
                    bits: number.to_bits(),
                };
                *numbers.entry((key.clone(), leaf)).or_default() += 1;
            }
        }
        *values.entry((key, point.value.canonical())).or_default() += 1;
    }
    let user = state.user.to_string();
    for row in query(client, POINTS, &user).await? {
        let value = Json::parse(row.get(3)).canonical();
        *values.entry((PointKey::read(&row), value)).or_default() -= 1;
    }
    for row in query(client, NUMBERS, &user).await? {
        // A regression test checks the escaping of keys in leaf names.
        let leaf = row
            .get::<_, String>(3)
            .replace("~1", "/")
            .replace("~0", "~");
        let bits = row.get::<_, f64>(4).to_bits();
        let number = LeafBits { leaf, bits };
        *numbers.entry((PointKey::read(&row), number)).or_default() -= 1;
    }
    let differences = [differences(&values), differences(&numbers)].concat();
    if differences.is_empty() {
        Ok(())
    } else {
        let report = state.report();
        Err(format!("{}\nafter\n{report}", differences.join("\n")))
    }
}

async fn query(client: &Client, sql: &str, user: &str) -> Outcome<Vec<Row>> {
    client
        .query(sql, &[&user])
        .await
        .map_err(|e| format!("{e:?}"))
}

fn differences<T: Debug>(surplus: &Surplus<T>) -> Vec<String> {
    surplus
        .iter()
        .filter(|(_, n)| **n != 0)
        .take(6)
        .map(|(value, n)| format!("written {n} more times than returned: {value:?}"))
        .collect()
}
