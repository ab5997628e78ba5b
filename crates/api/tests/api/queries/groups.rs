//! `group_by`: one row per session or user.

use serde_json::{Value, json};
use time_series_testkit::{Backend, TestApp};
use uuid::Uuid;

use crate::common::{COLOR, NOTE, SCORE, START, get_timeseries, point, score, session};
use crate::on_both_servers;
use crate::queries::JANUARY;
use crate::queries::support::{assert_results, at, get, january, with_all_series};

on_both_servers![
    group_by_session_without_interval_has_one_row_per_session,
    group_by_session_has_one_row_per_session_and_bucket,
    rows_are_ordered_by_series_bucket_user_and_session,
    a_range_cuts_sessions,
    sessions_of_one_id_are_two_under_two_users,
    group_by_user_has_one_row_per_user_and_bucket,
    without_group_by_users_are_merged,
    text_series_can_be_grouped,
];

fn low() -> Uuid {
    Uuid::from_u128(0x1111 << 112)
}

fn high() -> Uuid {
    Uuid::from_u128(0xeeee << 112)
}

fn row(bucket: &str, series: &str, user: Uuid, id: Uuid, value: &Value) -> Value {
    json!({"bucket": bucket, "series": series, "user_id": user, "session_id": id, "value": value})
}

async fn put(app: &TestApp, user: Uuid, id: Uuid, data: &[Value]) {
    let _ = app
        .post("/api/sessions/", &session(user, id, START, data))
        .await
        .expect(201);
}

/// Stores two sessions, the one with the higher id first: 1 and 3 on the first day and 5 on the
/// second; 10 on the second.
async fn two_sessions(backend: Backend) -> (TestApp, Uuid) {
    let app = TestApp::with(backend).start().await;
    with_all_series(&app).await;
    let user = Uuid::new_v4();
    put(&app, user, high(), &[score(&at(86_400), 10.0)]).await;
    put(
        &app,
        user,
        low(),
        &[
            score(&at(0), 1.0),
            score(&at(60), 3.0),
            score(&at(86_400), 5.0),
        ],
    )
    .await;
    (app, user)
}

async fn group_by_session_without_interval_has_one_row_per_session(backend: Backend) {
    let (app, user) = two_sessions(backend).await;
    let expected = [
        row(START, SCORE, user, low(), &json!(3)),
        row(START, SCORE, user, high(), &json!(10)),
    ];
    assert_results(
        &january(&app, user, &[("group_by", "session")]).await,
        &expected,
    );
    assert_results(
        &january(&app, user, &[("group_by", "session"), ("interval", "all")]).await,
        &expected,
    );
    let range = [
        ("start_time", "2025-01-01T00:00:30Z"),
        ("end_time", "2025-02-01"),
        ("group_by", "session"),
    ];
    let late = "2025-01-01T00:00:30Z";
    let expected = [
        row(late, SCORE, user, low(), &json!(4)),
        row(late, SCORE, user, high(), &json!(10)),
    ];
    assert_results(&get_timeseries(&app, user, &range).await, &expected);
}

async fn group_by_session_has_one_row_per_session_and_bucket(backend: Backend) {
    let (app, user) = two_sessions(backend).await;
    let parameters = [
        ("group_by", "session"),
        ("interval", "day"),
        ("agg_func", "sum,count"),
    ];
    let next = "2025-01-02T00:00:00Z";
    let expected = [
        row(START, SCORE, user, low(), &json!({"sum": 4, "count": 2})),
        row(next, SCORE, user, low(), &json!({"sum": 5, "count": 1})),
        row(next, SCORE, user, high(), &json!({"sum": 10, "count": 1})),
    ];
    assert_results(&january(&app, user, &parameters).await, &expected);
}

async fn rows_are_ordered_by_series_bucket_user_and_session(backend: Backend) {
    let app = TestApp::seeded(backend).await;
    let rgb = json!({"r": 1, "g": 1, "b": 1});
    let mut data = Vec::new();
    for day in 0..2 {
        data.push(score(&at(day * 86_400), 1.0));
        data.push(point(COLOR, &at(day * 86_400), &rgb));
    }
    // Users and sessions have the same numbers; all are stored in reverse order.
    for (user, id) in [
        (high(), high()),
        (high(), low()),
        (low(), high()),
        (low(), low()),
    ] {
        put(&app, user, id, &data).await;
    }
    let mut expected = Vec::new();
    for (series, value) in [(SCORE, json!(1)), (COLOR, rgb)] {
        for bucket in [START, "2025-01-02T00:00:00Z"] {
            for user in [low(), high()] {
                for id in [low(), high()] {
                    expected.push(row(bucket, series, user, id, &value));
                }
            }
        }
    }
    let users = format!("{},{}", high(), low());
    let parameters = [
        &[
            ("user_id", &*users),
            ("group_by", "session"),
            ("interval", "day"),
        ],
        &JANUARY[..],
    ]
    .concat();
    assert_results(&get(&app, "/api/timeseries/", &parameters).await, &expected);
}

