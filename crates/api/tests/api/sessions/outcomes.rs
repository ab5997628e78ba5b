//! Responses of POST, PUT and GET of one session.

use serde_json::{Value, json};
use time_series_testkit::{Backend, TestApp};
use uuid::Uuid;

use crate::common::{
    COLOR, SCORE, START, assert_faults, assert_problem, assert_rows, get_timeseries, point,
    points_of, score, session, sessions_of, store,
};
use crate::on_both_servers;

on_both_servers![
    a_dry_run_validates_and_stores_nothing,
    a_dry_run_reports_the_faults,
    without_a_session_id_the_server_generates_a_uuid_v7,
    a_session_may_be_empty,
    a_session_may_have_no_start,
    null_equals_an_absent_member,
    a_distant_start_is_kept_or_rejected,
    the_record_of_a_session_describes_its_points,
    a_put_creates_replaces_or_keeps_the_session,
    a_put_may_omit_the_session_id,
    a_put_rejects_an_id_other_than_the_path_s,
    a_bad_put_keeps_the_stored_session,
    an_invalid_id_is_rejected,
];

async fn a_dry_run_validates_and_stores_nothing(backend: Backend) {
    let app = TestApp::seeded(backend).await;
    let (user, id) = (Uuid::new_v4(), Uuid::new_v4());
    let body = session(user, id, START, &[score(START, 1.0), score(START, 2.0)]);
    let receipt = app
        .post("/api/sessions/?dry_run=true", &body)
        .await
        .expect(200)
        .json();
    assert_eq!(
        (&receipt["outcome"], &receipt["points"]),
        (&json!("checked"), &json!(2))
    );
    assert_eq!(
        receipt["version"],
        Value::Null,
        "nothing changed, so the version is the same"
    );
    assert!(sessions_of(&app, user).await.is_empty());
    assert_eq!(points_of(&app, user).await, 0);
    let _ = app
        .post("/api/sessions/?dry_run=false", &body)
        .await
        .expect(201);
    assert_eq!(points_of(&app, user).await, 2);
    let response = app.post("/api/sessions/?dry_run=perhaps", &body).await;
    assert_problem(&response, 422, "invalid_parameters");
    assert!(
        response.faults()[0].starts_with("dry_run "),
        "{}",
        response.text
    );
}

async fn a_dry_run_reports_the_faults(backend: Backend) {
    let app = TestApp::seeded(backend).await;
    let body = session(
        Uuid::new_v4(),
        Uuid::new_v4(),
        START,
        &[point("session.gut", START, &json!(1))],
    );
    let response = app.post("/api/sessions/?dry_run=true", &body).await;
    assert_problem(&response, 422, "invalid_session");
    assert_faults(&response, &["/data/0/series unknown_series"]);
}

async fn without_a_session_id_the_server_generates_a_uuid_v7(backend: Backend) {
    let app = TestApp::seeded(backend).await;
    let user = Uuid::new_v4();
    let body = json!({"user_id": user, "start_ts": START, "data": [score(START, 1.0)]});
    let mut made = Vec::new();
    for _ in 0..2 {
        let receipt = app.post("/api/sessions/", &body).await.expect(201).json();
        let id = receipt["session_id"].as_str().expect("an id").to_owned();
        assert_eq!(Uuid::parse_str(&id).expect("a UUID").get_version_num(), 7);
        assert_eq!(
            app.get(&format!("/api/sessions/{id}/"))
                .await
                .expect(200)
                .json()["points"],
            1
        );
        made.push(id);
    }
    assert_ne!(made[0], made[1], "a retry without an id is another session");
    assert_eq!(points_of(&app, user).await, 2);
}

