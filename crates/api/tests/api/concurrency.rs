//! Concurrent writers: no duplicates, no losses, exact summaries.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Value, json};
use time_series_testkit::{Backend, TestApp};
use uuid::Uuid;

use crate::common::{SCORE, point};

fn session(user: Uuid, session: Uuid, hour: u32, values: &[u32]) -> Value {
    let point = |(i, value): (usize, &u32)| {
        point(
            SCORE,
            &format!("2025-03-01T{hour:02}:{i:02}:00Z"),
            &json!({"value": value}),
        )
    };
    json!({
        "user_id": user, "session_id": session, "start_ts": "2025-03-01T00:00:00Z",
        "data": values.iter().enumerate().map(point).collect::<Vec<_>>()
    })
}

async fn count_of(app: &TestApp, user: Uuid) -> u64 {
    let response = app
        .timeseries(user, "interval=all&start_time=2025-01-01&agg_func=count")
        .await
        .expect(200)
        .json();
    response["results"][0]["value"].as_u64().unwrap_or(0)
}

#[tokio::test]
async fn one_session_from_32_clients_is_stored_once() {
    for backend in Backend::ALL {
        let app = TestApp::seeded(backend).await;
        let user = Uuid::new_v4();
        let body = session(user, Uuid::new_v4(), 1, &[1, 2, 3]);
        let posts = (0..32).map(|_| app.post("/api/sessions/", &body));
        let responses = futures_util::future::join_all(posts).await;
        let created = responses.iter().filter(|a| a.status == 201).count();
        let unchanged = responses.iter().filter(|a| a.status == 200).count();
        assert_eq!((created, unchanged), (1, 31));
        assert_eq!(count_of(&app, user).await, 3);
        app.database.check_day_summaries().await;
    }
}

#[tokio::test]
async fn concurrent_repeats_of_stored_sessions_change_nothing() {
    let app = TestApp::seeded(Backend::Plain).await;
    let bodies: Vec<Value> = (0..24)
        .map(|i| session(Uuid::new_v4(), Uuid::new_v4(), 1, &[i, 2, 3]))
        .collect();
    for body in &bodies {
        let _ = app.post("/api/sessions/", body).await.expect(201);
    }
    let client = async |client: usize| {
        for round in 0..60 {
            let response = app
                .post(
                    "/api/sessions/",
                    &bodies[(client * 7 + round) % bodies.len()],
                )
                .await;
            assert_eq!(response.expect(200).receipt().outcome, "unchanged");
        }
    };
    futures_util::future::join_all((0..24).map(client)).await;
    app.database.check_day_summaries().await;
}

#[tokio::test]
async fn a_locked_user_does_not_block_other_users_forever() {
    for backend in Backend::ALL {
        let app = TestApp::with(backend)
            .database_timeout(Duration::from_secs(4))
            .start()
            .await;
        app.seed().await;
        let users: Vec<Uuid> = (0..6).map(|_| Uuid::new_v4()).collect();
        for user in &users {
            let _ = app
                .post("/api/sessions/", &session(*user, Uuid::new_v4(), 1, &[1]))
                .await
                .expect(201);
        }
        let mut other = app.database.connect().await;
        let held = other.transaction().await.expect("a transaction");
        let lock = "SELECT version FROM user_version WHERE user_id = $1 FOR UPDATE";
        held.query_one(lock, &[&users[0]]).await.expect("the lock");
        let bodies: Vec<Value> = (0..24_u32)
            .zip(users.iter().cycle())
            .map(|(i, user)| session(*user, Uuid::new_v4(), 2, &[i]))
            .collect();
        let responses = futures_util::future::join_all(
            bodies.iter().map(|body| app.post("/api/sessions/", body)),
        )
        .await;
        let stored = |user: usize| {
            let of_user = responses
                .iter()
                .enumerate()
                .filter(|(i, _)| i % users.len() == user);
            of_user
                .filter(|(_, response)| response.status == 201)
                .count()
        };
        assert!(
            responses
                .iter()
                .all(|response| [201, 503].contains(&response.status.as_u16())),
            "{responses:?}"
        );
        assert_eq!(stored(0), 0, "the lock is held");
        for user in 1..users.len() {
            assert!(
                stored(user) > 0,
                "the first of each other user is stored: {responses:?}"
            );
        }
        held.rollback().await.expect("the lock is released");
        for body in &bodies {
            let again = app.post("/api/sessions/", body).await;
            assert!(
                [200, 201].contains(&again.status.as_u16()),
                "{}",
                again.text
            );
        }
        for user in &users {
            assert_eq!(count_of(&app, *user).await, 5);
        }
        app.database.check_day_summaries().await;
    }
}

