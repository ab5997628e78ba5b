//! `time_avg`: a value is weighted by the time that it holds.

use serde_json::json;
use time_series_testkit::{Backend, TestApp};
use uuid::Uuid;

use crate::common::{COLOR, SCORE, START, get_timeseries, point, score, session, store};
use crate::on_both_servers;
use crate::queries::JANUARY;
use crate::queries::support::{assert_buckets, assert_results, at, get, january};

on_both_servers![
    a_value_holds_until_the_next,
    held_values_are_split_at_bucket_edges,
    a_bucket_that_a_held_value_spans_has_a_row,
    held_time_adds_up_over_buckets,
    rows_of_held_values_are_limited,
    without_duration_time_avg_is_the_mean,
    the_last_of_equal_times_is_held,
    held_values_end_with_their_session,
    the_range_applies_before_values_are_held,
    a_null_does_not_end_the_held_value,
    each_leaf_is_held_separately,
    days_of_23_hours,
    late_points_over_midnight_and_many_days_are_aggregated,
    groups_and_users,
];

const MINUTE: i64 = 60;

async fn with_scores(backend: Backend, points: &[(i64, f64)]) -> (TestApp, Uuid) {
    let app = TestApp::seeded(backend).await;
    let user = Uuid::new_v4();
    add(&app, user, points).await;
    (app, user)
}

/// A session with these values, each at a number of minutes after `START`.
async fn add(app: &TestApp, user: Uuid, points: &[(i64, f64)]) {
    let data: Vec<_> = points
        .iter()
        .map(|(minute, value)| score(&at(minute * MINUTE), *value))
        .collect();
    let _ = store(app, user, START, &data).await;
}

const HOUR: [(&str, &str); 2] = [("interval", "hour"), ("agg_func", "time_avg")];
const ONE: &str = "2025-01-01T01:00:00Z";

async fn a_value_holds_until_the_next(backend: Backend) {
    let (app, user) = with_scores(backend, &[(0, 10.0), (10, 20.0), (40, 0.0)]).await;
    // (10·10 + 20·30) / 40
    assert_buckets(
        &january(&app, user, &HOUR).await,
        SCORE,
        &[(START, json!(17.5))],
    );
    let both = [("interval", "hour"), ("agg_func", "avg,time_avg")];
    assert_buckets(
        &january(&app, user, &both).await,
        SCORE,
        &[(START, json!({"avg": 10, "time_avg": 17.5}))],
    );
}

async fn held_values_are_split_at_bucket_edges(backend: Backend) {
    let (app, user) = with_scores(backend, &[(50, 6.0), (70, 0.0), (90, 100.0)]).await;
    // 6 for ten minutes; then 6 for ten and 0 for twenty.
    assert_buckets(
        &january(&app, user, &HOUR).await,
        SCORE,
        &[(START, json!(6)), (ONE, json!(2))],
    );
    let all = [("interval", "all"), ("agg_func", "time_avg")];
    assert_buckets(
        &january(&app, user, &all).await,
        SCORE,
        &[(START, json!(3))],
    );
}

async fn a_bucket_that_a_held_value_spans_has_a_row(backend: Backend) {
    let (app, user) = with_scores(backend, &[(30, 5.0), (210, 7.0)]).await;
    // 5 holds into the fourth hour, whose only point is 7, and 7 holds for no time.
    let hours: Vec<String> = (0..4).map(|hour| at(hour * 3_600)).collect();
    let rows = |value: &serde_json::Value| {
        hours
            .iter()
            .map(|hour| (&**hour, value.clone()))
            .collect::<Vec<_>>()
    };
    assert_buckets(&january(&app, user, &HOUR).await, SCORE, &rows(&json!(5)));
    let both = [("interval", "hour"), ("agg_func", "time_avg,avg,count")];
    let mut expected = rows(&json!({"time_avg": 5, "avg": null, "count": 0}));
    expected[0].1 = json!({"time_avg": 5, "avg": 5, "count": 1});
    expected[3].1 = json!({"time_avg": 5, "avg": 7, "count": 1});
    assert_buckets(&january(&app, user, &both).await, SCORE, &expected);
    // The value is known there, so that nothing is filled.
    let end = at(4 * 3_600);
    for fill in ["null", "zero", "previous", "linear"] {
        let parameters = [
            &[("start_time", START), ("end_time", &*end), ("fill", fill)],
            &HOUR[..],
        ]
        .concat();
        assert_buckets(
            &get_timeseries(&app, user, &parameters).await,
            SCORE,
            &rows(&json!(5)),
        );
    }
}

async fn held_time_adds_up_over_buckets(backend: Backend) {
    let (app, user) = with_scores(backend, &[(0, 0.0), (30, 100.0), (150, 0.0)]).await;
    // 0 and 100 for half an hour each, 100, 100 for half an hour.
    let hour = |hour: i64| at(hour * 3_600);
    let (one, two) = (hour(1), hour(2));
    let expected = [(START, json!(50)), (&*one, json!(100)), (&*two, json!(100))];
    assert_buckets(&january(&app, user, &HOUR).await, SCORE, &expected);
    let all = [("interval", "all"), ("agg_func", "time_avg")];
    assert_buckets(
        &january(&app, user, &all).await,
        SCORE,
        &[(START, json!(80))],
    );
}

