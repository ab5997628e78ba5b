//! Sessions, as the original README documents them.

use serde_json::json;
use time_series_testkit::{Backend, TestApp};
use uuid::Uuid;

use super::january;
use crate::common::{
    COLOR, START, add_text_series, assert_problem, assert_rows, get_timeseries, point, points_of,
    score, session, sessions_of, store,
};
use crate::on_both_servers;

on_both_servers![
    the_example_body_is_accepted,
    a_trailing_slash_is_optional,
    the_session_id_of_the_client_is_kept,
    a_session_is_stored_atomically,
    one_user_s_data_never_shows_for_another,
];

async fn the_example_body_is_accepted(backend: Backend) {
    let app = TestApp::seeded(backend).await;
    add_text_series(&app).await;
    let body = r#"{
        "user_id": "5a8c9f42-8a55-4c1e-9a40-2b6a2f1d6c01",
        "session_id": "0f4e3b52-1d7c-4f6e-8c57-6b1b4f0c9d02",
        "start_ts": "2025-01-01T00:00:00Z",
        "data": [
            {"series": "session.example.series", "time": "2025-01-01T00:01:00Z", "value": {"value": "example value"}},
            {"series": "session.urine.color", "time": "2025-01-01T00:01:00Z", "value": {"r": 255, "g": 255, "b": 255}}
        ]
    }"#;
    let receipt = app
        .post_text("/api/sessions/", body)
        .await
        .expect(201)
        .json();
    assert_eq!(receipt["message"], "Data ingested successfully");
    assert_eq!(receipt["user_id"], "5a8c9f42-8a55-4c1e-9a40-2b6a2f1d6c01");
    assert_eq!(
        receipt["session_id"],
        "0f4e3b52-1d7c-4f6e-8c57-6b1b4f0c9d02"
    );
    assert_eq!(receipt["points"], 2);
    assert!(receipt["version"].is_u64(), "{receipt}");
}

async fn a_trailing_slash_is_optional(backend: Backend) {
    let app = TestApp::seeded(backend).await;
    let (user, id) = (Uuid::new_v4(), Uuid::new_v4());
    let _ = app
        .post(
            "/api/sessions",
            &session(user, id, START, &[score(START, 1.0)]),
        )
        .await
        .expect(201);
    let query = format!("?user_id={user}&start_time=2025-01-01&end_time=2025-01-02");
    let paths = [
        ("/api/sessions", format!("?user_id={user}")),
        (&*format!("/api/sessions/{id}"), String::new()),
        ("/api/timeseries", query),
        ("/api/metrictypes", String::new()),
        ("/api/metrictypes/session.urine.color", String::new()),
        ("/schema", String::new()),
        ("/redoc", String::new()),
        ("/health/live", String::new()),
        ("/health/ready", String::new()),
    ]
    .map(|(path, query)| [format!("{path}{query}"), format!("{path}/{query}")]);
    for [without, with] in paths {
        let responses = (
            app.get(&without).await.expect(200).text,
            app.get(&with).await.expect(200).text,
        );
        assert_eq!(responses.0, responses.1, "{with}");
    }
    let _ = app.delete(&format!("/api/sessions/{id}")).await.expect(204);
}

async fn the_session_id_of_the_client_is_kept(backend: Backend) {
    let app = TestApp::seeded(backend).await;
    let user = Uuid::new_v4();
    let id = store(&app, user, START, &[score(START, 1.0)]).await;
    assert_eq!(sessions_of(&app, user).await, [id.to_string()]);
    assert_eq!(
        app.get(&format!("/api/sessions/{id}/"))
            .await
            .expect(200)
            .json()["user_id"],
        user.to_string()
    );
}

async fn a_session_is_stored_atomically(backend: Backend) {
    let app = TestApp::seeded(backend).await;
    let (user, id) = (Uuid::new_v4(), Uuid::new_v4());
    let data = [
        score(START, 1.0),
        score(START, 2.0),
        point(COLOR, START, &json!({"r": "red", "g": 0, "b": 0})),
    ];
    let response = app
        .post("/api/sessions/", &session(user, id, START, &data))
        .await;
    assert_problem(&response, 422, "invalid_session");
    assert_problem(
        &app.get(&format!("/api/sessions/{id}/")).await,
        404,
        "session_not_found",
    );
    assert_eq!(points_of(&app, user).await, 0, "no points may be stored");
}

async fn one_user_s_data_never_shows_for_another(backend: Backend) {
    let app = TestApp::seeded(backend).await;
    let (one, other) = (Uuid::new_v4(), Uuid::new_v4());
    let _ = store(&app, one, START, &[score(START, 1.0)]).await;
    assert_rows(&get_timeseries(&app, other, &january(&[])).await, &[]);
    assert!(sessions_of(&app, other).await.is_empty());
}
