//! Approximate percentiles: sketches, and the limit above which they are used.

use serde_json::json;
use time_series_testkit::{Backend, Response, TestApp};
use uuid::Uuid;

use super::bounds::{assert_too_much, with};
use crate::common::{SCORE, START, assert_rows, get_timeseries, results, score, store};
use crate::on_both_servers;
use crate::queries::support::{at, january, metadata};

on_both_servers![
    too_many_values_to_rank_are_rejected,
    a_sketch_serves_percentiles_if_allowed,
    a_sketch_is_accurate_for_both_signs,
    a_sketch_is_used_only_above_the_limit,
    functions_without_a_sketch_are_exact,
];

/// Stores 1,001 values, so that each percentile is a distinct value at an integer rank.
async fn ranked(app: &TestApp, user: Uuid, value: impl Fn(f64) -> f64) -> Vec<f64> {
    let values: Vec<f64> = (0..=1_000).map(|i| value(f64::from(i))).collect();
    // The values are out of order, in sessions that share the bucket.
    for part in 0..4 {
        let mine = values.iter().enumerate().filter(|(i, _)| i * 7 % 4 == part);
        let data: Vec<_> = mine
            .map(|(i, v)| score(&at(i64::try_from(i * 613 % 1_001).expect("fits")), *v))
            .collect();
        let _ = store(app, user, START, &data).await;
    }
    values
}

async fn too_many_values_to_rank_are_rejected(backend: Backend) {
    let app = with(TestApp::with(backend).max_bucket_values(1_000)).await;
    let user = Uuid::new_v4();
    let values = ranked(&app, user, |i| i).await;
    assert_eq!(values.len(), 1_001);
    for function in [
        "median",
        "p90",
        "p0",
        "p100",
        "mode",
        "distinct",
        "avg,p99.9",
    ] {
        for accuracy in [&[][..], &[("accuracy", "exact")]] {
            let parameters = [&[("interval", "day"), ("agg_func", function)], accuracy].concat();
            let response = january(&app, user, &parameters).await;
            assert_eq!(
                response.status.as_u16(),
                422,
                "{function}: {}",
                response.text
            );
            assert_too_much(&response, "too_many_values");
        }
    }
    let avg = january(
        &app,
        user,
        &[
            ("interval", "day"),
            ("agg_func", "avg,min,max,count,sum,range"),
        ],
    )
    .await;
    let expected =
        json!({"avg": 500, "min": 0, "max": 1000, "count": 1001, "sum": 500_500, "range": 1000});
    assert_rows(&avg, &[(START, SCORE, expected)]);
    // A count equal to the limit is accepted.
    let last = at(1_000);
    let most = [
        ("start_time", START),
        ("end_time", &*last),
        ("interval", "day"),
        ("agg_func", "count,p100"),
    ];
    let response = get_timeseries(&app, user, &most).await.expect(200);
    assert_eq!(response.rows()[0].value["count"], 1_000);
    assert!(
        metadata(&response).get("approximate").is_none(),
        "{}",
        response.text
    );
}

#[track_caller]
fn assert_within(response: &Response, exact: f64, function: &str) {
    let actual = response.rows()[0].value.as_f64().expect(&response.text);
    assert!(
        (actual - exact).abs() <= 0.005 * exact.abs() * (1.0 + 1e-9),
        "{function}: {actual}, exactly {exact}"
    );
}

async fn a_sketch_serves_percentiles_if_allowed(backend: Backend) {
    let app = with(TestApp::with(backend).max_bucket_values(100)).await;
    let user = Uuid::new_v4();
    let values = ranked(&app, user, |i| (i + 1.0).powi(2) / 7.0).await;
    for (function, rank) in [
        ("median", 500),
        ("p0", 0),
        ("p10", 100),
        ("p90", 900),
        ("p99", 990),
        ("p99.9", 999),
    ] {
        let parameters = [
            ("interval", "day"),
            ("agg_func", function),
            ("accuracy", "approx"),
        ];
        let response = january(&app, user, &parameters).await.expect(200);
        assert_within(&response, values[rank], function);
        let approximate = json!({"buckets": 1, "relative_error": 0.005, "absolute_error": 1e-9});
        assert_eq!(
            metadata(&response)["approximate"],
            approximate,
            "{}",
            response.text
        );
        assert_eq!(metadata(&response)["accuracy"], "approx");
    }
    // Functions that need no ranks stay exact.
    let parameters = [
        ("interval", "day"),
        ("agg_func", "count,max,p75"),
        ("accuracy", "approx"),
    ];
    let response = january(&app, user, &parameters).await.expect(200);
    let value = response.rows()[0].value.clone();
    assert_eq!(
        (&value["count"], &value["max"]),
        (&json!(1_001), &json!(values[1_000]))
    );
    assert!(value["p75"].is_f64(), "{}", response.text);
}

async fn a_sketch_is_accurate_for_both_signs(backend: Backend) {
    let app = with(TestApp::with(backend).max_bucket_values(100)).await;
    let user = Uuid::new_v4();
    let values = ranked(&app, user, |i| (i - 500.0).powi(3) * 1e-5).await;
    for rank in [0, 10, 250, 400, 480, 520, 600, 990, 1_000] {
        let function = format!("p{}", f64::from(rank) / 10.0);
        let parameters = [
            ("interval", "day"),
            ("agg_func", &*function),
            ("accuracy", "approx"),
        ];
        let response = january(&app, user, &parameters).await.expect(200);
        assert_within(
            &response,
            values[usize::try_from(rank).expect("fits")],
            &function,
        );
    }
}

async fn a_sketch_is_used_only_above_the_limit(backend: Backend) {
    let app = with(TestApp::with(backend).max_bucket_values(100)).await;
    let user = Uuid::new_v4();
    let _ = ranked(&app, user, |i| i + 1.0).await;
    let few = [
        score("2025-01-05T00:00:00Z", 1.0),
        score("2025-01-05T00:00:01Z", 2.0),
    ];
    let _ = store(&app, user, START, &few).await;
    let parameters = [
        ("interval", "day"),
        ("agg_func", "median"),
        ("accuracy", "approx"),
    ];
    let response = january(&app, user, &parameters).await.expect(200);
    assert_eq!(
        results(&response)[1]["value"],
        1.5,
        "two values are ranked exactly"
    );
    assert_eq!(metadata(&response)["approximate"]["buckets"], 1);
    let exact = [("start_time", "2025-01-02"), ("end_time", "2025-02-01")];
    let response = get_timeseries(&app, user, &[exact.as_slice(), &parameters].concat())
        .await
        .expect(200);
    assert_rows(&response, &[("2025-01-05T00:00:00Z", SCORE, json!(1.5))]);
    assert!(
        metadata(&response).get("approximate").is_none(),
        "all results are exact: {}",
        response.text
    );
}

async fn functions_without_a_sketch_are_exact(backend: Backend) {
    let app = with(TestApp::with(backend).max_bucket_values(100)).await;
    let user = Uuid::new_v4();
    let _ = ranked(&app, user, |i| (i / 10.0).floor()).await;
    for (function, exact) in [("mode", 0), ("distinct", 101)] {
        let parameters = [
            ("interval", "day"),
            ("agg_func", function),
            ("accuracy", "approx"),
        ];
        let response = january(&app, user, &parameters).await;
        if response.status.as_u16() == 200 {
            assert_rows(&response, &[(START, SCORE, json!(exact))]);
            assert!(
                metadata(&response).get("approximate").is_none(),
                "{}",
                response.text
            );
        } else {
            assert_too_much(&response, "too_many_values");
        }
    }
}
