//! `fill`: the values of buckets without a point.

use serde_json::{Value, json};
use time_series_testkit::{Backend, TestApp};
use uuid::Uuid;

use crate::common::{SCORE, START, get_timeseries, point, results, score, store};
use crate::on_both_servers;
use crate::queries::support::{WORDS, assert_buckets, at, with_all_series};

on_both_servers![
    every_fill_mode_fills_empty_buckets,
    counts_of_filled_buckets_are_zero,
    texts_are_filled_with_the_previous_value_or_null,
    conditions_apply_before_filling,
    each_group_is_filled,
    linear_fill_interpolates_by_time,
];

pub(super) const DAY: i64 = 86_400;

fn days() -> Vec<String> {
    (0..31).map(|day| at(day * DAY)).collect()
}

/// Queries from one day of January to another, by day.
pub(super) async fn filled(
    app: &TestApp,
    user: Uuid,
    from: usize,
    to: usize,
    more: &[(&str, &str)],
) -> time_series_testkit::Response {
    let days = days();
    let parameters = [
        ("start_time", &*days[from - 1]),
        ("end_time", &*days[to - 1]),
        ("interval", "day"),
    ];
    get_timeseries(app, user, &[&parameters, more].concat()).await
}

#[track_caller]
pub(super) fn assert_days(
    response: &time_series_testkit::Response,
    series: &str,
    from: usize,
    values: &[Value],
) {
    let days = days();
    let rows: Vec<_> = days[from - 1..]
        .iter()
        .map(String::as_str)
        .zip(values.iter().cloned())
        .collect();
    assert_buckets(response, series, &rows);
}

/// Stores 10 on 2 January and 20 on 4 January.
pub(super) async fn two_days(backend: Backend) -> (TestApp, Uuid) {
    let app = TestApp::with(backend).start().await;
    with_all_series(&app).await;
    let user = Uuid::new_v4();
    let _ = store(
        &app,
        user,
        START,
        &[score(&at(DAY + 7), 10.0), score(&at(3 * DAY + 9), 20.0)],
    )
    .await;
    (app, user)
}

fn values(all: [Option<f64>; 6]) -> Vec<Value> {
    all.iter().map(|value| json!(value)).collect()
}

async fn every_fill_mode_fills_empty_buckets(backend: Backend) {
    let (app, user) = two_days(backend).await;
    let (ten, twenty) = (Some(10.0), Some(20.0));
    let cases = [
        ("null", [None, ten, None, twenty, None, None]),
        (
            "zero",
            [Some(0.0), ten, Some(0.0), twenty, Some(0.0), Some(0.0)],
        ),
        ("previous", [None, ten, ten, twenty, twenty, twenty]),
        ("linear", [None, ten, Some(15.0), twenty, None, None]),
    ];
    for (fill, expected) in cases {
        for function in ["avg", "max", "first", "median", "sum"] {
            let response =
                filled(&app, user, 1, 7, &[("fill", fill), ("agg_func", function)]).await;
            assert_days(&response, SCORE, 1, &values(expected));
        }
    }
    for none in [&[][..], &[("fill", "none")]] {
        let days = days();
        let rows = [(&*days[1], json!(10)), (&*days[3], json!(20))];
        assert_buckets(&filled(&app, user, 1, 7, none).await, SCORE, &rows);
    }
}

async fn counts_of_filled_buckets_are_zero(backend: Backend) {
    let (app, user) = two_days(backend).await;
    for fill in ["null", "zero", "previous", "linear"] {
        for function in ["count", "distinct"] {
            let response =
                filled(&app, user, 1, 7, &[("fill", fill), ("agg_func", function)]).await;
            assert_days(&response, SCORE, 1, &[0, 1, 0, 1, 0, 0].map(|n| json!(n)));
        }
    }
    let cell = |avg: Option<f64>, count: u64| json!({"avg": avg, "count": count});
    let response = filled(
        &app,
        user,
        2,
        6,
        &[("fill", "previous"), ("agg_func", "avg,count")],
    )
    .await;
    let expected = [
        cell(Some(10.0), 1),
        cell(Some(10.0), 0),
        cell(Some(20.0), 1),
        cell(Some(20.0), 0),
    ];
    assert_days(&response, SCORE, 2, &expected);
    let response = filled(
        &app,
        user,
        2,
        6,
        &[("fill", "linear"), ("agg_func", "avg,count")],
    )
    .await;
    let expected = [
        cell(Some(10.0), 1),
        cell(Some(15.0), 0),
        cell(Some(20.0), 1),
        cell(None, 0),
    ];
    assert_days(&response, SCORE, 2, &expected);
}

