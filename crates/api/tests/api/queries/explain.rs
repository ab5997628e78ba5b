//! `explain=true` and the other metadata of a response.

use serde_json::{Value, json};
use time_series_testkit::{Backend, TestApp};
use uuid::Uuid;

use crate::common::{SCORE, START, results, score, store};
use crate::on_both_servers;
use crate::queries::support::{at, january, metadata};

on_both_servers![
    explain_reports_what_was_read,
    explain_does_not_change_the_result,
    metadata_contain_the_defaults,
    metadata_contain_the_query,
];

async fn query_days(backend: Backend) -> (TestApp, Uuid) {
    let app = TestApp::seeded(backend).await;
    let user = Uuid::new_v4();
    let data: Vec<_> = (0..200).map(|i| score(&at(i * 3_600), 1.0)).collect();
    let _ = store(&app, user, START, &data).await;
    (app, user)
}

async fn explain_reports_what_was_read(backend: Backend) {
    let (app, user) = query_days(backend).await;
    let numbers = |part: &Value, names: &[&str]| names.iter().all(|name| part[name].is_number());
    for more in [
        [("interval", "day")],
        [("interval", "7m")],
        [("agg_func", "median")],
    ] {
        let response = january(
            &app,
            user,
            &[&[("explain", "true")], more.as_slice()].concat(),
        )
        .await
        .expect(200);
        let explain = metadata(&response)["explain"].clone();
        assert!(explain["cache"].is_string(), "{explain}");
        assert!(numbers(&explain["days"], &["windows", "rows"]), "{explain}");
        assert!(
            numbers(
                &explain["blocks"],
                &["stretches", "summaries", "arrays", "points"]
            ),
            "{explain}"
        );
        assert!(
            numbers(&explain["seconds"], &["plan", "read", "fold", "finish"]),
            "{explain}"
        );
    }
    // Whole days are read from day summaries; a median reads the points.
    let days = january(&app, user, &[("explain", "true"), ("interval", "day")])
        .await
        .expect(200);
    assert_eq!(
        metadata(&days)["explain"]["blocks"]["points"],
        0,
        "{}",
        metadata(&days)
    );
    let median = january(&app, user, &[("explain", "true"), ("agg_func", "median")])
        .await
        .expect(200);
    assert_eq!(
        metadata(&median)["explain"]["blocks"]["points"],
        200,
        "{}",
        metadata(&median)
    );
}

async fn explain_does_not_change_the_result(backend: Backend) {
    let (app, user) = query_days(backend).await;
    let as_floats = january(&app, user, &[]).await.expect(200);
    let explained = january(&app, user, &[("explain", "true")])
        .await
        .expect(200);
    let not = january(&app, user, &[("explain", "false")])
        .await
        .expect(200);
    assert_eq!(results(&as_floats), results(&explained));
    assert_eq!(as_floats.json(), not.json());
    assert!(
        metadata(&as_floats)
            .get("explain")
            .is_none_or(Value::is_null),
        "only if requested"
    );
}

async fn metadata_contain_the_defaults(backend: Backend) {
    let (app, user) = query_days(backend).await;
    let actual = metadata(&january(&app, user, &[]).await.expect(200));
    for (name, value) in [
        ("align", "calendar"),
        ("fill", "none"),
        ("accuracy", "exact"),
    ] {
        assert!(
            actual[name].is_null() || actual[name] == value,
            "{name}: {actual}"
        );
    }
    for name in ["group_by", "over", "where", "fill_lookback"] {
        assert_eq!(actual.get(name), Some(&Value::Null), "{name}: {actual}");
    }
    assert!(actual.get("approximate").is_none(), "{actual}");
    assert_eq!(
        (&actual["tz"], &actual["week_start"]),
        (&json!("UTC"), &json!("monday"))
    );
}

async fn metadata_contain_the_query(backend: Backend) {
    let (app, user) = query_days(backend).await;
    let groups = [
        ("group_by", "session"),
        ("over", "median"),
        ("accuracy", "approx"),
        ("interval", "day"),
    ];
    let gaps = [
        ("fill", "previous"),
        ("fill_lookback", "7d"),
        ("interval", "day"),
    ];
    for parameters in [groups.as_slice(), &gaps] {
        let response = january(&app, user, parameters).await.expect(200);
        let actual = metadata(&response);
        for (name, value) in parameters {
            assert!(actual[name].to_string().contains(value), "{name}: {actual}");
        }
        assert_eq!(
            (&actual["user_id"], &actual["count"]),
            (&json!(user), &json!(results(&response).len()))
        );
    }
    let actual = metadata(
        &january(&app, user, &[("where", "value>0")])
            .await
            .expect(200),
    );
    assert!(actual["where"].to_string().contains("value"), "{actual}");
    let parameters = [
        ("align", "session"),
        ("interval", "5m"),
        ("series", SCORE),
        ("agg_func", "p99.90,median"),
    ];
    let actual = metadata(&january(&app, user, &parameters).await.expect(200));
    assert_eq!(actual["align"], "session");
    assert!(
        actual.get("tz").is_none() && actual.get("week_start").is_none(),
        "{actual}"
    );
}