async fn a_session_may_be_empty(backend: Backend) {
    let app = TestApp::seeded(backend).await;
    let (user, id) = (Uuid::new_v4(), Uuid::new_v4());
    let body = session(user, id, START, &[]);
    assert_eq!(
        app.post("/api/sessions/", &body).await.expect(201).json()["points"],
        0
    );
    let record = app
        .get(&format!("/api/sessions/{id}/"))
        .await
        .expect(200)
        .json();
    assert_eq!(
        (&record["points"], &record["series"]),
        (&json!(0), &json!([]))
    );
    assert_eq!(
        (&record["first_time"], &record["last_time"]),
        (&Value::Null, &Value::Null)
    );
    assert_eq!(
        app.post("/api/sessions/", &body)
            .await
            .expect(200)
            .receipt()
            .outcome,
        "unchanged"
    );
    let filled = session(user, id, START, &[score(START, 1.0)]);
    assert_problem(
        &app.post("/api/sessions/", &filled).await,
        409,
        "session_conflict",
    );
    let _ = app
        .put(&format!("/api/sessions/{id}/"), &filled)
        .await
        .expect(200);
    let _ = app
        .put(&format!("/api/sessions/{id}/"), &body)
        .await
        .expect(200);
    assert_eq!(
        points_of(&app, user).await,
        0,
        "the empty session replaced it"
    );
    let _ = app
        .delete(&format!("/api/sessions/{id}/"))
        .await
        .expect(204);
}

async fn a_session_may_have_no_start(backend: Backend) {
    let app = TestApp::seeded(backend).await;
    let (user, id) = (Uuid::new_v4(), Uuid::new_v4());
    let body =
        json!({"user_id": user, "session_id": id, "data": [score("2024-05-05T05:05:05Z", 1.0)]});
    let _ = app.post("/api/sessions/", &body).await.expect(201);
    let record = app
        .get(&format!("/api/sessions/{id}/"))
        .await
        .expect(200)
        .json();
    assert_eq!(
        (&record["start_ts"], &record["first_time"]),
        (&Value::Null, &json!("2024-05-05T05:05:05Z"))
    );
    assert_eq!(
        app.post("/api/sessions/", &body)
            .await
            .expect(200)
            .receipt()
            .outcome,
        "unchanged"
    );
}

async fn null_equals_an_absent_member(backend: Backend) {
    let app = TestApp::seeded(backend).await;
    let user = Uuid::new_v4();
    let body =
        json!({"user_id": user, "session_id": null, "start_ts": null, "data": [score(START, 1.0)]});
    let receipt = app.post("/api/sessions/", &body).await.expect(201).json();
    let path = format!(
        "/api/sessions/{}/",
        receipt["session_id"].as_str().expect("an id")
    );
    assert_eq!(
        app.get(&path).await.expect(200).json()["start_ts"],
        Value::Null
    );
    assert_eq!(
        app.put(&path, &body).await.expect(200).receipt().outcome,
        "unchanged"
    );
}

async fn a_distant_start_is_kept_or_rejected(backend: Backend) {
    let app = TestApp::seeded(backend).await;
    let user = Uuid::new_v4();
    let mut kept = 0;
    for start in [
        "0000-01-01T00:00:00Z",
        "0001-01-01T00:00:00+23:59",
        "1969-12-31T00:00:00Z",
        "9999-12-31T23:59:59.999999Z",
    ] {
        let id = Uuid::new_v4();
        let response = app
            .post("/api/sessions/", &session(user, id, start, &[]))
            .await;
        if response.status.as_u16() == 201 {
            kept += 1;
            let record = app
                .get(&format!("/api/sessions/{id}/"))
                .await
                .expect(200)
                .json();
            assert!(record["start_ts"].is_string(), "{record}");
        } else {
            assert_problem(&response, 422, "invalid_session");
            assert!(
                response.faults()[0].starts_with("/start_ts "),
                "{}",
                response.text
            );
        }
    }
    assert_eq!(sessions_of(&app, user).await.len(), kept);
}

async fn the_record_of_a_session_describes_its_points(backend: Backend) {
    let app = TestApp::seeded(backend).await;
    let user = Uuid::new_v4();
    let color = point(
        COLOR,
        "2025-01-03T10:00:00.25Z",
        &json!({"r": 1, "g": 2, "b": 3}),
    );
    // Two UTC days, out of order, two points at one time.
    let data = [
        score("2025-01-02T09:00:00Z", 1.0),
        color,
        score("2025-01-01T08:00:00.000001Z", 2.0),
        score("2025-01-02T09:00:00Z", 1.0),
    ];
    let id = store(&app, user, START, &data).await;
    let record = app
        .get(&format!("/api/sessions/{id}/"))
        .await
        .expect(200)
        .json();
    let expected = json!({
        "user_id": user,
        "session_id": id,
        "start_ts": START,
        "points": 4,
        "first_time": "2025-01-01T08:00:00.000001Z",
        "last_time": "2025-01-03T10:00:00.25Z",
        "series": [{"series": SCORE, "points": 3}, {"series": COLOR, "points": 1}],
        "created_at": record["created_at"],
        "version": record["version"],
    });
    assert_eq!(record, expected);
    assert!(record["created_at"].is_string() && record["version"].is_u64());
    let listed = app
        .get(&format!("/api/sessions/?user_id={user}"))
        .await
        .expect(200)
        .json();
    assert_eq!(
        listed["results"],
        json!([expected]),
        "the list has the same record"
    );
}