#[tokio::test]
async fn overlapping_writes_replaces_and_deletes_of_one_day_leave_exact_summaries() {
    for backend in Backend::ALL {
        let app = TestApp::seeded(backend).await;
        let user = Uuid::new_v4();
        let ids: Vec<Uuid> = (0..8).map(|_| Uuid::new_v4()).collect();
        let worker = async |worker: u32| {
            for round in 0..12_u32 {
                let id = ids[((worker * 5 + round * 3) % 8) as usize];
                let hour = (worker + round) % 24;
                match (worker + round) % 4 {
                    0 => {
                        let response = app
                            .delete(&format!("/api/sessions/{id}/?user_id={user}"))
                            .await;
                        assert!(
                            [204, 404].contains(&response.status.as_u16()),
                            "{}",
                            response.text
                        );
                    }
                    1 => {
                        let body = session(user, id, hour, &[round, worker, 7]);
                        let response = app.put(&format!("/api/sessions/{id}/"), &body).await;
                        assert!(
                            [200, 201].contains(&response.status.as_u16()),
                            "{}",
                            response.text
                        );
                    }
                    _ => {
                        let values: Vec<u32> = (0..20).map(|i| i * worker).collect();
                        let response = app
                            .post("/api/sessions/", &session(user, id, hour, &values))
                            .await;
                        assert!(
                            [200, 201, 409].contains(&response.status.as_u16()),
                            "{}",
                            response.text
                        );
                    }
                }
            }
        };
        futures_util::future::join_all((0..10).map(worker)).await;
        app.database.check_day_summaries().await;
        let list = app
            .get(&format!("/api/sessions/?user_id={user}"))
            .await
            .expect(200)
            .json();
        let points: u64 = list["results"]
            .as_array()
            .unwrap()
            .iter()
            .map(|s| s["points"].as_u64().unwrap())
            .sum();
        assert_eq!(count_of(&app, user).await, points);
    }
}

#[tokio::test]
async fn every_change_has_its_own_version() {
    let app = TestApp::seeded(Backend::Plain).await;
    let user = Uuid::new_v4();
    let bodies: Vec<Value> = (0..20)
        .map(|i| session(user, Uuid::new_v4(), i, &[i]))
        .collect();
    let responses =
        futures_util::future::join_all(bodies.iter().map(|body| app.post("/api/sessions/", body)))
            .await;
    let versions: BTreeSet<u64> = responses
        .iter()
        .map(|a| a.receipt().version.expect("a version"))
        .collect();
    assert_eq!(versions, (1..=20).collect());
}

#[tokio::test]
async fn no_point_is_stored_under_an_old_schema() {
    let app = TestApp::start(Backend::Plain).await;
    app.metric_type("x", &json!({"type": "integer"})).await;
    let post = async |i: u32| {
        let value = if i.is_multiple_of(2) {
            json!(1)
        } else {
            json!("text")
        };
        let body = json!({"user_id": Uuid::new_v4(), "data": [{"series": "x", "time": "2025-01-01T00:00:00Z", "value": value}]});
        let response = loop {
            let response = app.post("/api/sessions/", &body).await;
            // The schema changed at each attempt.
            if response.status != 503 {
                break response;
            }
        };
        assert!(
            [201, 422].contains(&response.status.as_u16()),
            "{}",
            response.text
        );
    };
    let change = async |i: u32| {
        let kind = if i.is_multiple_of(2) {
            json!(["integer", "string"])
        } else {
            json!("integer")
        };
        let response = app
            .put("/api/metrictypes/x/", &json!({"schema": {"type": kind}}))
            .await;
        assert!(
            [200, 409].contains(&response.status.as_u16()),
            "{}",
            response.text
        );
    };
    let posts = futures_util::future::join_all((0..200).map(post));
    let changes = async {
        for i in 0..20 {
            change(i).await;
        }
    };
    futures_util::future::join(posts, changes).await;
    // Every stored point matches the final schema.
    let schema = app.get("/api/metrictypes/x/").await.expect(200).json()["schema"].clone();
    let _ = app
        .put("/api/metrictypes/x/", &json!({"schema": schema}))
        .await
        .expect(200);
}

#[tokio::test]
async fn late_data_is_in_the_next_response() {
    let app = TestApp::with(Backend::Timescaledb).cache().start().await;
    app.seed().await;
    let user = Uuid::new_v4();
    for i in 0..30 {
        let _ = app
            .post(
                "/api/sessions/",
                &session(user, Uuid::new_v4(), 23 - i % 24, &[i, i]),
            )
            .await
            .expect(201);
        assert_eq!(count_of(&app, user).await, u64::from(i + 1) * 2);
    }
}
