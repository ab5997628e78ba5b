//! Replacing or deleting a session forgets its appends, including their idempotency keys.

use serde_json::json;
use time_series_testkit::Backend;

use super::{Case, Stored, assert_receipt, at, color_at, score_at};
use crate::common::{COLOR, assert_problem, points_of, sessions_of};
use crate::on_both_servers;

on_both_servers![
    replacing_forgets_appends_and_keys,
    a_put_forgets_appends_and_keys,
    a_replacement_defines_the_points_of_a_session,
    deleting_forgets_appends_and_keys,
    ignore_keeps_sessions_appends_and_keys,
    a_different_session_with_the_id_is_still_a_conflict,
    metric_types_of_appended_points_are_in_use,
];

/// A session of one point, with appends with and without a key, at midnight and of another series.
async fn appended_to(backend: Backend) -> Case {
    let case = Case::new(backend, &[score_at(0, 1.0)]).await;
    assert_receipt(
        &case
            .append(&[score_at(10, 2.0), color_at(86_400, 1.0, 2.0, 3.0)])
            .await,
        &Stored {
            outcome: "appended",
            points: 2,
            total_points: 3,
            version: 2,
        },
    );
    assert_receipt(
        &case.append_with_key("k", &[score_at(-5, 3.0)]).await,
        &Stored {
            outcome: "appended",
            points: 1,
            total_points: 4,
            version: 3,
        },
    );
    case
}

/// Checks that the former appends are unknown: they are added, in the version after the given one.
async fn assert_forgotten(case: &Case, version: u64) {
    let keyed = case.append_with_key("k", &[score_at(-5, 3.0)]).await;
    assert_receipt(
        &keyed,
        &Stored {
            outcome: "appended",
            points: 1,
            total_points: 2,
            version: version + 1,
        },
    );
    assert!(!keyed.headers.contains_key("idempotent-replayed"));
    assert_receipt(
        &case
            .append(&[score_at(10, 2.0), color_at(86_400, 1.0, 2.0, 3.0)])
            .await,
        &Stored {
            outcome: "appended",
            points: 2,
            total_points: 4,
            version: version + 2,
        },
    );
    case.assert_scores(&[(-5, 3.0), (5, 9.0), (10, 2.0)]).await;
}

async fn replacing_forgets_appends_and_keys(backend: Backend) {
    let case = appended_to(backend).await;
    assert_receipt(
        &case.post("replace", &[score_at(5, 9.0)]).await,
        &Stored {
            outcome: "replaced",
            points: 1,
            total_points: 1,
            version: 4,
        },
    );
    case.assert_scores(&[(5, 9.0)]).await;
    assert_eq!(points_of(&case.app, case.user).await, 1);
    assert_forgotten(&case, 4).await;
    // The first append of the replaced session is not a retry either.
    assert_receipt(
        &case.append(&[score_at(0, 1.0)]).await,
        &Stored {
            outcome: "appended",
            points: 1,
            total_points: 5,
            version: 7,
        },
    );
    assert_receipt(
        &case.post("append", &[score_at(5, 9.0)]).await,
        &Stored {
            outcome: "unchanged",
            points: 1,
            total_points: 5,
            version: 7,
        },
    );
    case.check_database().await;
}

async fn a_put_forgets_appends_and_keys(backend: Backend) {
    let case = appended_to(backend).await;
    let response = case
        .app
        .put(&case.record_path(), &case.body(&[score_at(5, 9.0)]))
        .await;
    assert_receipt(
        &response,
        &Stored {
            outcome: "replaced",
            points: 1,
            total_points: 1,
            version: 4,
        },
    );
    assert_forgotten(&case, 4).await;
    case.check_database().await;
}

/// This also applies to the points that the session had before any append.
async fn a_replacement_defines_the_points_of_a_session(backend: Backend) {
    for put in [true, false] {
        let case = appended_to(backend).await;
        let first = [score_at(0, 1.0)];
        let response = if put {
            case.app.put(&case.record_path(), &case.body(&first)).await
        } else {
            case.post("replace", &first).await
        };
        assert_receipt(
            &response,
            &Stored {
                outcome: "replaced",
                points: 1,
                total_points: 1,
                version: 4,
            },
        );
        case.assert_scores(&[(0, 1.0)]).await;
        case.check_database().await;
    }
}

async fn deleting_forgets_appends_and_keys(backend: Backend) {
    let case = appended_to(backend).await;
    let _ = case.app.delete(&case.record_path()).await.expect(204);
    assert_problem(
        &case.append(&[score_at(10, 2.0)]).await,
        404,
        "session_not_found",
    );
    assert_problem(
        &case.append_with_key("k", &[score_at(-5, 3.0)]).await,
        404,
        "session_not_found",
    );
    assert_eq!(points_of(&case.app, case.user).await, 0);
    assert!(sessions_of(&case.app, case.user).await.is_empty());
    let created = case
        .post("append", &[score_at(5, 9.0)])
        .await
        .expect(201)
        .json();
    assert_eq!(
        (&created["outcome"], &created["total_points"]),
        (&json!("created"), &json!(1))
    );
    assert_forgotten(&case, created["version"].as_u64().expect("a version")).await;
    case.check_database().await;
}

async fn ignore_keeps_sessions_appends_and_keys(backend: Backend) {
    let case = appended_to(backend).await;
    let ignored = case
        .post("ignore", &[score_at(5, 9.0)])
        .await
        .expect(200)
        .json();
    assert_eq!(
        (&ignored["outcome"], &ignored["total_points"]),
        (&json!("ignored"), &json!(4))
    );
    assert_receipt(
        &case
            .append(&[score_at(10, 2.0), color_at(86_400, 1.0, 2.0, 3.0)])
            .await,
        &Stored {
            outcome: "unchanged",
            points: 2,
            total_points: 4,
            version: 3,
        },
    );
    case.assert_scores(&[(-5, 3.0), (0, 1.0), (10, 2.0)]).await;
    case.check_database().await;
}

async fn a_different_session_with_the_id_is_still_a_conflict(backend: Backend) {
    let case = appended_to(backend).await;
    assert_problem(
        &case.post("error", &[score_at(5, 9.0)]).await,
        409,
        "session_conflict",
    );
    assert_problem(&case.post("error", &[]).await, 409, "session_conflict");
    case.assert_scores(&[(-5, 3.0), (0, 1.0), (10, 2.0)]).await;
    case.check_database().await;
}

async fn metric_types_of_appended_points_are_in_use(backend: Backend) {
    let case = appended_to(backend).await;
    let path = format!("/api/metrictypes/{COLOR}/");
    assert_problem(&case.app.delete(&path).await, 409, "metric_type_in_use");
    let text = json!({"series": COLOR, "schema": {"type": "string"}});
    assert_problem(&case.app.put(&path, &text).await, 409, "metric_type_in_use");
    assert_receipt(
        &case.post("replace", &[score_at(5, 9.0)]).await,
        &Stored {
            outcome: "replaced",
            points: 1,
            total_points: 1,
            version: 4,
        },
    );
    let _ = case.app.delete(&path).await.expect(204);
    let gone = case.append(&[color_at(1, 1.0, 2.0, 3.0)]).await;
    assert_problem(&gone, 422, "invalid_session");
    assert_eq!(gone.faults(), ["/data/0/series unknown_series"]);
    assert_eq!(case.scores().await, [(5, 9.0)]);
    assert_eq!(case.record().await["first_time"], at(5));
    case.check_database().await;
}
