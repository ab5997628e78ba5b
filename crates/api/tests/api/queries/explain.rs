//! `explain=true` and what else the metadata tell.

use serde_json::{Value, json};
use time_series_testkit::{Backend, TestApp};
use uuid::Uuid;

use crate::common::{SCORE, START, results, score, store};
use crate::on_both_servers;
use crate::queries::support::{at, january, metadata};

on_both_servers![
    an_explanation_tells_what_was_read,
    an_explanation_changes_no_result,
    metadata_tell_the_defaults,
    metadata_tell_what_was_asked,
];

async fn some_days(backend: Backend) -> (TestApp, Uuid) {
    let app = TestApp::seeded(backend).await;
    let user = Uuid::new_v4();
    let data: Vec<_> = (0..200).map(|i| score(&at(i * 3_600), 1.0)).collect();
    let _ = store(&app, user, START, &data).await;
    (app, user)
}

async fn an_explanation_tells_what_was_read(backend: Backend) {
    let (app, user) = some_days(backend).await;
    let numbers = |part: &Value, names: &[&str]| names.iter().all(|name| part[name].is_number());
    for more in [
        [("interval", "day")],
        [("interval", "7m")],
        [("agg_func", "median")],
    ] {
        let answer = january(
            &app,
            user,
            &[&[("explain", "true")], more.as_slice()].concat(),
        )
        .await
        .expect(200);
        let explain = metadata(&answer)["explain"].clone();
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
    // Whole days come from day summaries; a median reads the points.
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

async fn an_explanation_changes_no_result(backend: Backend) {
    let (app, user) = some_days(backend).await;
    let plain = january(&app, user, &[]).await.expect(200);
    let explained = january(&app, user, &[("explain", "true")])
        .await
        .expect(200);
    let not = january(&app, user, &[("explain", "false")])
        .await
        .expect(200);
    assert_eq!(results(&plain), results(&explained));
    assert_eq!(plain.json(), not.json());
    assert!(
        metadata(&plain).get("explain").is_none_or(Value::is_null),
        "only where it is asked for"
    );
}

async fn metadata_tell_the_defaults(backend: Backend) {
    let (app, user) = some_days(backend).await;
    let told = metadata(&january(&app, user, &[]).await.expect(200));
    for (name, value) in [
        ("align", "calendar"),
        ("fill", "none"),
        ("accuracy", "exact"),
    ] {
        assert!(
            told[name].is_null() || told[name] == value,
            "{name}: {told}"
        );
    }
    for name in ["group_by", "over", "where", "fill_lookback"] {
        assert_eq!(told.get(name), Some(&Value::Null), "{name}: {told}");
    }
    assert!(told.get("approximate").is_none(), "{told}");
    assert_eq!(
        (&told["tz"], &told["week_start"]),
        (&json!("UTC"), &json!("monday"))
    );
}

async fn metadata_tell_what_was_asked(backend: Backend) {
    let (app, user) = some_days(backend).await;
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
    for asked in [groups.as_slice(), &gaps] {
        let answer = january(&app, user, asked).await.expect(200);
        let told = metadata(&answer);
        for (name, value) in asked {
            assert!(told[name].to_string().contains(value), "{name}: {told}");
        }
        assert_eq!(
            (&told["user_id"], &told["count"]),
            (&json!(user), &json!(results(&answer).len()))
        );
    }
    let told = metadata(
        &january(&app, user, &[("where", "value>0")])
            .await
            .expect(200),
    );
    assert!(told["where"].to_string().contains("value"), "{told}");
    let asked = [
        ("align", "session"),
        ("interval", "5m"),
        ("series", SCORE),
        ("agg_func", "p99.90,median"),
    ];
    let told = metadata(&january(&app, user, &asked).await.expect(200));
    assert_eq!(told["align"], "session");
    assert!(
        told.get("tz").is_none() && told.get("week_start").is_none(),
        "{told}"
    );
}
