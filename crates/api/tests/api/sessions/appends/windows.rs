//! The allowed times of appended points: around the session's start, or around its first point.

use serde_json::{Value, json};
use time_series_testkit::Backend;
use uuid::Uuid;

use super::{Case, START, Stored, assert_receipt, at, score_at};
use crate::common::{SCORE, as_floats, assert_faults, assert_problem, from_now, results, score};
use crate::on_both_servers;

on_both_servers![
    points_must_be_near_the_start,
    points_must_be_near_an_omitted_start,
    only_points_outside_the_window_are_reported,
    the_edges_of_the_window_are_accepted,
    the_edges_of_the_window_of_an_omitted_start_are_accepted,
    without_a_start_points_must_be_within_31_days_of_each_other,
    without_a_start_appends_must_be_near_the_stored_points,
    points_must_not_be_in_the_future,
];

const DAY: i64 = 86_400;

/// Sends points outside the window of a session with a start.
async fn assert_outside_is_rejected(backend: Backend, start: Option<&str>) {
    let case = Case::new(backend, &[score_at(0, 1.0)]).await;
    let part = [
        score_at(1, 2.0),
        score_at(-DAY - 1, 3.0),
        score_at(2, 2.0),
        score_at(31 * DAY + 1, 3.0),
        score_at(400 * DAY, 1.0),
    ];
    let response = case
        .app
        .post(&case.path(), &json!({"start_ts": start, "data": part}))
        .await;
    assert_problem(&response, 422, "invalid_session");
    let faults = [1, 3, 4].map(|i| format!("/data/{i}/time implausible_time"));
    assert_faults(&response, &faults.each_ref().map(String::as_str));
    assert_eq!(response.problem().total_errors, 3);
    assert_problem(&case.post("append", &part).await, 422, "invalid_session");
    let columns =
        json!([{"series": SCORE, "times": [at(1), at(40 * DAY)], "values": {"value": [1, 2]}}]);
    let response = case
        .app
        .post(&case.path(), &json!({"start_ts": start, "data": columns}))
        .await;
    assert_problem(&response, 422, "invalid_session");
    assert_faults(&response, &["/data/0/times/1 implausible_time"]);
    case.assert_scores(&[(0, 1.0)]).await;
    assert_eq!(case.record().await["version"], 1);
    case.check_database().await;
}

async fn points_must_be_near_the_start(backend: Backend) {
    assert_outside_is_rejected(backend, Some(START)).await;
}

async fn points_must_be_near_an_omitted_start(backend: Backend) {
    assert_outside_is_rejected(backend, None).await;
}

async fn only_points_outside_the_window_are_reported(backend: Backend) {
    let case = Case::new(backend, &[score_at(0, 1.0)]).await;
    for second in [-DAY - 1, 31 * DAY + 1, 400 * DAY, -400 * DAY] {
        for part in [
            vec![score_at(second, 1.0)],
            vec![score_at(second, 1.0), score_at(second, 2.0)],
        ] {
            let response = case.append(&part).await;
            assert_problem(&response, 422, "invalid_session");
            let faults: Vec<String> = (0..part.len())
                .map(|i| format!("/data/{i}/time implausible_time"))
                .collect();
            assert_faults(
                &response,
                &faults.iter().map(String::as_str).collect::<Vec<_>>(),
            );
        }
    }
    case.assert_scores(&[(0, 1.0)]).await;
    case.check_database().await;
}

/// Sends both edges in one append, which is then longer than a month.
async fn assert_edges_are_accepted(backend: Backend, start: Option<&str>) {
    let case = Case::new(backend, &[score_at(0, 1.0)]).await;
    let body = json!({"start_ts": start, "data": [score_at(-DAY, 2.0), score_at(31 * DAY, 3.0)]});
    assert_receipt(
        &case.app.post(&case.path(), &body).await,
        &Stored {
            outcome: "appended",
            points: 2,
            total_points: 3,
            version: 2,
        },
    );
    case.assert_scores(&[(-DAY, 2.0), (0, 1.0), (31 * DAY, 3.0)])
        .await;
    case.check_database().await;
}

async fn the_edges_of_the_window_are_accepted(backend: Backend) {
    assert_edges_are_accepted(backend, Some(START)).await;
}