async fn texts_are_filled_with_the_previous_value_or_null(backend: Backend) {
    let (app, _) = two_days(backend).await;
    let user = Uuid::new_v4();
    let _ = store(
        &app,
        user,
        START,
        &[
            point(WORDS, START, &json!("x")),
            point(WORDS, &at(2 * DAY), &json!("y")),
        ],
    )
    .await;
    let (x, y, none) = (json!("x"), json!("y"), Value::Null);
    for (fill, second, fourth) in [
        ("null", &none, &none),
        ("zero", &none, &none),
        ("previous", &x, &y),
        ("linear", &none, &none),
    ] {
        let response = filled(&app, user, 1, 5, &[("fill", fill), ("agg_func", "last")]).await;
        assert_days(
            &response,
            WORDS,
            1,
            &[x.clone(), second.clone(), y.clone(), fourth.clone()],
        );
        let response = filled(
            &app,
            user,
            1,
            3,
            &[("fill", fill), ("agg_func", "mode,count")],
        )
        .await;
        let expected = [
            json!({"mode": "x", "count": 1}),
            json!({"mode": second, "count": 0}),
        ];
        assert_days(&response, WORDS, 1, &expected);
    }
}

async fn conditions_apply_before_filling(backend: Backend) {
    let (app, user) = two_days(backend).await;
    let parameters = [("fill", "previous"), ("where", "value<15")];
    let response = filled(&app, user, 2, 6, &parameters).await;
    assert_days(&response, SCORE, 2, &[10, 10, 10, 10].map(|n| json!(n)));
    let parameters = [
        ("fill", "previous"),
        ("where", "value>15"),
        ("fill_lookback", "7d"),
    ];
    let response = filled(&app, user, 3, 6, &parameters).await;
    assert_days(&response, SCORE, 3, &[Value::Null, json!(20), json!(20)]);
}

async fn each_group_is_filled(backend: Backend) {
    let (app, _) = two_days(backend).await;
    let user = Uuid::new_v4();
    let one = store(
        &app,
        user,
        START,
        &[score(&at(0), 1.0), score(&at(2 * DAY), 3.0)],
    )
    .await;
    let two = store(&app, user, START, &[score(&at(DAY), 7.0)]).await;
    let _ = store(&app, user, START, &[score(&at(5 * DAY), 9.0)]).await;
    let response = filled(
        &app,
        user,
        1,
        4,
        &[("fill", "previous"), ("group_by", "session")],
    )
    .await
    .expect(200);
    let rows = results(&response);
    let of = |id: Uuid| -> Vec<_> {
        let mine = rows.iter().filter(|row| row["session_id"] == json!(id));
        mine.map(|row| (row["bucket"].clone(), row["value"].as_f64()))
            .collect()
    };
    let days: Vec<_> = days()[..3].iter().map(|day| json!(day)).collect();
    let expected = |values: [Option<f64>; 3]| days.iter().cloned().zip(values).collect::<Vec<_>>();
    assert_eq!(
        of(one),
        expected([Some(1.0), Some(1.0), Some(3.0)]),
        "{}",
        response.text
    );
    assert_eq!(
        of(two),
        expected([None, Some(7.0), Some(7.0)]),
        "{}",
        response.text
    );
    assert_eq!(
        rows.len(),
        6,
        "the third session has no point in the range: {}",
        response.text
    );
}

async fn linear_fill_interpolates_by_time(backend: Backend) {
    let (app, _) = two_days(backend).await;
    let user = Uuid::new_v4();
    // The months have 31, 28 and 31 days: 1 January to 1 April is 90 days.
    let _ = store(&app, user, START, &[score(START, 0.0)]).await;
    let april = "2025-04-03T00:00:00Z";
    let _ = store(&app, user, april, &[score(april, 90.0)]).await;
    let parameters = [
        ("start_time", "2025-01-01"),
        ("end_time", "2025-05-01"),
        ("interval", "month"),
        ("fill", "linear"),
    ];
    let expected = [
        (START, json!(0)),
        ("2025-02-01T00:00:00Z", json!(31)),
        ("2025-03-01T00:00:00Z", json!(59)),
        ("2025-04-01T00:00:00Z", json!(90)),
    ];
    assert_buckets(
        &get_timeseries(&app, user, &parameters).await,
        SCORE,
        &expected,
    );
}