async fn rows_of_held_values_are_limited(backend: Backend) {
    let app = TestApp::with(backend).max_rows(1_000).start().await;
    app.seed().await;
    let user = Uuid::new_v4();
    add(&app, user, &[(0, 5.0), (30 * 1_440, 7.0)]).await;
    let response = january(&app, user, &[("interval", "1s"), ("agg_func", "time_avg")]).await;
    crate::common::assert_problem(&response, 422, "too_many_rows");
    let days = january(&app, user, &[("interval", "day"), ("agg_func", "time_avg")])
        .await
        .expect(200);
    assert_eq!(crate::queries::support::metadata(&days)["count"], 31);
}

async fn without_duration_time_avg_is_the_mean(backend: Backend) {
    let (app, user) = with_scores(backend, &[(0, 2.0), (0, 4.0), (0, 9.0)]).await;
    add(&app, user, &[(5, 1.0)]).await;
    // Each of these is the last point, or is followed at once.
    assert_buckets(
        &january(&app, user, &HOUR).await,
        SCORE,
        &[(START, json!(4))],
    );
    // On an edge: the held value fills the hour before.
    let (app, user) = with_scores(backend, &[(0, 3.0), (60, 8.0)]).await;
    assert_buckets(
        &january(&app, user, &HOUR).await,
        SCORE,
        &[(START, json!(3)), (ONE, json!(8))],
    );
}

async fn the_last_of_equal_times_is_held(backend: Backend) {
    let (app, user) = with_scores(backend, &[(0, 4.0), (0, 2.0), (10, 50.0)]).await;
    assert_buckets(
        &january(&app, user, &HOUR).await,
        SCORE,
        &[(START, json!(2))],
    );
}

async fn held_values_end_with_their_session(backend: Backend) {
    let (app, user) = with_scores(backend, &[(0, 10.0), (30, 0.0)]).await;
    add(&app, user, &[(20, 1.0), (50, 1.0)]).await;
    // 10 for thirty minutes in one, 1 for thirty in the other; neither ends the other.
    assert_buckets(
        &january(&app, user, &HOUR).await,
        SCORE,
        &[(START, json!(5.5))],
    );
    // A session of one point has no duration.
    add(&app, user, &[(25, 1_000.0)]).await;
    assert_buckets(
        &january(&app, user, &HOUR).await,
        SCORE,
        &[(START, json!(5.5))],
    );
}

async fn the_range_applies_before_values_are_held(backend: Backend) {
    let (app, user) = with_scores(backend, &[(0, 2.0), (10, 100.0), (40, 0.0), (50, 7.0)]).await;
    // (2·10 + 100·30 + 0·10) / 50
    assert_buckets(
        &january(&app, user, &HOUR).await,
        SCORE,
        &[(START, json!(60.4))],
    );
    let (five, end) = (at(5 * MINUTE), at(45 * MINUTE));
    let parameters = [&[("start_time", &*five), ("end_time", &*end)], &HOUR[..]].concat();
    assert_buckets(
        &get_timeseries(&app, user, &parameters).await,
        SCORE,
        &[(START, json!(100))],
    );
    let end = at(40 * MINUTE);
    let parameters = [&[("start_time", START), ("end_time", &*end)], &HOUR[..]].concat();
    // 100 is now the last value.
    assert_buckets(
        &get_timeseries(&app, user, &parameters).await,
        SCORE,
        &[(START, json!(2))],
    );
    let parameters = [&HOUR[..], &[("where", "value<50")]].concat();
    // (2·40 + 0·10) / 50
    assert_buckets(
        &january(&app, user, &parameters).await,
        SCORE,
        &[(START, json!(1.6))],
    );
}

async fn a_null_does_not_end_the_held_value(backend: Backend) {
    let app = TestApp::start(backend).await;
    app.metric_type("maybe", &json!({"type": ["number", "null"]}))
        .await;
    let user = Uuid::new_v4();
    let data = [
        (0, json!(1)),
        (10, json!(null)),
        (20, json!(4)),
        (30, json!(0)),
        (50, json!(null)),
    ];
    let data: Vec<_> = data
        .iter()
        .map(|(minute, value)| point("maybe", &at(minute * MINUTE), value))
        .collect();
    let _ = store(&app, user, START, &data).await;
    // (1·20 + 4·10) / 30
    assert_buckets(
        &january(&app, user, &HOUR).await,
        "maybe",
        &[(START, json!(2))],
    );
}

