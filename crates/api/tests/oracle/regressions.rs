//! Small cases that random cases have found.

use serde_json::json;
use time_series_testkit::{Backend, TestApp};
use uuid::Uuid;

/// A seeded series.
const SCORE: &str = "session.gut_health_score";

/// A zero and its time of day.
#[derive(Debug, Clone, Copy)]
struct TimedZero {
    time: &'static str,
    zero: &'static str,
}

/// Writes one session for each list of zeros, and returns their aggregates.
async fn aggregates_of_zeros(app: &TestApp, sessions: &[&[TimedZero]]) -> String {
    let user = Uuid::new_v4();
    for points in sessions {
        let points: Vec<String> = points
            .iter()
            .map(|TimedZero { time, zero }| {
                let time = format!("2025-01-01T{time}Z");
                format!(r#"{{"series":"{SCORE}","time":"{time}","value":{{"value":{zero}}}}}"#)
            })
            .collect();
        let body = format!(r#"{{"user_id":"{user}","data":[{}]}}"#, points.join(","));
        let _ = app.post_text("/api/sessions/", &body).await.expect(201);
    }
    let parameters = "start_time=2024-12-31&end_time=2025-01-02&interval=day\
                      &agg_func=min,max,first,last,sum,avg";
    let answer = app.timeseries(user, parameters).await.expect(200);
    answer.json()["results"].to_string()
}

#[tokio::test]
async fn aggregates_of_both_zeros_do_not_depend_on_order_or_sessions() {
    let zero = |time, zero| TimedZero { time, zero };
    for backend in Backend::ALL {
        let app = TestApp::seeded(backend).await;
        for (first, second) in [
            (zero("01:00:00", "0.0"), zero("02:00:00", "-0.0")),
            (zero("01:00:00", "-0.0"), zero("01:00:00", "0.0")),
        ] {
            let expected = aggregates_of_zeros(&app, &[&[first, second]]).await;
            let arrangements: [&[&[TimedZero]]; 3] = [
                &[&[second, first]],
                &[&[first], &[second]],
                &[&[second], &[first]],
            ];
            for sessions in arrangements {
                let aggregates = aggregates_of_zeros(&app, sessions).await;
                assert_eq!(
                    aggregates, expected,
                    "{sessions:?} should equal {first:?}, {second:?} on {backend:?}"
                );
            }
        }
    }
}

#[tokio::test]
async fn views_name_a_leaf_by_its_unescaped_keys() {
    let app = TestApp::start(Backend::Plain).await;
    let number = json!({"type": "number"});
    let inner = json!({"type": "object", "properties": {"a/b": number, "c~d": number}});
    let schema = json!({"type": "object", "properties": {"in": inner}});
    app.metric_type("odd", &schema).await;
    let value = json!({"in": {"a/b": 1, "c~d": 2}});
    let point = json!({"series": "odd", "time": "2025-01-01T00:00:00Z", "value": value});
    let session = json!({"user_id": Uuid::new_v4(), "data": [point]});
    let _ = app.post("/api/sessions/", &session).await.expect(201);
    let client = app.database.connect().await;
    let rows = client
        .query("SELECT leaf FROM timeseries_value ORDER BY value", &[])
        .await
        .expect("the view has leaves");
    let leaves: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
    assert_eq!(leaves, ["in.a/b", "in.c~d"]);
}
