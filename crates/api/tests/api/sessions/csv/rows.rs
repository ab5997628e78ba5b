//! Consecutive rows with the same ids are one session, with one start.

use serde_json::json;
use time_series_testkit::Backend;

use super::{Case, START};
use crate::common::SCORE;
use crate::on_both_servers;

on_both_servers![
    rows_of_one_session_keep_their_order,
    the_start_may_be_in_any_row_or_none,
    the_start_may_be_in_a_later_row,
    an_equal_start_in_another_spelling_is_accepted,
    ids_are_equal_in_every_spelling,
];

async fn rows_of_one_session_keep_their_order(backend: Backend) {
    let case = Case::new(backend).await;
    let result = case
        .send(&[
            "user_id,session_id,series,time,value",
            "U,S0,session.gut_health_score,2025-01-01T00:00:05Z,9",
            "U,S0,session.gut_health_score,2025-01-01T00:00:01Z,3",
            "U,S0,session.gut_health_score,2025-01-01T00:00:05Z,1",
            "U,S0,session.gut_health_score,2025-01-01T00:00:05Z,5",
        ])
        .await;
    assert_eq!(result.outcomes(), [(2, 201, "created")]);
    let value = |v: u32| json!({"value": v});
    case.assert_points(
        0,
        &[
            (SCORE, 1, value(3)),
            (SCORE, 5, value(9)),
            (SCORE, 5, value(1)),
            (SCORE, 5, value(5)),
        ],
    )
    .await;
    case.check_database().await;
}

async fn the_start_may_be_in_any_row_or_none(backend: Backend) {
    let case = Case::new(backend).await;
    let result = case
        .send(&[
            "start_ts,user_id,session_id,series,time,value",
            ",U,S0,session.gut_health_score,2025-01-01T00:00:01Z,1",
            ",U,S0,session.gut_health_score,2025-01-01T00:00:02Z,1",
            "2025-01-01T00:00:00Z,U,S1,session.gut_health_score,2025-01-01T00:00:01Z,1",
            "2025-01-01T00:00:00Z,U,S1,session.gut_health_score,2025-01-01T00:00:02Z,1",
            "2025-01-01T01:00:00+01:00,U,S2,session.gut_health_score,2025-01-01T00:00:01Z,1",
            ",U,S2,session.gut_health_score,2025-01-01T00:00:02Z,1",
        ])
        .await;
    assert_eq!(
        result.outcomes(),
        [
            (2, 201, "created"),
            (4, 201, "created"),
            (6, 201, "created")
        ]
    );
    for (session, start) in [(0, json!(null)), (1, json!(START)), (2, json!(START))] {
        let record = case
            .app
            .get(&format!("/api/sessions/{}/", case.ids[session]))
            .await
            .expect(200)
            .json();
        assert_eq!(
            (&record["start_ts"], &record["points"]),
            (&start, &json!(2))
        );
    }
    case.check_database().await;
}

async fn the_start_may_be_in_a_later_row(backend: Backend) {
    let case = Case::new(backend).await;
    let result = case
        .send(&[
            "start_ts,user_id,session_id,series,time,value",
            ",U,S0,session.gut_health_score,2025-01-01T00:00:01Z,1",
            "2025-01-01T00:00:00Z,U,S0,session.gut_health_score,2025-01-01T00:00:02Z,1",
        ])
        .await;
    assert_eq!(
        result.outcomes(),
        [(2, 201, "created")],
        "{:?}",
        result.verdicts
    );
    let record = case
        .app
        .get(&format!("/api/sessions/{}/", case.ids[0]))
        .await
        .expect(200)
        .json();
    assert_eq!(
        (&record["start_ts"], &record["points"]),
        (&json!(START), &json!(2))
    );
    case.check_database().await;
}

async fn an_equal_start_in_another_spelling_is_accepted(backend: Backend) {
    let case = Case::new(backend).await;
    let result = case
        .send(&[
            "start_ts,user_id,session_id,series,time,value",
            "2025-01-01T00:00:00Z,U,S0,session.gut_health_score,2025-01-01T00:00:01Z,1",
            "2025-01-01T01:00:00+01:00,U,S0,session.gut_health_score,2025-01-01T00:00:02Z,1",
            "2025-01-01T00:00:00.000Z,U,S0,session.gut_health_score,2025-01-01T00:00:03Z,1",
        ])
        .await;
    assert_eq!(
        result.outcomes(),
        [(2, 201, "created")],
        "{:?}",
        result.verdicts
    );
    case.check_database().await;
}

async fn ids_are_equal_in_every_spelling(backend: Backend) {
    let case = Case::new(backend).await;
    let loud = format!(
        "{},{},session.gut_health_score,2025-01-01T00:00:02Z,2",
        case.user.to_string().to_uppercase(),
        case.ids[0].to_string().to_uppercase()
    );
    let header = "user_id,session_id,series,time,value";
    let result = case
        .send(&[
            header,
            "U,S0,session.gut_health_score,2025-01-01T00:00:01Z,1",
            &loud,
        ])
        .await;
    assert_eq!(
        result.outcomes(),
        [(2, 201, "created")],
        "{:?}",
        result.verdicts
    );
    case.assert_points(
        0,
        &[
            (SCORE, 1, json!({"value": 1})),
            (SCORE, 2, json!({"value": 2})),
        ],
    )
    .await;
    case.check_database().await;
}
