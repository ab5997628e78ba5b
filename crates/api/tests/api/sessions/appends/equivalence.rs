//! A session sent in a thousand appends equals the session sent at once.

use serde_json::{Map, Value, json};
use time_series_testkit::{Backend, TestApp};
use uuid::Uuid;

use super::{START, at, color_at, score_at};
use crate::common::{
    COLOR, NOTE, SCORE, add_text_series, as_floats, get_timeseries, point, results, session,
};
use crate::on_both_servers;

on_both_servers![
    a_thousand_appends_are_one_session,
    appends_of_every_size_are_one_session,
    appends_of_a_steady_recording_are_one_session
];

const NUMBERS: &str =
    "avg,min,max,count,sum,first,last,stddev,range,median,mode,distinct,time_avg,p0,p10,p99.9,p100";
const EXACT: &str = "min,max,count,first,last,median,mode,distinct,p90";
const MIXED: &str = "mixed";
const TEXTS: &str = "first,last,count,mode,distinct";

/// A deterministic pseudo-random generator.
struct Dice(u64);

impl Dice {
    fn next_random(&mut self, sides: u32) -> u32 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        u32::try_from(self.0 >> 33).expect("31 bits") % sides
    }
}

/// Appends of one to `most` points of three series over two days, a quarter of them late,
/// many at equal times.
fn parts(number: i64, most: u32) -> Vec<Vec<Value>> {
    let mut dice = Dice(42);
    let part = |i: i64| {
        let points = 1 + dice.next_random(most);
        let point = |_: u32| {
            let late = if dice.next_random(4) == 0 {
                i64::from(dice.next_random(100_000))
            } else {
                i64::from(dice.next_random(60))
            };
            let second = (i * 170_000 / number - late).max(-3_600) / 10 * 10;
            let value = f64::from(dice.next_random(2_000)) / 16.0 - 40.0;
            match dice.next_random(8) {
                6 => mixed(
                    &format!(
                        "{}.{:06}Z",
                        at(second).trim_end_matches('Z'),
                        dice.next_random(3)
                    ),
                    dice.next_random(9),
                ),
                7 => mixed(&at(second), dice.next_random(9)),
                0 => color_at(second, value, 1.0 + value, 255.0),
                1 => point(
                    NOTE,
                    &at(second),
                    &json!({"value": format!("word {}", dice.next_random(9))}),
                ),
                _ => score_at(second, value),
            }
        };
        (0..points).map(point).collect()
    };
    (0..number).map(part).collect()
}

/// Values with optional leaves, and values without a leaf.
fn mixed(time: &str, kind: u32) -> Value {
    let value = match kind {
        0 => json!({"a": 1}),
        1 => json!({"b": 2.5}),
        2 => json!({"a": null, "b": -0.0}),
        3 => json!({"a": 9_007_199_254_740_993_i64}),
        4 => json!({"b": 1e-300, "note": {"x": [1, null, "y"]}}),
        5 => json!({"a": 1e140, "b": 0.1}),
        6 => json!({}),
        _ => json!({"a": kind, "b": kind, "c": "text"}),
    };
    point(MIXED, time, &value)
}

/// Checks that two responses are equal, except for the last digits of sums.
fn assert_alike(one: &Value, other: &Value, place: &str) {
    match (one, other) {
        (Value::Number(a), Value::Number(b)) => {
            let (a, b) = (a.as_f64().expect("finite"), b.as_f64().expect("finite"));
            let exact = ["avg", "sum", "stddev", "time_avg"]
                .iter()
                .all(|f| !place.contains(&format!("/{f}")));
            let tolerance = if exact { 0.0 } else { 1e-9 * (1.0 + a.abs()) };
            assert!(
                (a - b).abs() <= tolerance,
                "{place}: {a} in appends, {b} at once"
            );
        }
        (Value::Object(a), Value::Object(b)) => {
            let keys = |all: &Map<String, Value>| all.keys().cloned().collect::<Vec<_>>();
            assert_eq!(keys(a), keys(b), "{place}");
            a.iter()
                .for_each(|(key, value)| assert_alike(value, &b[key], &format!("{place}/{key}")));
        }
        (Value::Array(a), Value::Array(b)) => {
            assert_eq!(a.len(), b.len(), "{place}");
            a.iter()
                .zip(b)
                .enumerate()
                .for_each(|(i, (a, b))| assert_alike(a, b, &format!("{place}/{i}")));
        }
        _ => assert_eq!(one, other, "{place}"),
    }
}

