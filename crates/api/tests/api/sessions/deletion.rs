//! A deleted session disappears from every result, exactly.

use serde_json::json;
use time_series_testkit::{Backend, TestApp};
use uuid::Uuid;

use crate::common::{
    COLOR, SCORE, START, assert_problem, assert_rows, get_timeseries, point, points_of, score,
    session, sessions_of, store,
};
use crate::on_both_servers;

on_both_servers![
    a_deleted_session_is_not_found,
    deletion_removes_a_session_from_every_aggregate,
    replacement_removes_the_old_session_from_every_aggregate,
    the_last_session_leaves_nothing_behind,
    a_deleted_session_can_be_stored_again,
];

/// Whole days, and hours that cut the days.
const RANGES: [(&str, &str); 2] = [
    ("2025-01-01T00:00:00Z", "2025-01-03T00:00:00Z"),
    ("2025-01-01T00:30:00Z", "2025-01-02T23:30:00Z"),
];

/// min, max, count and sum of the scores in both ranges, by day and over the whole range.
async fn assert_scores(app: &TestApp, user: Uuid, days: [[f64; 4]; 2], all: [f64; 4]) {
    let cell = |[min, max, count, sum]: [f64; 4]| json!({"min": min, "max": max, "count": count, "sum": sum});
    for (start, end) in RANGES {
        let base = [
            ("start_time", start),
            ("end_time", end),
            ("series", SCORE),
            ("agg_func", "min,max,count,sum"),
        ];
        let by = async |interval| {
            get_timeseries(
                app,
                user,
                &[base.as_slice(), &[("interval", interval)]].concat(),
            )
            .await
        };
        let expected = [
            (START, SCORE, cell(days[0])),
            ("2025-01-02T00:00:00Z", SCORE, cell(days[1])),
        ];
        assert_rows(&by("day").await, &expected);
        assert_rows(&by("all").await, &[(start, SCORE, cell(all))]);
    }
}

async fn a_deleted_session_is_not_found(backend: Backend) {
    let app = TestApp::seeded(backend).await;
    let user = Uuid::new_v4();
    let (kept, gone) = (
        store(&app, user, START, &[]).await,
        store(&app, user, START, &[score(START, 1.0)]).await,
    );
    let path = format!("/api/sessions/{gone}/");
    let deleted = app.delete(&path).await.expect(204);
    assert_eq!(deleted.text, "");
    assert_problem(&app.get(&path).await, 404, "session_not_found");
    assert_problem(&app.delete(&path).await, 404, "session_not_found");
    assert_problem(
        &app.delete(&format!("{path}?user_id={user}")).await,
        404,
        "session_not_found",
    );
    assert_eq!(sessions_of(&app, user).await, [kept.to_string()]);
}

/// Two sessions that overlap on two days; the second holds the extremes.
async fn overlapping(app: &TestApp, user: Uuid) -> Uuid {
    let one = [
        score("2025-01-01T10:00:00Z", 5.0),
        score("2025-01-02T10:00:00Z", 6.0),
    ];
    let two = [
        score("2025-01-01T01:00:00Z", -100.0),
        score("2025-01-01T10:00:00Z", 100.0),
        score("2025-01-02T23:00:00Z", 200.0),
        point(
            COLOR,
            "2025-01-01T12:00:00Z",
            &json!({"r": 1, "g": 1, "b": 1}),
        ),
    ];
    let _ = store(app, user, START, &one).await;
    let id = store(app, user, START, &two).await;
    let days = [[-100.0, 100.0, 3.0, 5.0], [6.0, 200.0, 2.0, 206.0]];
    assert_scores(app, user, days, [-100.0, 200.0, 5.0, 211.0]).await;
    id
}

async fn deletion_removes_a_session_from_every_aggregate(backend: Backend) {
    let app = TestApp::seeded(backend).await;
    let user = Uuid::new_v4();
    let gone = overlapping(&app, user).await;
    let _ = app
        .delete(&format!("/api/sessions/{gone}/"))
        .await
        .expect(204);
    assert_scores(
        &app,
        user,
        [[5.0, 5.0, 1.0, 5.0], [6.0, 6.0, 1.0, 6.0]],
        [5.0, 6.0, 2.0, 11.0],
    )
    .await;
    assert_eq!(points_of(&app, user).await, 2, "the colour is absent, too");
}

async fn replacement_removes_the_old_session_from_every_aggregate(backend: Backend) {
    let app = TestApp::seeded(backend).await;
    let user = Uuid::new_v4();
    let id = overlapping(&app, user).await;
    let body = session(user, id, START, &[score("2025-01-02T10:00:00Z", 0.0)]);
    let _ = app
        .put(&format!("/api/sessions/{id}/"), &body)
        .await
        .expect(200);
    assert_scores(
        &app,
        user,
        [[5.0, 5.0, 1.0, 5.0], [0.0, 6.0, 2.0, 6.0]],
        [0.0, 6.0, 3.0, 11.0],
    )
    .await;
    assert_eq!(points_of(&app, user).await, 3, "the colour is absent, too");
}

async fn the_last_session_leaves_nothing_behind(backend: Backend) {
    let app = TestApp::seeded(backend).await;
    let user = Uuid::new_v4();
    let id = store(&app, user, START, &[score(START, 1.0)]).await;
    let _ = app
        .delete(&format!("/api/sessions/{id}/"))
        .await
        .expect(204);
    for interval in ["hour", "day", "all"] {
        let range = [
            ("start_time", "2025-01-01"),
            ("end_time", "2025-01-02"),
            ("interval", interval),
            ("agg_func", "count"),
        ];
        assert_rows(&get_timeseries(&app, user, &range).await, &[]);
    }
}

async fn a_deleted_session_can_be_stored_again(backend: Backend) {
    let app = TestApp::seeded(backend).await;
    let user = Uuid::new_v4();
    let id = store(&app, user, START, &[score(START, 1.0)]).await;
    for value in [1.0, 3.0] {
        let _ = app
            .delete(&format!("/api/sessions/{id}/"))
            .await
            .expect(204);
        let body = session(user, id, START, &[score(START, value)]);
        let _ = app.post("/api/sessions/", &body).await.expect(201);
        let range = [
            ("start_time", "2025-01-01"),
            ("end_time", "2025-01-02"),
            ("interval", "day"),
            ("agg_func", "sum"),
        ];
        assert_rows(
            &get_timeseries(&app, user, &range).await,
            &[(START, SCORE, json!(value))],
        );
    }
}