async fn each_leaf_is_held_separately(backend: Backend) {
    let app = TestApp::seeded(backend).await;
    let number = json!({"type": "number"});
    app.metric_type(
        "pair",
        &json!({"type": "object", "properties": {"a": number, "b": number}}),
    )
    .await;
    let user = Uuid::new_v4();
    let rgb = |minute: i64, r: i32, g: i32, b: i32| {
        point(
            COLOR,
            &at(minute * MINUTE),
            &json!({"r": r, "g": g, "b": b}),
        )
    };
    let pair = |minute: i64, value| point("pair", &at(minute * MINUTE), &value);
    let data = [
        rgb(0, 0, 90, 7),
        rgb(20, 30, 60, 7),
        rgb(30, 1, 1, 1),
        pair(0, json!({"a": 1, "b": 10})),
        pair(10, json!({"b": 20})),
        pair(30, json!({"a": 4})),
        pair(40, json!({"a": 0, "b": 0})),
    ];
    let _ = store(&app, user, START, &data).await;
    let row = |series: &str, value: serde_json::Value| json!({"bucket": START, "series": series, "value": value});
    // r (0·20 + 30·10) / 30, g (90·20 + 60·10) / 30;
    // a (1·30 + 4·10) / 40, b (10·10 + 20·30) / 40
    let expected = [
        row("pair", json!({"a": 1.75, "b": 17.5})),
        row(COLOR, json!({"r": 10, "g": 80, "b": 7})),
    ];
    assert_results(&january(&app, user, &HOUR).await, &expected);
}

async fn days_of_23_hours(backend: Backend) {
    let app = TestApp::seeded(backend).await;
    let user = Uuid::new_v4();
    let start = "2025-03-29T22:00:00Z";
    let data = [
        score(start, 10.0),
        score("2025-03-30T10:00:00Z", 4.0),
        score("2025-03-31T00:00:00Z", 0.0),
    ];
    let _ = store(&app, user, start, &data).await;
    let parameters = [
        ("start_time", "2025-03-29"),
        ("end_time", "2025-04-01"),
        ("tz", "Europe/Berlin"),
        ("interval", "day"),
        ("agg_func", "time_avg"),
    ];
    // On the short day, 10 for eleven hours and 4 for twelve.
    let expected = [
        ("2025-03-29T00:00:00+01:00", json!(10)),
        ("2025-03-30T00:00:00+01:00", json!(158.0 / 23.0)),
        ("2025-03-31T00:00:00+02:00", json!(4)),
    ];
    assert_buckets(
        &get_timeseries(&app, user, &parameters).await,
        SCORE,
        &expected,
    );
}

async fn late_points_over_midnight_and_many_days_are_aggregated(backend: Backend) {
    let day = 24 * 60;
    let (app, user) = with_scores(
        backend,
        &[
            (0, 1.0),
            (day / 2, 3.0),
            (10 * day, 50.0),
            (10 * day + 60, 0.0),
        ],
    )
    .await;
    let parameters = [("interval", "day"), ("agg_func", "time_avg")];
    // 1 and 3 for half a day each; then 3 holds through nine days, whose buckets have no point.
    let days: Vec<String> = (0..11).map(|day| at(day * 86_400)).collect();
    let value = |day: usize| {
        json!(match day {
            0 => 2,
            10 => 50,
            _ => 3,
        })
    };
    let expected: Vec<_> = days
        .iter()
        .enumerate()
        .map(|(place, day)| (&**day, value(place)))
        .collect();
    assert_buckets(&january(&app, user, &parameters).await, SCORE, &expected);
    let parameters = [("interval", "month"), ("agg_func", "time_avg")];
    let hours = 12.0 + 9.5 * 24.0 + 1.0;
    let all = (12.0 + 3.0 * 9.5 * 24.0 + 50.0) / hours;
    assert_buckets(
        &january(&app, user, &parameters).await,
        SCORE,
        &[(START, json!(all))],
    );
}

async fn groups_and_users(backend: Backend) {
    let app = TestApp::seeded(backend).await;
    let (one, two) = (
        Uuid::from_u128(0x1111 << 112),
        Uuid::from_u128(0xeeee << 112),
    );
    // The same id under two users: two sessions.
    let id = Uuid::new_v4();
    for (user, value) in [(one, 2.0), (two, 8.0)] {
        let data = [
            score(&at(0), value),
            score(&at(30 * MINUTE), 0.0),
            score(&at(40 * MINUTE), 5.0),
        ];
        let _ = app
            .post("/api/sessions/", &session(user, id, START, &data))
            .await
            .expect(201);
    }
    let users = format!("{one},{two}");
    let base = [&[("user_id", &*users)], &JANUARY[..], &HOUR].concat();
    let path = "/api/timeseries/";
    assert_buckets(
        &get(&app, path, &base).await,
        SCORE,
        &[(START, json!(3.75))],
    );
    let row = |user: Uuid, value: f64| json!({"bucket": START, "series": SCORE, "user_id": user, "value": value});
    let parameters = [base.as_slice(), &[("group_by", "user")]].concat();
    assert_results(
        &get(&app, path, &parameters).await,
        &[row(one, 1.5), row(two, 6.0)],
    );
    let parameters = [base.as_slice(), &[("over", "max")]].concat();
    assert_buckets(
        &get(&app, path, &parameters).await,
        SCORE,
        &[(START, json!(6))],
    );
}
