//! Small cases that the random ones came upon.

use serde_json::{Value, json};
use time_series_testkit::{Backend, TestApp};
use uuid::Uuid;

/// Posts zeros, a session each, and asks what they come to.
async fn zeros(app: &TestApp, series: &str, sessions: &[&[(&str, &str)]]) -> String {
    let user = Uuid::new_v4();
    for points in sessions {
        let point = |(time, zero): &(&str, &str)| {
            format!(
                r#"{{"series":"{series}","time":"2025-01-01T{time}Z","value":{{"value":{zero}}}}}"#
            )
        };
        let points: Vec<String> = points.iter().map(point).collect();
        let body = format!(r#"{{"user_id":"{user}","data":[{}]}}"#, points.join(","));
        let _ = app.post_text("/api/sessions/", &body).await.expect(201);
    }
    let range = "start_time=2024-12-31&end_time=2025-01-02&interval=day";
    let answer = app
        .timeseries(
            user,
            &format!("{range}&agg_func=min,max,first,last,sum,avg"),
        )
        .await
        .expect(200);
    answer.json()["results"].to_string()
}

#[tokio::test]
async fn the_least_of_two_zeros_is_the_same_however_they_came() {
    for backend in Backend::ALL {
        let app = TestApp::seeded(backend).await;
        let series = "session.gut_health_score";
        for (first, second) in [
            (("01:00:00", "0.0"), ("02:00:00", "-0.0")),
            (("01:00:00", "-0.0"), ("01:00:00", "0.0")),
        ] {
            let together = zeros(&app, series, &[&[first, second]]).await;
            let turned = zeros(&app, series, &[&[second, first]]).await;
            let apart = zeros(&app, series, &[&[first], &[second]]).await;
            let late = zeros(&app, series, &[&[second], &[first]]).await;
            assert_eq!(
                [&turned, &apart, &late],
                [&together; 3],
                "{backend:?} {first:?} {second:?}"
            );
        }
    }
}

#[tokio::test]
async fn a_leaf_is_named_by_its_keys_in_the_views() {
    let app = TestApp::start(Backend::Plain).await;
    let number = json!({"type": "number"});
    let inner = json!({"type": "object", "properties": {"a/b": number, "c~d": number}});
    app.metric_type(
        "odd",
        &json!({"type": "object", "properties": {"in": inner}}),
    )
    .await;
    let value: Value = json!({"in": {"a/b": 1, "c~d": 2}});
    let point = json!({"series": "odd", "time": "2025-01-01T00:00:00Z", "value": value});
    let _ = app
        .post(
            "/api/sessions/",
            &json!({"user_id": Uuid::new_v4(), "data": [point]}),
        )
        .await
        .expect(201);
    let client = app.database.connect().await;
    let rows = client
        .query("SELECT leaf FROM timeseries_value ORDER BY value", &[])
        .await
        .expect("leaves");
    let leaves: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
    assert_eq!(leaves, ["in.a/b", "in.c~d"]);
}
