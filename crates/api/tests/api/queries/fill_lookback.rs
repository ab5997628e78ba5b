//! `fill_lookback`: values before the range fill its start.

use serde_json::{Value, json};
use time_series_testkit::Backend;
use uuid::Uuid;

use super::fill::{DAY, assert_days, filled, two_days};
use crate::common::{COLOR, SCORE, START, get_timeseries, point, score, store};
use crate::on_both_servers;
use crate::queries::support::{at, metadata};

on_both_servers![
    values_before_the_range_fill_its_start,
    the_lookback_includes_the_first_bucket_before_the_range,
    series_without_points_stay_absent,
];

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
    // The range starts at noon of 2 January; 100 is before the lookback, 5 and 9 around its end.
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