async fn a_put_creates_replaces_or_keeps_the_session(backend: Backend) {
    let app = TestApp::seeded(backend).await;
    let (user, id) = (Uuid::new_v4(), Uuid::new_v4());
    let path = format!("/api/sessions/{id}/");
    let month = [
        ("start_time", "2025-01-01"),
        ("end_time", "2025-02-01"),
        ("interval", "month"),
        ("agg_func", "sum"),
    ];
    for (value, status, outcome) in [
        (1.0, 201, "created"),
        (1.0, 200, "unchanged"),
        (2.0, 200, "replaced"),
        (2.0, 200, "unchanged"),
    ] {
        let receipt = app
            .put(&path, &session(user, id, START, &[score(START, value)]))
            .await
            .expect(status)
            .json();
        assert_eq!(
            (&receipt["outcome"], &receipt["session_id"]),
            (&json!(outcome), &json!(id))
        );
        assert_rows(
            &get_timeseries(&app, user, &month).await,
            &[(START, SCORE, json!(value))],
        );
    }
}

async fn a_put_may_omit_the_session_id(backend: Backend) {
    let app = TestApp::seeded(backend).await;
    let (user, id) = (Uuid::new_v4(), Uuid::new_v4());
    let body = json!({"user_id": user, "start_ts": START, "data": [score(START, 1.0)]});
    let _ = app
        .put(&format!("/api/sessions/{id}/"), &body)
        .await
        .expect(201);
    let _ = app
        .put(&format!("/api/sessions/{id}/"), &body)
        .await
        .expect(200);
    assert_eq!(sessions_of(&app, user).await, [id.to_string()]);
}

async fn a_put_rejects_an_id_other_than_the_path_s(backend: Backend) {
    let app = TestApp::seeded(backend).await;
    let (user, id) = (Uuid::new_v4(), Uuid::new_v4());
    let response = app
        .put(
            &format!("/api/sessions/{}/", Uuid::new_v4()),
            &session(user, id, START, &[]),
        )
        .await;
    assert_problem(&response, 422, "invalid_session");
    assert!(
        response.faults()[0].starts_with("/session_id "),
        "{}",
        response.text
    );
    assert!(sessions_of(&app, user).await.is_empty());
}

async fn a_bad_put_keeps_the_stored_session(backend: Backend) {
    let app = TestApp::seeded(backend).await;
    let user = Uuid::new_v4();
    let id = store(&app, user, START, &[score(START, 1.0)]).await;
    let bad = session(
        user,
        id,
        START,
        &[
            score(START, 5.0),
            point(SCORE, START, &json!({"value": null})),
        ],
    );
    let response = app.put(&format!("/api/sessions/{id}/"), &bad).await;
    assert_problem(&response, 422, "invalid_session");
    assert_faults(&response, &["/data/1/value/value schema_violation"]);
    assert_eq!(points_of(&app, user).await, 1);
}

async fn an_invalid_id_is_rejected(backend: Backend) {
    let app = TestApp::seeded(backend).await;
    let body = json!({"user_id": Uuid::new_v4(), "data": []});
    let path = "/api/sessions/not-a-uuid/";
    for response in [
        app.get(path).await,
        app.delete(path).await,
        app.put(path, &body).await,
    ] {
        let status = response.status.as_u16();
        assert!(status == 404 || status == 422, "{}", response.text);
        assert_problem(&response, status, &response.code());
    }
    let user = format!("/api/sessions/{}/?user_id=me", Uuid::new_v4());
    for response in [app.get(&user).await, app.delete(&user).await] {
        assert_problem(&response, 422, "invalid_parameters");
        assert!(
            response.faults()[0].starts_with("user_id "),
            "{}",
            response.text
        );
    }
}
