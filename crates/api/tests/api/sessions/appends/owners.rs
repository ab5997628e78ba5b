//! The owner of the session that is appended to; its start and its id must be the stored ones.

use serde_json::json;
use time_series_testkit::Backend;
use uuid::Uuid;

use super::{Case, START, Stored, assert_receipt, at, score_at};
use crate::common::{assert_problem, points_of, session};
use crate::on_both_servers;

on_both_servers![
    an_unknown_session_is_not_found,
    an_append_may_name_its_user,
    another_user_s_session_is_not_found,
    an_id_of_several_users_requires_the_user,
    an_append_may_name_its_session,
    the_start_may_be_omitted_or_equal_the_stored_one,
    a_different_start_is_a_conflict,
    appends_cannot_add_a_start,
    an_invalid_id_is_rejected,
];

async fn an_unknown_session_is_not_found(backend: Backend) {
    let case = Case::new(backend, &[score_at(0, 1.0)]).await;
    let unknown = Uuid::new_v4();
    for path in [
        format!("/api/sessions/{unknown}/points/"),
        format!("/api/sessions/{unknown}/points/?user_id={}", case.user),
    ] {
        for body in [
            json!({"data": [score_at(1, 1.0)]}),
            session(case.user, unknown, START, &[score_at(1, 1.0)]),
        ] {
            assert_problem(&case.app.post(&path, &body).await, 404, "session_not_found");
        }
    }
    assert_eq!(points_of(&case.app, case.user).await, 1);
    case.check_database().await;
}

async fn an_append_may_name_its_user(backend: Backend) {
    let case = Case::new(backend, &[score_at(0, 1.0)]).await;
    let body = json!({"user_id": case.user, "data": [score_at(1, 1.0)]});
    assert_receipt(
        &case.app.post(&case.path(), &body).await,
        &Stored {
            outcome: "appended",
            points: 1,
            total_points: 2,
            version: 2,
        },
    );
    let path = format!("{}?user_id={}", case.path(), case.user);
    assert_receipt(
        &case
            .app
            .post(&path, &json!({"data": [score_at(2, 1.0)]}))
            .await,
        &Stored {
            outcome: "appended",
            points: 1,
            total_points: 3,
            version: 3,
        },
    );
    let body = json!({"user_id": case.user.to_string().to_uppercase(), "data": [score_at(3, 1.0)]});
    assert_receipt(
        &case.app.post(&path, &body).await,
        &Stored {
            outcome: "appended",
            points: 1,
            total_points: 4,
            version: 4,
        },
    );
    case.check_database().await;
}

async fn another_user_s_session_is_not_found(backend: Backend) {
    let case = Case::new(backend, &[score_at(0, 1.0)]).await;
    let stranger = Uuid::new_v4();
    let body = json!({"user_id": stranger, "data": [score_at(1, 1.0)]});
    assert_problem(
        &case.app.post(&case.path(), &body).await,
        404,
        "session_not_found",
    );
    let path = format!("{}?user_id={stranger}", case.path());
    assert_problem(
        &case
            .app
            .post(&path, &json!({"data": [score_at(1, 1.0)]}))
            .await,
        404,
        "session_not_found",
    );
    // Two different ones cannot both be right.
    for (query, body) in [(stranger, case.user), (case.user, stranger)] {
        let path = format!("{}?user_id={query}", case.path());
        let response = case
            .app
            .post(&path, &json!({"user_id": body, "data": [score_at(1, 1.0)]}))
            .await;
        assert!(
            [404, 422].contains(&response.status.as_u16()),
            "{}",
            response.text
        );
    }
    for wrong in ["me", ""] {
        let response = case
            .app
            .post(
                &format!("{}?user_id={wrong}", case.path()),
                &json!({"data": []}),
            )
            .await;
        assert_problem(&response, 422, "invalid_parameters");
        let response = case
            .app
            .post(&case.path(), &json!({"user_id": wrong, "data": []}))
            .await;
        assert_problem(&response, 422, "invalid_session");
        assert_eq!(response.faults(), ["/user_id invalid_uuid"]);
    }
    case.assert_scores(&[(0, 1.0)]).await;
    assert_eq!(points_of(&case.app, stranger).await, 0);
    case.check_database().await;
}

async fn an_id_of_several_users_requires_the_user(backend: Backend) {
    let case = Case::new(backend, &[score_at(0, 1.0)]).await;
    let other = Uuid::new_v4();
    let body = session(other, case.id, START, &[score_at(0, 10.0)]);
    assert_eq!(
        case.app
            .post("/api/sessions/?on_conflict=append", &body)
            .await
            .expect(201)
            .receipt()
            .outcome,
        "created"
    );
    let ambiguous = case.append(&[score_at(1, 2.0)]).await;
    assert_problem(&ambiguous, 409, "session_ambiguous");
    assert!(
        ambiguous.text.contains("user_id"),
        "the message names user_id: {}",
        ambiguous.text
    );
    let part = [score_at(1, 2.0)];
    let named = json!({"user_id": case.user, "data": part});
    assert_receipt(
        &case.app.post(&case.path(), &named).await,
        &Stored {
            outcome: "appended",
            points: 1,
            total_points: 2,
            version: 2,
        },
    );
    let path = format!("{}?user_id={other}", case.path());
    assert_receipt(
        &case.app.post(&path, &json!({"data": part})).await,
        &Stored {
            outcome: "appended",
            points: 1,
            total_points: 2,
            version: 2,
        },
    );
    assert_receipt(
        &case.app.post(&path, &json!({"data": part})).await,
        &Stored {
            outcome: "unchanged",
            points: 1,
            total_points: 2,
            version: 2,
        },
    );
    assert_receipt(
        &case.app.post(&case.path(), &named).await,
        &Stored {
            outcome: "unchanged",
            points: 1,
            total_points: 2,
            version: 2,
        },
    );
    case.assert_scores(&[(0, 1.0), (1, 2.0)]).await;
    assert_eq!(points_of(&case.app, other).await, 2);
    let stranger = format!("{}?user_id={}", case.path(), Uuid::new_v4());
    assert_problem(
        &case.app.post(&stranger, &json!({"data": part})).await,
        404,
        "session_not_found",
    );
    let _ = case
        .app
        .delete(&format!("{}?user_id={other}", case.record_path()))
        .await
        .expect(204);
    assert_receipt(
        &case.append(&[score_at(2, 3.0)]).await,
        &Stored {
            outcome: "appended",
            points: 1,
            total_points: 3,
            version: 3,
        },
    );
    case.check_database().await;
}

