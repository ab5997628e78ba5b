//! Every read after an append shows it: aggregates, points, record, lists, latest and catalogue.

use reqwest::Method;
use serde_json::{Value, json};
use time_series_testkit::{Backend, TestApp};
use uuid::Uuid;

use super::{Case, START, Stored, assert_receipt, at, color_at, score_at};
use crate::common::{
    COLOR, NOTE, SCORE, add_text_series, as_floats, assert_rows, point, results, session,
};
use crate::on_both_servers;

on_both_servers![
    the_record_and_the_list_show_an_append,
    aggregates_show_an_append,
    points_latest_and_catalogue_show_an_append,
    an_append_invalidates_cached_responses,
    values_are_returned_as_sent,
    appends_may_cross_midnight_and_have_several_series,
];

const FEBRUARY: &str = "start_time=2024-12-01&end_time=2025-02-01";

async fn the_record_and_the_list_show_an_append(backend: Backend) {
    let case = Case::new(backend, &[score_at(60, 1.0)]).await;
    let before = case.record().await;
    let _ = case
        .append(&[
            score_at(30, 2.0),
            color_at(90, 1.0, 2.0, 3.0),
            score_at(75, 3.0),
        ])
        .await
        .expect(200);
    let expected = json!({
        "user_id": case.user, "session_id": case.id, "start_ts": START, "points": 4,
        "first_time": at(30), "last_time": at(90),
        "series": [{"series": SCORE, "points": 3}, {"series": COLOR, "points": 1}],
        "created_at": before["created_at"], "version": 2,
    });
    assert_eq!(case.record().await, expected);
    let listed = case
        .app
        .get(&format!("/api/sessions/?user_id={}", case.user))
        .await
        .expect(200);
    assert_eq!(results(&listed), [expected]);
    case.check_database().await;
}

async fn aggregates_show_an_append(backend: Backend) {
    let case = Case::new(backend, &[score_at(60, 1.0)]).await;
    let _ = case
        .append(&[
            score_at(30, 4.0),
            color_at(90, 1.0, 2.0, 3.0),
            score_at(75, 2.5),
        ])
        .await
        .expect(200);
    let functions = "agg_func=count,sum,min,max,first,last,median";
    let scores =
        json!({"count": 3, "sum": 7.5, "min": 1, "max": 4, "first": 4, "last": 2.5, "median": 2.5});
    for interval in ["day", "hour", "30s"] {
        let parameters = format!("{FEBRUARY}&series={SCORE}&interval={interval}&{functions}");
        if interval == "30s" {
            let response = case
                .app
                .timeseries(case.user, &parameters.replace(functions, "agg_func=avg"))
                .await;
            assert_rows(
                &response,
                &[(&at(30), SCORE, json!(4)), (&at(60), SCORE, json!(1.75))],
            );
        } else {
            assert_rows(
                &case.app.timeseries(case.user, &parameters).await,
                &[(START, SCORE, scores.clone())],
            );
        }
    }
    let version = format!("{FEBRUARY}&interval=day&series={COLOR}&min_version=2");
    let colors = json!({"r": 1, "g": 2, "b": 3});
    assert_rows(
        &case.app.timeseries(case.user, &version).await,
        &[(START, COLOR, colors)],
    );
    case.check_database().await;
}

async fn points_latest_and_catalogue_show_an_append(backend: Backend) {
    let case = Case::new(backend, &[score_at(60, 1.0)]).await;
    let _ = case
        .append(&[
            score_at(75, 3.0),
            color_at(90, 1.0, 2.0, 3.0),
            score_at(30, 2.0),
        ])
        .await
        .expect(200);
    let row = |series: &str, seconds: i64, value: Value| {
        as_floats(
            &json!({"session_id": case.id, "series": series, "time": at(seconds), "value": value}),
        )
    };
    let color = || json!({"r": 1, "g": 2, "b": 3});
    let expected = [
        row(SCORE, 30, json!({"value": 2})),
        row(SCORE, 60, json!({"value": 1})),
        row(SCORE, 75, json!({"value": 3})),
        row(COLOR, 90, color()),
    ];
    let get = async |path: String| -> Vec<Value> {
        results(&case.app.get(&path).await.expect(200))
            .iter()
            .map(as_floats)
            .collect()
    };
    assert_eq!(
        get(format!("/api/points/?user_id={}", case.user)).await,
        expected
    );
    assert_eq!(get(case.path()).await, expected);
    let latest = get(format!("/api/latest/?user_id={}", case.user)).await;
    assert_eq!(
        latest,
        [row(SCORE, 75, json!({"value": 3})), row(COLOR, 90, color())]
    );
    let catalog = get(format!("/api/catalog/?user_id={}", case.user)).await;
    let counted: Vec<Value> = catalog
        .iter()
        .map(|s| json!([s["series"], s["first_time"], s["points"]]))
        .collect();
    let expected = [json!([SCORE, at(30), 3.0]), json!([COLOR, at(90), 1.0])];
    assert_eq!(counted, expected.each_ref().map(as_floats));
    case.check_database().await;
}

