//! The list of a user's sessions: order and limits.

use serde_json::{Value, json};
use time_series_testkit::{Backend, TestApp};
use uuid::Uuid;

use crate::common::{assert_problem, ids, store};
use crate::on_both_servers;

on_both_servers![
    the_newest_start_comes_first_and_no_start_last,
    a_user_without_sessions_has_an_empty_list,
    a_user_is_required,
    limits_are_from_1_to_1000,
    unknown_and_repeated_parameters_are_rejected,
];

async fn the_newest_start_comes_first_and_no_start_last(backend: Backend) {
    let app = TestApp::seeded(backend).await;
    let user = Uuid::new_v4();
    let mut expected = Vec::new();
    let without = app
        .post("/api/sessions/", &json!({"user_id": user, "data": []}))
        .await
        .expect(201)
        .json();
    // Stored neither in order nor in reverse; as texts, the instants would have another order.
    let starts = [
        "2025-01-02T00:00:00Z",
        "2025-01-02T02:00:00+03:00",
        "2025-03-01T00:00:00Z",
        "2025-01-02T00:00:00.000001Z",
    ];
    for start in starts {
        expected.push(store(&app, user, start, &[]).await.to_string());
    }
    let expected = [
        &*expected[2],
        &*expected[3],
        &*expected[0],
        &*expected[1],
        without["session_id"].as_str().expect("an id"),
    ];
    let _ = store(&app, Uuid::new_v4(), starts[0], &[]).await;
    let page = app
        .get(&format!("/api/sessions/?user_id={user}"))
        .await
        .expect(200);
    assert_eq!(ids(&page), expected);
    let metadata = &page.json()["metadata"];
    assert_eq!(
        (&metadata["count"], &metadata["next_cursor"]),
        (&json!(5), &Value::Null)
    );
}

async fn a_user_without_sessions_has_an_empty_list(backend: Backend) {
    let app = TestApp::seeded(backend).await;
    let body = app
        .get(&format!("/api/sessions/?user_id={}", Uuid::new_v4()))
        .await
        .expect(200)
        .json();
    assert_eq!(
        (&body["results"], &body["metadata"]["count"]),
        (&json!([]), &json!(0))
    );
    assert_eq!(body["metadata"]["next_cursor"], Value::Null);
}

async fn a_user_is_required(backend: Backend) {
    let app = TestApp::seeded(backend).await;
    for query in ["", "?user_id=", "?user_id=me"] {
        let response = app.get(&format!("/api/sessions/{query}")).await;
        assert_problem(&response, 422, "invalid_parameters");
        assert!(
            response.faults()[0].starts_with("user_id "),
            "{}",
            response.text
        );
    }
}

async fn limits_are_from_1_to_1000(backend: Backend) {
    let app = TestApp::seeded(backend).await;
    let user = Uuid::new_v4();
    for _ in 0..3 {
        let _ = store(&app, user, "2025-01-01T00:00:00Z", &[]).await;
    }
    for limit in [
        "0",
        "-1",
        "1001",
        "99999999999999999999999",
        "1.5",
        "ten",
        "",
    ] {
        let response = app
            .get(&format!("/api/sessions/?user_id={user}&limit={limit}"))
            .await;
        assert_problem(&response, 422, "invalid_parameters");
        assert!(
            response.faults()[0].starts_with("limit "),
            "{}",
            response.text
        );
    }
    for (limit, listed) in [(1, 1), (3, 3), (1000, 3)] {
        let page = app
            .get(&format!("/api/sessions/?user_id={user}&limit={limit}"))
            .await
            .expect(200);
        assert_eq!(ids(&page).len(), listed);
        assert_eq!(
            page.json()["metadata"]["next_cursor"].is_null(),
            listed == 3,
            "a full last page ends the list"
        );
    }
}

async fn unknown_and_repeated_parameters_are_rejected(backend: Backend) {
    let app = TestApp::seeded(backend).await;
    let user = Uuid::new_v4();
    for (more, named) in [
        ("page=2", "page "),
        ("limit=1&limit=2", "limit "),
        ("start_time=2025-01-01", "start_time "),
    ] {
        let response = app
            .get(&format!("/api/sessions/?user_id={user}&{more}"))
            .await;
        assert_problem(&response, 422, "invalid_parameters");
        assert!(response.faults()[0].starts_with(named), "{}", response.text);
    }
}
