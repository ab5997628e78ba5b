//! `over`: functions across sessions or users.

use serde_json::json;
use time_series_testkit::{Backend, TestApp};
use uuid::Uuid;

use crate::common::{COLOR, SCORE, START, get_timeseries, point, score, store};
use crate::on_both_servers;
use crate::queries::JANUARY;
use crate::queries::support::{assert_buckets, assert_results, at, get, january};

on_both_servers![
    the_median_of_sessions_by_week,
    a_session_belongs_to_the_bucket_of_its_first_point,
    a_series_belongs_to_the_bucket_of_its_own_first_point,
    a_first_point_that_is_null_counts,
    functions_nest_inside_each_other,
    first_and_last_order_sessions_by_their_first_points,
    nulls_do_not_count,
    across_users_by_bucket,
    across_sessions_by_offset,
    each_leaf_is_aggregated_separately,
];

const WEEK: &str = "2025-01-06T00:00:00Z";
const NEXT_WEEK: &str = "2025-01-13T00:00:00Z";

/// Seconds from `START` to an hour of a day of January.
fn january_at(day: i64, hour: i64) -> i64 {
    (day - 1) * 86_400 + hour * 3_600
}

/// Sessions with the averages 2, 10 and 6 (which reaches into the next week) in one week,
/// 100 in the next.
async fn four_sessions(backend: Backend) -> (TestApp, Uuid) {
    let app = TestApp::seeded(backend).await;
    let user = Uuid::new_v4();
    let sessions: [&[(i64, i64, f64)]; 4] = [
        &[(6, 1, 1.0), (6, 2, 3.0)],
        &[(7, 1, 10.0)],
        &[(12, 23, 4.0), (13, 1, 8.0)],
        &[(14, 1, 100.0)],
    ];
    for points in sessions {
        let data: Vec<_> = points
            .iter()
            .map(|(day, hour, v)| score(&at(january_at(*day, *hour)), *v))
            .collect();
        let _ = store(&app, user, &at(january_at(points[0].0, 0)), &data).await;
    }
    (app, user)
}

async fn the_median_of_sessions_by_week(backend: Backend) {
    let (app, user) = four_sessions(backend).await;
    let expected = [(WEEK, json!(6)), (NEXT_WEEK, json!(100))];
    assert_buckets(
        &january(&app, user, &[("over", "median")]).await,
        SCORE,
        &expected,
    );
    let same = [
        ("over", "median"),
        ("interval", "week"),
        ("group_by", "session"),
        ("agg_func", "avg"),
    ];
    assert_buckets(&january(&app, user, &same).await, SCORE, &expected);
    let month = [("over", "median"), ("interval", "month")];
    assert_buckets(
        &january(&app, user, &month).await,
        SCORE,
        &[(START, json!(8))],
    );
    for (over, value) in [
        ("count", 4.0),
        ("max", 100.0),
        ("avg", 29.5),
        ("p75", 32.5),
        ("range", 98.0),
        ("sum", 118.0),
    ] {
        let parameters = [("over", over), ("interval", "month")];
        assert_buckets(
            &january(&app, user, &parameters).await,
            SCORE,
            &[(START, json!(value))],
        );
    }
}

async fn a_session_belongs_to_the_bucket_of_its_first_point(backend: Backend) {
    let (app, user) = four_sessions(backend).await;
    // The range keeps only the 8 of the third session, which is in the second week.
    let parameters = [
        ("start_time", "2025-01-13"),
        ("end_time", "2025-02-01"),
        ("over", "median"),
    ];
    assert_buckets(
        &get_timeseries(&app, user, &parameters).await,
        SCORE,
        &[(NEXT_WEEK, json!(54))],
    );
    // A condition has the same effect.
    let parameters = [("over", "median"), ("where", "value>=8")];
    assert_buckets(
        &january(&app, user, &parameters).await,
        SCORE,
        &[(WEEK, json!(10)), (NEXT_WEEK, json!(54))],
    );
    let parameters = [("over", "count"), ("interval", "day")];
    let day = |day: i64| at(january_at(day, 0));
    let (one, two, three, four) = (day(6), day(7), day(12), day(14));
    let expected = [
        (&*one, json!(1)),
        (&*two, json!(1)),
        (&*three, json!(1)),
        (&*four, json!(1)),
    ];
    assert_buckets(&january(&app, user, &parameters).await, SCORE, &expected);
    // Berlin is an hour ahead: there the third session starts on the 13th.
    let parameters = [("over", "median"), ("tz", "Europe/Berlin")];
    let expected = [
        ("2025-01-06T00:00:00+01:00", json!(6)),
        ("2025-01-13T00:00:00+01:00", json!(53)),
    ];
    assert_buckets(&january(&app, user, &parameters).await, SCORE, &expected);
}