/// With a cache that keeps every response, and with the client's own copy.
async fn an_append_invalidates_cached_responses(backend: Backend) {
    let app = TestApp::with(backend).cache().start().await;
    app.seed().await;
    let case = Case {
        app,
        user: Uuid::new_v4(),
        id: Uuid::new_v4(),
    };
    let _ = case
        .app
        .post("/api/sessions/", &case.body(&[score_at(0, 1.0)]))
        .await
        .expect(201);
    let path = format!(
        "/api/timeseries/?user_id={}&{FEBRUARY}&interval=day&agg_func=sum",
        case.user
    );
    let mut sum = 1;
    for second in 1..5_i32 {
        let first = case.app.get(&path).await.expect(200);
        let tag = first.headers["etag"].to_str().expect("text").to_owned();
        assert_rows(&case.app.get(&path).await, &[(START, SCORE, json!(sum))]);
        let mine = [("if-none-match", tag.as_str())];
        assert_eq!(
            case.app
                .request(Method::GET, &path, None, &mine)
                .await
                .status
                .as_u16(),
            304
        );
        let _ = case
            .append(&[score_at(second.into(), second.into())])
            .await
            .expect(200);
        sum += second;
        let fresh = case.app.request(Method::GET, &path, None, &mine).await;
        assert_rows(&fresh, &[(START, SCORE, json!(sum))]);
    }
    case.check_database().await;
}

async fn values_are_returned_as_sent(backend: Backend) {
    let case = Case::new(backend, &[score_at(10, 1.0)]).await;
    add_text_series(&case.app).await;
    let values = [
        json!({"value": 0.1}),
        json!({"value": -0.0}),
        json!({"value": 9_007_199_254_740_993_i64}),
        json!({"value": 1, "note": {"a": [1, null, "x"]}}),
        json!({"value": 1e-300}),
        json!({"value": -1e140}),
        json!({"value": 5e-324}),
    ];
    let mut expected = vec![(10, json!({"value": 1.0}))];
    for (i, value) in values.iter().enumerate() {
        // One append each before, between and after, so that each meets the blocks of the others.
        let second = i64::try_from(i).expect("small") * 7 % 20;
        let _ = case
            .append(&[point(SCORE, &at(second), value)])
            .await
            .expect(200);
        expected.push((second, value.clone()));
    }
    expected.sort_by_key(|(second, _)| *second);
    let _ = case
        .append(&[point(NOTE, &at(30), &json!({"value": "\u{1F600} \"q\"\n"}))])
        .await
        .expect(200);
    let listed = results(&case.app.get(&case.path()).await.expect(200));
    let values: Vec<Value> = listed.iter().map(|row| row["value"].clone()).collect();
    let (note, scores) = values.split_last().expect("points");
    assert_eq!(note["value"], "\u{1F600} \"q\"\n");
    for (value, (second, sent)) in scores.iter().zip(&expected) {
        assert_eq!(as_floats(value), as_floats(sent), "at {second}");
        assert_eq!(
            value["value"].as_i64(),
            sent["value"].as_i64().or(value["value"].as_i64()),
            "at {second}"
        );
        let sign = |v: &Value| v["value"].as_f64().expect("a number").is_sign_negative();
        assert_eq!(sign(value), sign(sent), "at {second}");
    }
    case.check_database().await;
}

async fn appends_may_cross_midnight_and_have_several_series(backend: Backend) {
    let case = Case::new(backend, &[score_at(0, 1.0)]).await;
    let midnight = 86_400;
    let part = [
        score_at(midnight, 2.0),
        color_at(midnight - 1, 1.0, 1.0, 1.0),
        score_at(-1, 3.0),
        color_at(midnight, 2.0, 2.0, 2.0),
        score_at(midnight - 1, 4.0),
        score_at(2 * midnight, 5.0),
    ];
    assert_receipt(
        &case.append(&part).await,
        &Stored {
            outcome: "appended",
            points: 6,
            total_points: 7,
            version: 2,
        },
    );
    assert_receipt(
        &case
            .append(&[score_at(midnight - 2, 6.0), score_at(midnight + 1, 7.0)])
            .await,
        &Stored {
            outcome: "appended",
            points: 2,
            total_points: 9,
            version: 3,
        },
    );
    case.assert_scores(&[
        (-1, 3.0),
        (0, 1.0),
        (midnight - 2, 6.0),
        (midnight - 1, 4.0),
        (midnight, 2.0),
        (midnight + 1, 7.0),
        (2 * midnight, 5.0),
    ])
    .await;
    let days = format!("{FEBRUARY}&interval=day&agg_func=sum");
    let color = |n: i32| json!({"r": n, "g": n, "b": n});
    let expected = [
        ("2024-12-31T00:00:00Z", SCORE, json!(3)),
        (START, SCORE, json!(11)),
        ("2025-01-02T00:00:00Z", SCORE, json!(9)),
        ("2025-01-03T00:00:00Z", SCORE, json!(5)),
        (START, COLOR, color(1)),
        ("2025-01-02T00:00:00Z", COLOR, color(2)),
    ];
    assert_rows(&case.app.timeseries(case.user, &days).await, &expected);
    // A second session of the same user is included in the sum.
    let other = session(case.user, Uuid::new_v4(), START, &[score_at(5, 100.0)]);
    let _ = case.app.post("/api/sessions/", &other).await.expect(201);
    let _ = case.append(&[score_at(6, 1000.0)]).await.expect(200);
    let day = format!(
        "start_time=2025-01-01&end_time=2025-01-02&interval=day&agg_func=sum&series={SCORE}"
    );
    assert_rows(
        &case.app.timeseries(case.user, &day).await,
        &[(START, SCORE, json!(1111))],
    );
    case.check_database().await;
}
