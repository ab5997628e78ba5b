//! Replacing or deleting a session forgets what was appended to it, keys included.

use serde_json::json;
use time_series_testkit::Backend;

use super::{Case, assert_told, at, hr, rgb};
use crate::common::{COLOR, assert_problem, points_of, sessions_of};
use crate::on_both_servers;

on_both_servers![
    replacing_forgets_parts_and_keys,
    a_put_forgets_parts_and_keys,
    what_replaces_a_session_is_what_it_holds_then,
    deleting_forgets_parts_and_keys,
    ignoring_keeps_everything,
    another_session_under_the_id_is_still_a_conflict,
    metric_types_of_appended_points_are_in_use,
];

/// A session of one point, with a part without a key, one with a key, and points at midnight and of another series.
async fn appended_to(backend: Backend) -> Case {
    let case = Case::new(backend, &[hr(0, 1.0)]).await;
    assert_told(
        &case
            .append(&[hr(10, 2.0), rgb(86_400, 1.0, 2.0, 3.0)])
            .await,
        "appended",
        2,
        3,
        2,
    );
    assert_told(
        &case.append_as("k", &[hr(-5, 3.0)]).await,
        "appended",
        1,
        4,
        3,
    );
    case
}

/// Checks that the parts of before are unknown: they are added, in the version that follows the one given.
async fn forgotten(case: &Case, version: u64) {
    let keyed = case.append_as("k", &[hr(-5, 3.0)]).await;
    assert_told(&keyed, "appended", 1, 2, version + 1);
    assert!(!keyed.headers.contains_key("idempotent-replayed"));
    assert_told(
        &case
            .append(&[hr(10, 2.0), rgb(86_400, 1.0, 2.0, 3.0)])
            .await,
        "appended",
        2,
        4,
        version + 2,
    );
    case.assert_scores(&[(-5, 3.0), (5, 9.0), (10, 2.0)]).await;
}

async fn replacing_forgets_parts_and_keys(backend: Backend) {
    let case = appended_to(backend).await;
    assert_told(
        &case.post("replace", &[hr(5, 9.0)]).await,
        "replaced",
        1,
        1,
        4,
    );
    case.assert_scores(&[(5, 9.0)]).await;
    assert_eq!(points_of(&case.app, case.user).await, 1);
    forgotten(&case, 4).await;
    // The replaced session's first part is no retry, either.
    assert_told(&case.append(&[hr(0, 1.0)]).await, "appended", 1, 5, 7);
    assert_told(
        &case.post("append", &[hr(5, 9.0)]).await,
        "unchanged",
        1,
        5,
        7,
    );
    case.end().await;
}

async fn a_put_forgets_parts_and_keys(backend: Backend) {
    let case = appended_to(backend).await;
    let answer = case
        .app
        .put(&case.record_path(), &case.body(&[hr(5, 9.0)]))
        .await;
    assert_told(&answer, "replaced", 1, 1, 4);
    forgotten(&case, 4).await;
    case.end().await;
}

/// Also where it is what the session held before it was added to.
async fn what_replaces_a_session_is_what_it_holds_then(backend: Backend) {
    for put in [true, false] {
        let case = appended_to(backend).await;
        let first = [hr(0, 1.0)];
        let answer = if put {
            case.app.put(&case.record_path(), &case.body(&first)).await
        } else {
            case.post("replace", &first).await
        };
        assert_told(&answer, "replaced", 1, 1, 4);
        case.assert_scores(&[(0, 1.0)]).await;
        case.end().await;
    }
}

async fn deleting_forgets_parts_and_keys(backend: Backend) {
    let case = appended_to(backend).await;
    let _ = case.app.delete(&case.record_path()).await.expect(204);
    assert_problem(&case.append(&[hr(10, 2.0)]).await, 404, "session_not_found");
    assert_problem(
        &case.append_as("k", &[hr(-5, 3.0)]).await,
        404,
        "session_not_found",
    );
    assert_eq!(points_of(&case.app, case.user).await, 0);
    assert!(sessions_of(&case.app, case.user).await.is_empty());
    let created = case.post("append", &[hr(5, 9.0)]).await.expect(201).json();
    assert_eq!(
        (&created["outcome"], &created["total_points"]),
        (&json!("created"), &json!(1))
    );
    forgotten(&case, created["version"].as_u64().expect("a version")).await;
    case.end().await;
}

async fn ignoring_keeps_everything(backend: Backend) {
    let case = appended_to(backend).await;
    let ignored = case.post("ignore", &[hr(5, 9.0)]).await.expect(200).json();
    assert_eq!(
        (&ignored["outcome"], &ignored["total_points"]),
        (&json!("ignored"), &json!(4))
    );
    assert_told(
        &case
            .append(&[hr(10, 2.0), rgb(86_400, 1.0, 2.0, 3.0)])
            .await,
        "unchanged",
        2,
        4,
        3,
    );
    case.assert_scores(&[(-5, 3.0), (0, 1.0), (10, 2.0)]).await;
    case.end().await;
}

async fn another_session_under_the_id_is_still_a_conflict(backend: Backend) {
    let case = appended_to(backend).await;
    assert_problem(
        &case.post("error", &[hr(5, 9.0)]).await,
        409,
        "session_conflict",
    );
    assert_problem(&case.post("error", &[]).await, 409, "session_conflict");
    case.assert_scores(&[(-5, 3.0), (0, 1.0), (10, 2.0)]).await;
    case.end().await;
}

async fn metric_types_of_appended_points_are_in_use(backend: Backend) {
    let case = appended_to(backend).await;
    let path = format!("/api/metrictypes/{COLOR}/");
    assert_problem(&case.app.delete(&path).await, 409, "metric_type_in_use");
    let text = json!({"series": COLOR, "schema": {"type": "string"}});
    assert_problem(&case.app.put(&path, &text).await, 409, "metric_type_in_use");
    assert_told(
        &case.post("replace", &[hr(5, 9.0)]).await,
        "replaced",
        1,
        1,
        4,
    );
    let _ = case.app.delete(&path).await.expect(204);
    let gone = case.append(&[rgb(1, 1.0, 2.0, 3.0)]).await;
    assert_problem(&gone, 422, "invalid_session");
    assert_eq!(gone.faults(), ["/data/0/series unknown_series"]);
    assert_eq!(case.scores().await, [(5, 9.0)]);
    assert_eq!(case.record().await["first_time"], at(5));
    case.end().await;
}
