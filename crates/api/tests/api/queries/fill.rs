//! `fill`: the values of buckets without a point.

use serde_json::{Value, json};
use time_series_testkit::{Backend, TestApp};
use uuid::Uuid;

use crate::common::{COLOR, SCORE, START, get_timeseries, point, results, score, store};
use crate::on_both_servers;
use crate::queries::support::{WORDS, assert_buckets, at, metadata, with_all_series};

on_both_servers![
    every_fill_mode_fills_empty_buckets,
    counts_of_filled_buckets_are_zero,
    every_leaf_is_filled,
    each_leaf_is_filled_separately,
    rows_that_lack_a_leaf_are_filled_in_every_format,
    texts_are_filled_with_the_previous_value_or_null,
    values_before_the_range_fill_its_start,
    the_lookback_includes_the_first_bucket_before_the_range,
    series_without_points_stay_absent,
    conditions_apply_before_filling,
    each_group_is_filled,
    linear_fill_interpolates_by_time,
];

const DAY: i64 = 86_400;

fn days() -> Vec<String> {
    (0..31).map(|day| at(day * DAY)).collect()
}

/// Queries from one day of January to another, by day.
async fn filled(
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
fn assert_days(
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
async fn two_days(backend: Backend) -> (TestApp, Uuid) {
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

async fn every_leaf_is_filled(backend: Backend) {
    let (app, _) = two_days(backend).await;
    let user = Uuid::new_v4();
    let rgb = |r: f64, g: f64, b: f64| json!({"r": r, "g": g, "b": b});
    let data = [
        point(COLOR, START, &rgb(0.0, 10.0, 100.0)),
        point(COLOR, &at(2 * DAY), &rgb(1.0, 20.0, 50.0)),
    ];
    let _ = store(&app, user, START, &data).await;
    let first = rgb(0.0, 10.0, 100.0);
    let cases = [
        ("null", json!({"r": null, "g": null, "b": null})),
        ("zero", rgb(0.0, 0.0, 0.0)),
        ("previous", first.clone()),
        ("linear", rgb(0.5, 15.0, 75.0)),
    ];
    for (fill, second) in cases {
        let response = filled(&app, user, 1, 4, &[("fill", fill)]).await;
        assert_days(
            &response,
            COLOR,
            1,
            &[first.clone(), second.clone(), rgb(1.0, 20.0, 50.0)],
        );
        let response = filled(
            &app,
            user,
            1,
            3,
            &[("fill", fill), ("agg_func", "max,count"), ("shape", "flat")],
        )
        .await;
        let counts: Vec<_> = results(&response)[3..]
            .iter()
            .map(|row| row["count"].clone())
            .collect();
        assert_eq!(
            counts,
            [0, 0, 0],
            "{fill}: one row per leaf: {}",
            response.text
        );
    }
}

/// Stores `{a, b}` on 1 January and b on 3 January; checks the rows of 2, 3 and 4 January.
async fn each_leaf_is_filled_separately(backend: Backend) {
    let app = TestApp::start(backend).await;
    let number = json!({"type": ["number", "null"]});
    app.metric_type(
        "pair",
        &json!({"type": "object", "properties": {"a": number, "b": number}}),
    )
    .await;
    let user = Uuid::new_v4();
    let (both, one) = (json!({"a": 1, "b": 2}), json!({"a": null, "b": 6}));
    let _ = store(
        &app,
        user,
        START,
        &[
            point("pair", START, &both),
            point("pair", &at(2 * DAY), &one),
        ],
    )
    .await;
    let pair = |a: Option<i64>, b: Option<i64>| json!({"a": a, "b": b});
    let cases = [
        (
            "null",
            [
                both.clone(),
                pair(None, None),
                pair(None, Some(6)),
                pair(None, None),
            ],
        ),
        (
            "zero",
            [
                both.clone(),
                pair(Some(0), Some(0)),
                pair(Some(0), Some(6)),
                pair(Some(0), Some(0)),
            ],
        ),
        (
            "previous",
            [
                both.clone(),
                both.clone(),
                pair(Some(1), Some(6)),
                pair(Some(1), Some(6)),
            ],
        ),
        (
            "linear",
            [
                both.clone(),
                pair(None, Some(4)),
                pair(None, Some(6)),
                pair(None, None),
            ],
        ),
    ];
    for (fill, expected) in &cases {
        assert_days(
            &filled(&app, user, 1, 5, &[("fill", fill)]).await,
            "pair",
            1,
            expected,
        );
    }
    let none = filled(&app, user, 1, 5, &[]).await;
    assert_buckets(
        &none,
        "pair",
        &[(START, both.clone()), (&at(2 * DAY), json!({"b": 6}))],
    );
    // A leaf without a bucket in the range is absent, like a series without a point.
    let b = |n: Option<i64>| json!({"b": n});
    let response = filled(&app, user, 2, 5, &[("fill", "linear")]).await;
    assert_days(&response, "pair", 2, &[b(None), b(Some(6)), b(None)]);
    // A leaf is known from before the range, even if the series' last bucket there lacks it.
    let response = filled(
        &app,
        user,
        4,
        6,
        &[("fill", "previous"), ("fill_lookback", "7d")],
    )
    .await;
    assert_days(
        &response,
        "pair",
        4,
        &[pair(Some(1), Some(6)), pair(Some(1), Some(6))],
    );
}

/// Stores the leaves a and b at 10:00, b at 10:10, both at 10:30; queries by ten minutes.
async fn rows_that_lack_a_leaf_are_filled_in_every_format(backend: Backend) {
    let app = TestApp::start(backend).await;
    let number = json!({"type": ["number", "null"]});
    app.metric_type(
        "pair",
        &json!({"type": "object", "properties": {"a": number, "b": number}}),
    )
    .await;
    let user = Uuid::new_v4();
    let time = |minute: i64| at(36_000 + 60 * minute);
    let data = [
        point("pair", &time(0), &json!({"a": 1, "b": 1})),
        point("pair", &time(10), &json!({"b": 5})),
        point("pair", &time(30), &json!({"a": 7, "b": 7})),
    ];
    let _ = store(&app, user, START, &data).await;
    let (from, to) = (time(0), time(40));
    let parameters = [
        ("start_time", &*from),
        ("end_time", &*to),
        ("interval", "10m"),
    ];
    let cases = [
        ("linear", json!([1, 3, 5, 7]), json!([1, 5, 6, 7])),
        ("previous", json!([1, 1, 1, 7]), json!([1, 5, 5, 7])),
        ("null", json!([1, null, null, 7]), json!([1, 5, null, 7])),
        ("zero", json!([1, 0, 0, 7]), json!([1, 5, 0, 7])),
    ];
    let shapes: [&[(&str, &str)]; 3] = [&[], &[("group_by", "session")], &[("align", "session")]];
    for (fill, a, b) in &cases {
        for more in shapes {
            let parameters = [&parameters, more, &[("fill", *fill)]].concat();
            let response = get_timeseries(&app, user, &parameters).await.expect(200);
            let of = |leaf: &str| -> Vec<Option<f64>> {
                results(&response)
                    .iter()
                    .map(|row| row["value"][leaf].as_f64())
                    .collect()
            };
            let wanted = |all: &Value| -> Vec<Option<f64>> {
                all.as_array()
                    .expect("a list")
                    .iter()
                    .map(Value::as_f64)
                    .collect()
            };
            assert_eq!(
                (of("a"), of("b")),
                (wanted(a), wanted(b)),
                "{fill} {parameters:?}: {}",
                response.text
            );
            let columns = get_timeseries(
                &app,
                user,
                &[parameters.as_slice(), &[("layout", "columns")]].concat(),
            )
            .await
            .expect(200);
            let traces = results(&columns);
            let numbers = |trace: &Value| -> Vec<Option<f64>> { wanted(&trace["value"]) };
            assert_eq!(
                traces.iter().map(numbers).collect::<Vec<_>>(),
                [wanted(a), wanted(b)],
                "{}",
                columns.text
            );
            let flat = get_timeseries(
                &app,
                user,
                &[parameters.as_slice(), &[("shape", "flat")]].concat(),
            )
            .await
            .expect(200);
            assert_eq!(
                results(&flat).len(),
                8,
                "one row per bucket and leaf: {}",
                flat.text
            );
        }
        let counted = [
            parameters.as_slice(),
            &[("fill", fill), ("agg_func", "count")],
        ]
        .concat();
        let counts = get_timeseries(&app, user, &counted).await.expect(200);
        let counts: Vec<_> = results(&counts)
            .iter()
            .map(|row| row["value"]["a"].clone())
            .collect();
        assert_eq!(counts, [1, 0, 0, 1], "{fill}");
    }
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

async fn values_before_the_range_fill_its_start(backend: Backend) {
    let (app, _) = two_days(backend).await;
    let user = Uuid::new_v4();
    // Two points on 5 January: the value of the bucket is carried, not the last point.
    let data = [
        score(&at(4 * DAY), 4.0),
        score(&at(4 * DAY + 1), 10.0),
        score(&at(11 * DAY + 5), 14.0),
    ];
    let _ = store(&app, user, START, &data).await;
    let floats = |all: &[f64]| all.iter().map(|value| json!(value)).collect::<Vec<_>>();
    let known = [("fill", "previous"), ("fill_lookback", "7d")];
    assert_days(
        &filled(&app, user, 10, 14, &known).await,
        SCORE,
        10,
        &floats(&[7.0, 7.0, 14.0, 14.0]),
    );
    let known = [("fill", "linear"), ("fill_lookback", "1w")];
    assert_days(
        &filled(&app, user, 10, 13, &known).await,
        SCORE,
        10,
        &floats(&[12.0, 13.0, 14.0]),
    );
    for (fill, value) in [
        ("zero", json!(0)),
        ("null", Value::Null),
        ("linear", Value::Null),
        ("previous", json!(7)),
    ] {
        let known = [("fill", fill), ("fill_lookback", "120h")];
        assert_days(
            &filled(&app, user, 8, 10, &known).await,
            SCORE,
            8,
            &[value.clone(), value],
        );
    }
    // With too short a lookback there is nothing to fill, or nothing from before the range.
    let short = [("fill", "previous"), ("fill_lookback", "2d")];
    assert_days(&filled(&app, user, 8, 10, &short).await, SCORE, 8, &[]);
    let expected = [Value::Null, Value::Null, json!(14)];
    assert_days(
        &filled(&app, user, 10, 13, &short).await,
        SCORE,
        10,
        &expected,
    );
    // The lookback adds no row.
    assert_eq!(
        metadata(&filled(&app, user, 6, 9, &known).await)["count"],
        3
    );
}

async fn the_lookback_includes_the_first_bucket_before_the_range(backend: Backend) {
    let (app, _) = two_days(backend).await;
    let user = Uuid::new_v4();
    // The range starts at noon of 2 January; 100 is before the lookback, 5 and 9 are around its end.
    let data = [
        score(&at(DAY / 2), 100.0),
        score(&at(DAY + 21_600), 5.0),
        score(&at(3 * DAY), 9.0),
    ];
    let _ = store(&app, user, START, &data).await;
    let noon = at(DAY + DAY / 2);
    let range = [
        ("start_time", &*noon),
        ("end_time", "2025-01-06"),
        ("interval", "day"),
    ];
    let cases = [
        (
            "previous",
            "12h",
            [Some(5.0), Some(5.0), Some(9.0), Some(9.0)],
        ),
        ("linear", "12h", [Some(5.0), Some(7.0), Some(9.0), None]),
        ("zero", "12h", [Some(0.0), Some(0.0), Some(9.0), Some(0.0)]),
        (
            "previous",
            "6h",
            [Some(5.0), Some(5.0), Some(9.0), Some(9.0)],
        ),
        ("previous", "5h", [None, None, Some(9.0), Some(9.0)]),
    ];
    for (fill, lookback, expected) in cases {
        let parameters = [
            range.as_slice(),
            &[("fill", fill), ("fill_lookback", lookback)],
        ]
        .concat();
        assert_days(
            &get_timeseries(&app, user, &parameters).await,
            SCORE,
            2,
            &expected.map(|value| json!(value)),
        );
        // Points before the range count nowhere in it.
        let counted = [parameters.as_slice(), &[("agg_func", "count")]].concat();
        assert_days(
            &get_timeseries(&app, user, &counted).await,
            SCORE,
            2,
            &[0, 0, 1, 0].map(|n| json!(n)),
        );
    }
}

async fn series_without_points_stay_absent(backend: Backend) {
    let (app, user) = two_days(backend).await;
    let _ = store(
        &app,
        user,
        START,
        &[point(COLOR, START, &json!({"r": 1, "g": 2, "b": 3}))],
    )
    .await;
    // The colour is before this range.
    let response = filled(&app, user, 2, 5, &[("fill", "null")]).await;
    assert_days(&response, SCORE, 2, &[json!(10), Value::Null, json!(20)]);
    assert_days(
        &filled(&app, user, 10, 12, &[("fill", "zero")]).await,
        SCORE,
        10,
        &[],
    );
    assert_days(
        &filled(&app, Uuid::new_v4(), 1, 5, &[("fill", "zero")]).await,
        SCORE,
        1,
        &[],
    );
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
