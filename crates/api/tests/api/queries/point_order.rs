//! The order of points.

use serde_json::{Value, json};
use time_series_testkit::{Backend, Response, TestApp};
use uuid::Uuid;

use crate::common::{START, point, results, score, session, store};
use crate::on_both_servers;
use crate::queries::support::{at, metadata, ndjson, points};

on_both_servers![
    points_of_one_time_are_ordered_by_series_session_and_arrival,
    one_time_may_have_more_points_than_a_block,
];

/// The series, session and value of each row.
fn keys(response: &Response) -> Vec<(String, String, Value)> {
    let text = |row: &Value, name: &str| row[name].as_str().unwrap_or_default().to_owned();
    results(response)
        .iter()
        .map(|row| {
            (
                text(row, "series"),
                text(row, "session_id"),
                row["value"].clone(),
            )
        })
        .collect()
}

async fn points_of_one_time_are_ordered_by_series_session_and_arrival(backend: Backend) {
    let app = TestApp::start(backend).await;
    // Created, stored and sent in an order that differs from the order of the response.
    for series in ["c", "a", "b.x", "b"] {
        app.metric_type(series, &json!({"type": "number"})).await;
    }
    let user = Uuid::new_v4();
    let (low, high) = (
        Uuid::from_u128(0x1111 << 112),
        Uuid::from_u128(0xeeee << 112),
    );
    for id in [high, low] {
        let data = ["b.x", "c", "a", "b"]
            .map(|series| [3, 1, 2].map(|value| point(series, &at(5), &json!(value))));
        let mut data: Vec<_> = data.concat();
        data.push(point("c", &at(4), &json!(9)));
        let _ = app
            .post("/api/sessions/", &session(user, id, START, &data))
            .await
            .expect(201);
    }
    let mut expected: Vec<_> = [low, high]
        .map(|id| ("c".to_owned(), id.to_string(), json!(9)))
        .to_vec();
    for series in ["a", "b", "b.x", "c"] {
        for id in [low, high] {
            expected
                .extend([3, 1, 2].map(|value| (series.to_owned(), id.to_string(), json!(value))));
        }
    }
    let as_floats = |keys: Vec<(String, String, Value)>| {
        keys.into_iter()
            .map(|(s, id, v)| (s, id, v.as_f64().unwrap_or_default().to_string()))
            .collect::<Vec<_>>()
    };
    let mut expected = as_floats(expected);
    assert_eq!(
        as_floats(keys(&points(&app, user, &[]).await.expect(200))),
        expected
    );
    assert_eq!(
        as_floats(keys(
            &points(&app, user, &[("order", "asc")]).await.expect(200)
        )),
        expected
    );
    expected.reverse();
    assert_eq!(
        as_floats(keys(
            &points(&app, user, &[("order", "desc")]).await.expect(200)
        )),
        expected
    );
}

async fn one_time_may_have_more_points_than_a_block(backend: Backend) {
    let app = TestApp::seeded(backend).await;
    let user = Uuid::new_v4();
    let sent: Vec<f64> = (0..9_000_i32)
        .map(|i| f64::from(i * 7_919 % 9_001))
        .collect();
    let data: Vec<_> = sent.iter().map(|value| score(START, *value)).collect();
    let _ = store(&app, user, START, &data).await;
    let floats = |rows: &[Value]| {
        rows.iter()
            .filter_map(|row| row["value"]["value"].as_f64())
            .collect::<Vec<_>>()
    };
    let (rows, _) = ndjson(
        &points(&app, user, &[("format", "ndjson")])
            .await
            .expect(200)
            .text,
    );
    assert!(floats(&rows) == sent, "in the order of arrival");
    let (rows, _) = ndjson(
        &points(&app, user, &[("format", "ndjson"), ("order", "desc")])
            .await
            .expect(200)
            .text,
    );
    assert!(
        floats(&rows).into_iter().rev().eq(sent.iter().copied()),
        "exactly reversed"
    );
    let (mut paged, mut cursor) = (Vec::new(), None::<String>);
    loop {
        let mut parameters = vec![("limit", "1700")];
        parameters.extend(cursor.iter().map(|cursor| ("cursor", cursor.as_str())));
        let page = points(&app, user, &parameters).await.expect(200);
        paged.extend(floats(&results(&page)));
        assert!(paged.len() <= sent.len(), "the number of pages is finite");
        cursor = metadata(&page)["next_cursor"].as_str().map(str::to_owned);
        if cursor.is_none() {
            break;
        }
    }
    assert!(paged == sent, "page by page");
}