async fn the_edges_of_the_window_of_an_omitted_start_are_accepted(backend: Backend) {
    assert_edges_are_accepted(backend, None).await;
}

/// A session without a start, with these points; the path of its points.
async fn without_start(case: &Case, data: &[Value]) -> String {
    let id = Uuid::new_v4();
    let body = json!({"user_id": case.user, "session_id": id, "data": data});
    let _ = case.app.post("/api/sessions/", &body).await.expect(201);
    format!("/api/sessions/{id}/points/")
}

async fn without_a_start_points_must_be_within_31_days_of_each_other(backend: Backend) {
    let case = Case::new(backend, &[]).await;
    let path = without_start(&case, &[]).await;
    let part = |data: &[Value]| json!({ "data": data });
    let response = case
        .app
        .post(
            &path,
            &part(&[
                score_at(5, 1.0),
                score_at(0, 1.0),
                score_at(31 * DAY + 1, 2.0),
            ]),
        )
        .await;
    assert_problem(&response, 422, "invalid_session");
    assert_faults(&response, &["/data/2/time implausible_time"]);
    assert_receipt(
        &case
            .app
            .post(&path, &part(&[score_at(31 * DAY, 2.0), score_at(0, 1.0)]))
            .await,
        &Stored {
            outcome: "appended",
            points: 2,
            total_points: 2,
            version: 3,
        },
    );
    case.check_database().await;
}

async fn without_a_start_appends_must_be_near_the_stored_points(backend: Backend) {
    let case = Case::new(backend, &[]).await;
    let path = without_start(&case, &[score_at(10 * DAY, 1.0), score_at(20 * DAY, 2.0)]).await;
    let send = async |data: &[Value]| case.app.post(&path, &json!({ "data": data })).await;
    for (part, faults) in [
        (
            vec![score_at(15 * DAY, 3.0), score_at(41 * DAY + 1, 4.0)],
            "/data/1/time implausible_time",
        ),
        (
            vec![score_at(-11 * DAY - 1, 3.0)],
            "/data/0/time implausible_time",
        ),
    ] {
        let response = send(&part).await;
        assert_problem(&response, 422, "invalid_session");
        assert_faults(&response, &[faults]);
    }
    assert_receipt(
        &send(&[score_at(41 * DAY, 4.0)]).await,
        &Stored {
            outcome: "appended",
            points: 1,
            total_points: 3,
            version: 3,
        },
    );
    // The last point is now later, so that the earliest allowed time is later, too.
    assert_problem(
        &send(&[score_at(10 * DAY - 1, 3.0)]).await,
        422,
        "invalid_session",
    );
    let path = without_start(&case, &[score_at(20 * DAY, 2.0)]).await;
    let response = case
        .app
        .post(&path, &json!({"data": [score_at(-11 * DAY, 3.0)]}))
        .await;
    assert_receipt(
        &response,
        &Stored {
            outcome: "appended",
            points: 1,
            total_points: 2,
            version: 5,
        },
    );
    let response = case
        .app
        .post(&path, &json!({"data": [score_at(20 * DAY + 1, 3.0)]}))
        .await;
    assert_problem(&response, 422, "invalid_session");
    let listed = results(&case.app.get(&path).await.expect(200));
    let listed: Vec<Value> = listed.iter().map(|row| as_floats(&row["value"])).collect();
    assert_eq!(listed, [json!({"value": 3.0}), json!({"value": 2.0})]);
    case.check_database().await;
}

async fn points_must_not_be_in_the_future(backend: Backend) {
    let case = Case::new(backend, &[]).await;
    let path = without_start(&case, &[score(&from_now(-60), 1.0)]).await;
    let soon = json!({"data": [score(&from_now(3_600), 2.0)]});
    assert_receipt(
        &case.app.post(&path, &soon).await,
        &Stored {
            outcome: "appended",
            points: 1,
            total_points: 2,
            version: 3,
        },
    );
    let late = json!({"data": [score(&from_now(60), 2.0), score(&from_now(2 * DAY), 2.0)]});
    let response = case.app.post(&path, &late).await;
    assert_problem(&response, 422, "invalid_session");
    assert_faults(&response, &["/data/1/time implausible_time"]);
    case.check_database().await;
}
