//! `fill` of values with several leaves.

use serde_json::{Value, json};
use time_series_testkit::{Backend, TestApp};
use uuid::Uuid;

use super::fill::{DAY, assert_days, filled, two_days};
use crate::common::{COLOR, START, get_timeseries, point, results, store};
use crate::on_both_servers;
use crate::queries::support::{assert_buckets, at};

on_both_servers![
    every_leaf_is_filled,
    each_leaf_is_filled_separately,
    rows_that_lack_a_leaf_are_filled_in_every_format,
];

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
            let optional = |all: &Value| -> Vec<Option<f64>> {
                all.as_array()
                    .expect("a list")
                    .iter()
                    .map(Value::as_f64)
                    .collect()
            };
            assert_eq!(
                (of("a"), of("b")),
                (optional(a), optional(b)),
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
            let numbers = |trace: &Value| -> Vec<Option<f64>> { optional(&trace["value"]) };
            assert_eq!(
                traces.iter().map(numbers).collect::<Vec<_>>(),
                [optional(a), optional(b)],
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