/// The responses to a range of queries of the user.
async fn responses(app: &TestApp, user: Uuid) -> Vec<(String, Value)> {
    let mut all = Vec::new();
    for (series, functions) in [
        (SCORE, NUMBERS),
        (COLOR, NUMBERS),
        (NOTE, TEXTS),
        (MIXED, EXACT),
    ] {
        let mut questions: Vec<Vec<(&str, &str)>> = vec![
            vec![
                ("interval", "all"),
                ("start_time", "2024-12-31"),
                ("end_time", "2025-01-04"),
            ],
            vec![
                ("interval", "day"),
                ("start_time", "2024-12-31"),
                ("end_time", "2025-01-04"),
            ],
            vec![
                ("interval", "day"),
                ("tz", "Asia/Kathmandu"),
                ("start_time", "2024-12-31"),
                ("end_time", "2025-01-04"),
            ],
            vec![
                ("interval", "15m"),
                ("start_time", "2024-12-31T22:07:03Z"),
                ("end_time", "2025-01-02T13:00:11Z"),
            ],
            vec![
                ("interval", "2h"),
                ("align", "session"),
                ("start_time", "2024-12-31"),
                ("end_time", "2025-01-04"),
            ],
        ];
        if series == SCORE {
            questions.push(vec![
                ("interval", "6h"),
                ("where", "value>=10"),
                ("start_time", "2024-12-31"),
                ("end_time", "2025-01-04"),
            ]);
        }
        for mut question in questions {
            question.extend([("series", series), ("agg_func", functions)]);
            let response = get_timeseries(app, user, &question).await.expect(200);
            all.push((format!("{question:?}"), json!(results(&response))));
        }
    }
    all
}

/// The user's points in order, as listed.
async fn listed(app: &TestApp, user: Uuid) -> Vec<Value> {
    let rows = results(
        &app.get(&format!("/api/points/?user_id={user}&limit=100000"))
            .await
            .expect(200),
    );
    rows.iter()
        .map(|row| as_floats(&json!([row["series"], row["time"], row["value"]])))
        .collect()
}

async fn assert_one_session(backend: Backend, parts: &[Vec<Value>]) {
    let app = TestApp::seeded(backend).await;
    add_text_series(&app).await;
    let leaf = json!({"type": ["number", "null"]});
    app.metric_type(
        MIXED,
        &json!({"type": "object", "properties": {"a": leaf, "b": leaf}}),
    )
    .await;
    let (grown, whole) = (Uuid::new_v4(), Uuid::new_v4());
    let id = Uuid::new_v4();
    let _ = app
        .post("/api/sessions/", &session(grown, id, START, &[]))
        .await
        .expect(201);
    let path = format!("/api/sessions/{id}/points/");
    let mut total = 0;
    for (number, part) in parts.iter().enumerate() {
        total += part.len();
        let body = json!({"data": part});
        let headers = [("idempotency-key", number.to_string())];
        let headers = headers.each_ref().map(|(name, key)| (*name, key.as_str()));
        let body = Some(body.to_string().into_bytes());
        let receipt = app
            .request(reqwest::Method::POST, &path, body, &headers)
            .await
            .expect(200)
            .json();
        assert_eq!(
            (&receipt["outcome"], &receipt["total_points"]),
            (&json!("appended"), &json!(total))
        );
    }
    let _ = app
        .post(
            "/api/sessions/",
            &session(whole, Uuid::new_v4(), START, &parts.concat()),
        )
        .await
        .expect(201);
    let (one, other) = (listed(&app, grown).await, listed(&app, whole).await);
    assert_eq!(one.len(), total);
    for (i, (one, other)) in one.iter().zip(&other).enumerate() {
        assert_eq!(one, other, "point {i}");
    }
    assert_eq!(one.len(), other.len());
    for ((question, one), (_, other)) in responses(&app, grown)
        .await
        .iter()
        .zip(&responses(&app, whole).await)
    {
        assert_alike(one, other, question);
    }
    let record = async |user: Uuid| {
        results(
            &app.get(&format!("/api/sessions/?user_id={user}"))
                .await
                .expect(200),
        )[0]
        .clone()
    };
    let (one, other) = (record(grown).await, record(whole).await);
    for member in ["start_ts", "points", "first_time", "last_time", "series"] {
        assert_eq!(one[member], other[member], "{member}");
    }
    app.database.check_day_summaries().await;
    app.database.check_blocks().await;
}

async fn a_thousand_appends_are_one_session(backend: Backend) {
    assert_one_session(backend, &parts(1_000, 2)).await;
}

async fn appends_of_every_size_are_one_session(backend: Backend) {
    assert_one_session(backend, &parts(25, 700)).await;
}

/// At 1 Hz over midnight, one append per minute, occasionally with a late append.
async fn appends_of_a_steady_recording_are_one_session(backend: Backend) {
    let minute = |i: i64| {
        (0..60_i32)
            .map(|s| score_at(80_000 + i * 60 + i64::from(s), 60.0 + f64::from(s)))
            .collect()
    };
    let mut parts: Vec<Vec<Value>> = (0..150).map(minute).collect();
    for i in (10..140).step_by(13) {
        parts.swap(i, i + 7);
    }
    assert_one_session(backend, &parts).await;
}
