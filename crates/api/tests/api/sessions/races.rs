//! Concurrent requests end in the same state as some sequence of them.

use futures_util::future::join_all;
use serde_json::{Value, json};
use time_series_testkit::{Backend, Response, TestApp};
use uuid::Uuid;

use crate::common::{
    SCORE, START, get_timeseries, points_of, results, score, session, sessions_of,
};
use crate::on_both_servers;

on_both_servers![
    the_same_session_many_times_is_stored_once,
    concurrent_sessions_with_one_id_store_one,
    concurrent_replacements_leave_one_session_and_its_sums,
    concurrent_stores_and_deletes_leave_exact_sums,
    one_of_many_concurrent_deletes_succeeds,
];

fn statuses(responses: &[Response]) -> Vec<u16> {
    let mut all: Vec<_> = responses.iter().map(|a| a.status.as_u16()).collect();
    all.sort_unstable();
    all
}

async fn post(app: &TestApp, parameters: &str, body: &Value) -> Response {
    app.post(&format!("/api/sessions/{parameters}"), body).await
}

/// Count and sum of the user's scores; whole days and a range that cuts the day must agree.
async fn count_and_sum(app: &TestApp, user: Uuid) -> Value {
    let mut both = Vec::new();
    for end in ["2025-01-02T00:00:00Z", "2025-01-01T12:00:00Z"] {
        let range = [
            ("start_time", START),
            ("end_time", end),
            ("interval", "all"),
            ("agg_func", "count,sum"),
            ("series", SCORE),
        ];
        both.push(results(
            &get_timeseries(app, user, &range).await.expect(200),
        ));
    }
    assert_eq!(both[0], both[1], "summaries of days and of blocks agree");
    both[0]
        .first()
        .map_or(Value::Null, |row| row["value"].clone())
}

async fn the_same_session_many_times_is_stored_once(backend: Backend) {
    let app = TestApp::seeded(backend).await;
    let user = Uuid::new_v4();
    let body = session(
        user,
        Uuid::new_v4(),
        START,
        &[score(START, 1.0), score(START, 2.0)],
    );
    let responses = join_all((0..12).map(|_| post(&app, "", &body))).await;
    assert_eq!(
        statuses(&responses),
        [[200; 11].as_slice(), &[201]].concat()
    );
    let versions: Vec<_> = responses
        .iter()
        .map(|a| a.json()["version"].clone())
        .collect();
    assert!(
        versions.iter().all(|v| v.is_u64() && *v == versions[0]),
        "only one change: {versions:?}"
    );
    assert_eq!(points_of(&app, user).await, 2);
}

async fn concurrent_sessions_with_one_id_store_one(backend: Backend) {
    let app = TestApp::seeded(backend).await;
    let (user, id) = (Uuid::new_v4(), Uuid::new_v4());
    let bodies: Vec<_> = (0..12)
        .map(|i| session(user, id, START, &[score(START, f64::from(i))]))
        .collect();
    let responses = join_all(bodies.iter().map(|body| post(&app, "", body))).await;
    assert_eq!(
        statuses(&responses),
        [[201].as_slice(), &[409; 11]].concat()
    );
    assert_eq!(sessions_of(&app, user).await.len(), 1);
    let stored = responses
        .iter()
        .position(|a| a.status.as_u16() == 201)
        .expect("one session is stored");
    let again = post(&app, "", &bodies[stored]).await.expect(200).json();
    assert_eq!(
        again["outcome"], "unchanged",
        "the session reported as created is the stored one"
    );
}

async fn concurrent_replacements_leave_one_session_and_its_sums(backend: Backend) {
    let app = TestApp::seeded(backend).await;
    let (user, id) = (Uuid::new_v4(), Uuid::new_v4());
    let points = |i: u32| vec![score("2025-01-01T06:00:00Z", f64::from(i)); i as usize];
    let bodies: Vec<_> = (1..=12)
        .map(|i| session(user, id, START, &points(i)))
        .collect();
    let responses = join_all(
        bodies
            .iter()
            .map(|body| post(&app, "?on_conflict=replace", body)),
    )
    .await;
    assert_eq!(
        statuses(&responses),
        [[200; 11].as_slice(), &[201]].concat()
    );
    let mut versions: Vec<_> = responses
        .iter()
        .filter_map(|a| a.json()["version"].as_u64())
        .collect();
    versions.sort_unstable();
    assert!(
        versions.windows(2).all(|two| two[1] == two[0] + 1),
        "each change has its own version: {versions:?}"
    );
    let last = responses
        .iter()
        .position(|a| a.json()["version"].as_u64() == versions.last().copied())
        .expect("the last one");
    let n = last + 1;
    assert_eq!(
        crate::common::as_floats(&count_and_sum(&app, user).await),
        crate::common::as_floats(&json!({"count": n, "sum": n * n}))
    );
}

async fn concurrent_stores_and_deletes_leave_exact_sums(backend: Backend) {
    let app = TestApp::seeded(backend).await;
    let user = Uuid::new_v4();
    let bodies: Vec<_> = (0..20)
        .map(|i| {
            session(
                user,
                Uuid::new_v4(),
                START,
                &[score("2025-01-01T06:00:00Z", f64::from(i))],
            )
        })
        .collect();
    let (old, new) = bodies.split_at(10);
    let _ = join_all(
        old.iter()
            .map(async |body| post(&app, "", body).await.expect(201)),
    )
    .await;
    let path = |body: &Value| {
        format!(
            "/api/sessions/{}/",
            body["session_id"].as_str().expect("an id")
        )
    };
    let deletes = join_all(
        old.iter()
            .map(async |body| app.delete(&path(body)).await.expect(204)),
    );
    let posts = join_all(
        new.iter()
            .map(async |body| post(&app, "", body).await.expect(201)),
    );
    let _ = futures_util::join!(deletes, posts);
    assert_eq!(
        crate::common::as_floats(&count_and_sum(&app, user).await),
        json!({"count": 10.0, "sum": 145.0})
    );
    assert_eq!(sessions_of(&app, user).await.len(), 10);
}

async fn one_of_many_concurrent_deletes_succeeds(backend: Backend) {
    let app = TestApp::seeded(backend).await;
    let user = Uuid::new_v4();
    let id = crate::common::store(&app, user, START, &[score(START, 1.0)]).await;
    let path = format!("/api/sessions/{id}/");
    let responses = join_all((0..8).map(|_| app.delete(&path))).await;
    assert_eq!(statuses(&responses), [[204].as_slice(), &[404; 7]].concat());
    assert_eq!(count_and_sum(&app, user).await, Value::Null);
}