async fn a_range_cuts_sessions(backend: Backend) {
    let (app, user) = two_sessions(backend).await;
    let parameters = [
        ("start_time", "2025-01-01"),
        ("end_time", "2025-01-02"),
        ("group_by", "session"),
    ];
    assert_results(
        &get_timeseries(&app, user, &parameters).await,
        &[row(START, SCORE, user, low(), &json!(2))],
    );
    let parameters = [("group_by", "session"), ("where", "value>5")];
    assert_results(
        &january(&app, user, &parameters).await,
        &[row(START, SCORE, user, high(), &json!(10))],
    );
    let parameters = [
        ("group_by", "session"),
        ("session_id", &*high().to_string()),
    ];
    assert_results(
        &january(&app, user, &parameters).await,
        &[row(START, SCORE, user, high(), &json!(10))],
    );
}

async fn sessions_of_one_id_are_two_under_two_users(backend: Backend) {
    let app = TestApp::seeded(backend).await;
    put(&app, low(), low(), &[score(START, 1.0)]).await;
    put(&app, high(), low(), &[score(START, 2.0)]).await;
    let users = format!("{},{}", low(), high());
    let parameters = [
        &[("user_id", &*users), ("group_by", "session")],
        &JANUARY[..],
    ]
    .concat();
    let expected = [
        row(START, SCORE, low(), low(), &json!(1)),
        row(START, SCORE, high(), low(), &json!(2)),
    ];
    assert_results(&get(&app, "/api/timeseries/", &parameters).await, &expected);
}

async fn group_by_user_has_one_row_per_user_and_bucket(backend: Backend) {
    let app = TestApp::seeded(backend).await;
    put(
        &app,
        high(),
        Uuid::new_v4(),
        &[score(&at(0), 10.0), score(&at(86_400), 20.0)],
    )
    .await;
    put(&app, low(), Uuid::new_v4(), &[score(&at(0), 1.0)]).await;
    put(&app, low(), Uuid::new_v4(), &[score(&at(0), 4.0)]).await;
    let row = |bucket: &str, user: Uuid, value: f64| {
        json!({
            "bucket": bucket, "series": SCORE, "user_id": user, "value": value
        })
    };
    let users = format!("{},{}", high(), low());
    let parameters = [
        &[
            ("user_id", &*users),
            ("group_by", "user"),
            ("interval", "day"),
        ],
        &JANUARY[..],
    ]
    .concat();
    let expected = [
        row(START, low(), 2.5),
        row(START, high(), 10.0),
        row("2025-01-02T00:00:00Z", high(), 20.0),
    ];
    assert_results(&get(&app, "/api/timeseries/", &parameters).await, &expected);
    let parameters = [("group_by", "user"), ("interval", "month")];
    assert_results(
        &january(&app, high(), &parameters).await,
        &[row(START, high(), 15.0)],
    );
}

async fn without_group_by_users_are_merged(backend: Backend) {
    let app = TestApp::seeded(backend).await;
    put(&app, high(), Uuid::new_v4(), &[score(&at(0), 10.0)]).await;
    put(
        &app,
        low(),
        Uuid::new_v4(),
        &[score(&at(0), 1.0), score(&at(1), 1.0)],
    )
    .await;
    let users = format!("{},{}", high(), low());
    let parameters = [
        &[
            ("user_id", &*users),
            ("interval", "day"),
            ("agg_func", "avg,mode"),
        ],
        &JANUARY[..],
    ]
    .concat();
    let merged = json!({"bucket": START, "series": SCORE, "value": {"avg": 4, "mode": 1}});
    assert_results(&get(&app, "/api/timeseries/", &parameters).await, &[merged]);
}

async fn text_series_can_be_grouped(backend: Backend) {
    let app = TestApp::with(backend).start().await;
    with_all_series(&app).await;
    let user = Uuid::new_v4();
    let note = |seconds: i64, text: &str| point(NOTE, &at(seconds), &json!({"value": text}));
    put(
        &app,
        user,
        high(),
        &[note(0, "b"), note(1, "a"), note(2, "b")],
    )
    .await;
    put(&app, user, low(), &[note(5, "c"), note(4, "d")]).await;
    let parameters = [
        ("group_by", "session"),
        ("agg_func", "first,last,count,mode,distinct"),
    ];
    let low_value = json!({"first": "d", "last": "c", "count": 2, "mode": "c", "distinct": 2});
    let high_value = json!({"first": "b", "last": "b", "count": 3, "mode": "b", "distinct": 2});
    let expected = [
        row(START, NOTE, user, low(), &low_value),
        row(START, NOTE, user, high(), &high_value),
    ];
    assert_results(&january(&app, user, &parameters).await, &expected);
}