async fn an_append_may_name_its_session(backend: Backend) {
    let case = Case::new(backend, &[score_at(0, 1.0)]).await;
    let body = |id: Uuid, second: i64| json!({"session_id": id, "data": [score_at(second, 1.0)]});
    assert_receipt(
        &case.app.post(&case.path(), &body(case.id, 1)).await,
        &Stored {
            outcome: "appended",
            points: 1,
            total_points: 2,
            version: 2,
        },
    );
    let response = case.app.post(&case.path(), &body(Uuid::new_v4(), 2)).await;
    assert_problem(&response, 422, "invalid_session");
    assert!(
        response.faults()[0].starts_with("/session_id "),
        "{}",
        response.text
    );
    case.assert_scores(&[(0, 1.0), (1, 1.0)]).await;
    case.check_database().await;
}

async fn the_start_may_be_omitted_or_equal_the_stored_one(backend: Backend) {
    let case = Case::new(backend, &[score_at(0, 1.0)]).await;
    let starts = [
        json!(START),
        json!("2025-01-01T00:00:00.000000Z"),
        json!("2024-12-31T19:00:00-05:00"),
        json!(null),
    ];
    for (second, start) in (1..).zip(starts) {
        let body = json!({"start_ts": start, "data": [score_at(second, 1.0)]});
        let total = u64::try_from(second).expect("small") + 1;
        assert_receipt(
            &case.app.post(&case.path(), &body).await,
            &Stored {
                outcome: "appended",
                points: 1,
                total_points: total,
                version: total,
            },
        );
    }
    let body = json!({"user_id": case.user, "session_id": case.id, "data": [score_at(9, 1.0)]});
    assert_receipt(
        &case
            .app
            .post("/api/sessions/?on_conflict=append", &body)
            .await,
        &Stored {
            outcome: "appended",
            points: 1,
            total_points: 6,
            version: 6,
        },
    );
    assert_eq!(case.record().await["start_ts"], START);
    case.check_database().await;
}

async fn a_different_start_is_a_conflict(backend: Backend) {
    let case = Case::new(backend, &[score_at(0, 1.0)]).await;
    for start in [
        at(1),
        at(-1),
        at(86_400),
        "2025-01-01T00:00:00.000001Z".to_owned(),
    ] {
        let body = session(case.user, case.id, &start, &[score_at(1, 2.0)]);
        assert_problem(
            &case.app.post(&case.path(), &body).await,
            409,
            "append_conflict",
        );
        assert_problem(
            &case
                .app
                .post("/api/sessions/?on_conflict=append", &body)
                .await,
            409,
            "append_conflict",
        );
        let bulk = case
            .app
            .post_text("/api/sessions/bulk/?on_conflict=append", &body.to_string())
            .await
            .expect(200);
        assert!(
            bulk.text.contains(r#""code":"append_conflict""#),
            "{}",
            bulk.text
        );
    }
    case.assert_scores(&[(0, 1.0)]).await;
    assert_eq!(
        (
            &case.record().await["start_ts"],
            &case.record().await["version"]
        ),
        (&json!(START), &json!(1))
    );
    case.check_database().await;
}

async fn appends_cannot_add_a_start(backend: Backend) {
    let case = Case::new(backend, &[]).await;
    let id = Uuid::new_v4();
    let body = json!({"user_id": case.user, "session_id": id, "data": [score_at(0, 1.0)]});
    let _ = case.app.post("/api/sessions/", &body).await.expect(201);
    let path = format!("/api/sessions/{id}/points/");
    assert_receipt(
        &case
            .app
            .post(&path, &json!({"data": [score_at(1, 1.0)]}))
            .await,
        &Stored {
            outcome: "appended",
            points: 1,
            total_points: 2,
            version: 3,
        },
    );
    let started = json!({"start_ts": START, "data": [score_at(2, 1.0)]});
    assert_problem(
        &case.app.post(&path, &started).await,
        409,
        "append_conflict",
    );
    let record = case
        .app
        .get(&format!("/api/sessions/{id}/"))
        .await
        .expect(200)
        .json();
    assert_eq!(
        (&record["start_ts"], &record["points"]),
        (&json!(null), &json!(2))
    );
    case.check_database().await;
}

async fn an_invalid_id_is_rejected(backend: Backend) {
    let case = Case::new(backend, &[]).await;
    let read = case.app.get("/api/sessions/mine/").await;
    let response = case
        .app
        .post(
            "/api/sessions/mine/points/",
            &json!({"data": [score_at(1, 1.0)]}),
        )
        .await;
    assert_eq!(
        (response.status, response.code()),
        (read.status, read.code()),
        "the same problem as other endpoints: {}",
        response.text
    );
    case.check_database().await;
}