async fn a_series_belongs_to_the_bucket_of_its_own_first_point(backend: Backend) {
    let app = TestApp::seeded(backend).await;
    let user = Uuid::new_v4();
    let rgb = json!({"r": 1, "g": 2, "b": 3});
    let data = [
        point(COLOR, &at(january_at(12, 23)), &rgb),
        score(&at(january_at(13, 0)), 5.0),
    ];
    let _ = store(&app, user, &at(january_at(12, 0)), &data).await;
    let row = |bucket: &str, series: &str, value: &serde_json::Value| {
        json!({
            "bucket": bucket, "series": series, "value": value
        })
    };
    let expected = [row(NEXT_WEEK, SCORE, &json!(5)), row(WEEK, COLOR, &rgb)];
    assert_results(&january(&app, user, &[("over", "avg")]).await, &expected);
}

async fn a_first_point_that_is_null_counts(backend: Backend) {
    let app = TestApp::start(backend).await;
    app.metric_type("maybe", &json!({"type": ["number", "null"]}))
        .await;
    let user = Uuid::new_v4();
    let data = [
        point("maybe", &at(january_at(12, 0)), &json!(null)),
        point("maybe", &at(january_at(13, 0)), &json!(7)),
    ];
    let _ = store(&app, user, &at(january_at(12, 0)), &data).await;
    let parameters = [("over", "max"), ("agg_func", "avg")];
    assert_buckets(
        &january(&app, user, &parameters).await,
        "maybe",
        &[(WEEK, json!(7))],
    );
    // A point that `where` removes is not counted.
    let parameters = [parameters.as_slice(), &[("where", "value>0")]].concat();
    assert_buckets(
        &january(&app, user, &parameters).await,
        "maybe",
        &[(NEXT_WEEK, json!(7))],
    );
}

async fn functions_nest_inside_each_other(backend: Backend) {
    let (app, user) = four_sessions(backend).await;
    let parameters = [
        ("agg_func", "max,count"),
        ("over", "min,median"),
        ("interval", "month"),
    ];
    // Maxima 3, 10, 8, 100; counts 2, 1, 2, 1.
    let value = json!({"max": {"min": 3, "median": 9}, "count": {"min": 1, "median": 1.5}});
    assert_buckets(
        &january(&app, user, &parameters).await,
        SCORE,
        &[(START, value)],
    );
    let parameters = [
        ("agg_func", "max,count"),
        ("over", "sum"),
        ("interval", "month"),
    ];
    let response = january(&app, user, &parameters).await;
    assert_buckets(
        &response,
        SCORE,
        &[(START, json!({"max": 121, "count": 6}))],
    );
    let parameters = [
        ("agg_func", "max"),
        ("over", "sum,count"),
        ("interval", "month"),
    ];
    let response = january(&app, user, &parameters).await;
    assert_buckets(
        &response,
        SCORE,
        &[(START, json!({"sum": 121, "count": 4}))],
    );
}

async fn first_and_last_order_sessions_by_their_first_points(backend: Backend) {
    let app = TestApp::seeded(backend).await;
    let user = Uuid::new_v4();
    // Stored in another order; the session that starts first ends last.
    for (from, to, value) in [(10, 20, 5.0), (1, 99, 7.0), (30, 31, 3.0)] {
        let _ = store(
            &app,
            user,
            START,
            &[score(&at(from), value), score(&at(to), value)],
        )
        .await;
    }
    let parameters = [("over", "first,last"), ("interval", "month")];
    assert_buckets(
        &january(&app, user, &parameters).await,
        SCORE,
        &[(START, json!({"first": 7, "last": 3}))],
    );
}

async fn nulls_do_not_count(backend: Backend) {
    let (app, user) = four_sessions(backend).await;
    // Deviations of the first and third session; the others have one value.
    let parameters = [
        ("agg_func", "stddev"),
        ("over", "count,sum"),
        ("interval", "month"),
    ];
    let expected = json!({"count": 2, "sum": 3.0 * 2.0_f64.sqrt()});
    assert_buckets(
        &january(&app, user, &parameters).await,
        SCORE,
        &[(START, expected)],
    );
}

async fn across_users_by_bucket(backend: Backend) {
    let app = TestApp::seeded(backend).await;
    let users = [Uuid::new_v4(), Uuid::new_v4(), Uuid::new_v4()];
    for (user, (first, second)) in users.iter().zip([(2.0, 1.0), (4.0, 3.0), (9.0, 5.0)]) {
        // Two sessions per user: the result counts users, not sessions.
        let _ = store(&app, *user, WEEK, &[score(WEEK, first - 1.0)]).await;
        let _ = store(
            &app,
            *user,
            WEEK,
            &[score(WEEK, first + 1.0), score(NEXT_WEEK, second)],
        )
        .await;
    }
    let ids = users.map(|user| user.to_string()).join(",");
    let base = [
        &[
            ("user_id", &*ids),
            ("group_by", "user"),
            ("interval", "week"),
        ],
        &JANUARY[..],
    ]
    .concat();
    let path = "/api/timeseries/";
    let parameters = [base.as_slice(), &[("over", "median")]].concat();
    assert_buckets(
        &get(&app, path, &parameters).await,
        SCORE,
        &[(WEEK, json!(4)), (NEXT_WEEK, json!(3))],
    );
    let parameters = [
        base.as_slice(),
        &[("over", "sum,count"), ("agg_func", "count")],
    ]
    .concat();
    let expected = [
        (WEEK, json!({"sum": 6, "count": 3})),
        (NEXT_WEEK, json!({"sum": 3, "count": 3})),
    ];
    assert_buckets(&get(&app, path, &parameters).await, SCORE, &expected);
    // Of equal first times the least value is first and the greatest last.
    let parameters = [base.as_slice(), &[("over", "first,last")]].concat();
    let expected = [
        (WEEK, json!({"first": 2, "last": 9})),
        (NEXT_WEEK, json!({"first": 1, "last": 5})),
    ];
    assert_buckets(&get(&app, path, &parameters).await, SCORE, &expected);
    // Across the users' sessions the count is six.
    let parameters = [&base[..1], &base[2..], &[("over", "count")]].concat();
    assert_buckets(
        &get(&app, path, &parameters).await,
        SCORE,
        &[(WEEK, json!(6))],
    );
}

async fn across_sessions_by_offset(backend: Backend) {
    let app = TestApp::seeded(backend).await;
    let user = Uuid::new_v4();
    // Pairs (offset, value) of sessions that start on different days.
    let sessions: [&[(i64, f64)]; 3] = [
        &[(0, 1.0), (10, 3.0), (300, 50.0)],
        &[(60, 8.0)],
        &[(200, 5.0), (301, 70.0)],
    ];
    for (day, points) in (1..).zip(sessions) {
        let start = january_at(day, 7);
        let data: Vec<_> = points
            .iter()
            .map(|(offset, value)| score(&at(start + offset), *value))
            .collect();
        let _ = store(&app, user, &at(start), &data).await;
    }
    let parameters = [("align", "session"), ("interval", "5m"), ("over", "median")];
    // By session: averages 2, 8, 5; then 50, 70.
    assert_buckets(
        &january(&app, user, &parameters).await,
        SCORE,
        &[("PT0S", json!(5)), ("PT5M", json!(60))],
    );
    let parameters = [("align", "session"), ("interval", "5m")];
    assert_buckets(
        &january(&app, user, &parameters).await,
        SCORE,
        &[("PT0S", json!(4.25)), ("PT5M", json!(60))],
    );
    let parameters = [
        ("align", "session"),
        ("interval", "5m"),
        ("over", "count,max"),
    ];
    let expected = [
        ("PT0S", json!({"count": 3, "max": 8})),
        ("PT5M", json!({"count": 2, "max": 70})),
    ];
    assert_buckets(&january(&app, user, &parameters).await, SCORE, &expected);
}

async fn each_leaf_is_aggregated_separately(backend: Backend) {
    let app = TestApp::seeded(backend).await;
    let user = Uuid::new_v4();
    for (r, g, b) in [(1, 9, 4), (2, 5, 4), (30, 1, 7)] {
        let _ = store(
            &app,
            user,
            WEEK,
            &[point(COLOR, WEEK, &json!({"r": r, "g": g, "b": b}))],
        )
        .await;
    }
    let parameters = [("over", "median")];
    assert_buckets(
        &january(&app, user, &parameters).await,
        COLOR,
        &[(WEEK, json!({"r": 2, "g": 5, "b": 4}))],
    );
    let parameters = [("over", "max,count"), ("agg_func", "sum,min")];
    let (max, count) = (
        json!({"r": 30, "g": 9, "b": 7}),
        json!({"r": 3, "g": 3, "b": 3}),
    );
    let each = json!({"max": max, "count": count});
    assert_buckets(
        &january(&app, user, &parameters).await,
        COLOR,
        &[(WEEK, json!({"sum": each, "min": each}))],
    );
}
