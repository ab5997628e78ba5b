//! Rows with faults: reported by line and column; they reject their own session only.

use serde_json::json;
use time_series_testkit::Backend;

use super::Case;
use crate::common::sessions_of;
use crate::on_both_servers;

on_both_servers![
    faults_are_at_their_line_and_column,
    all_faults_of_a_session_are_reported,
    a_wrong_number_of_cells_is_rejected,
    invalid_ids_are_named,
    different_starts_are_rejected,
    points_outside_the_window_are_reported,
];

const HEADER: &str = "user_id,session_id,series,time,value,start_ts";
const GOOD: &str = "U,S0,session.gut_health_score,2025-01-01T00:00:01Z,1,";

async fn faults_are_at_their_line_and_column(backend: Backend) {
    let case = Case::new(backend).await;
    for (row, fault) in [
        (
            "U,S1,session.gut_health_score,2025-01-01T00:00:01Z,high,",
            "/3/value schema_violation",
        ),
        (
            "U,S1,session.gut_health_score,2025-01-01T00:00:01Z,null,",
            "/3/value schema_violation",
        ),
        (
            "U,S1,session.gut,2025-01-01T00:00:01Z,1,",
            "/3/series unknown_series",
        ),
        (
            "U,S1,session.gut_health_score,2025-01-01,1,",
            "/3/time invalid_time",
        ),
        (
            "U,S1,session.gut_health_score,yesterday,1,",
            "/3/time invalid_time",
        ),
        (
            "U,S1,session.gut_health_score,2025-01-01T00:00:60Z,1,",
            "/3/time invalid_time",
        ),
        (
            "U,S1,session.gut_health_score,2025-01-01T00:00:00.0000001Z,1,",
            "/3/time time_too_fine",
        ),
        (
            "U,S1,session.gut_health_score,2199-01-01T00:00:00Z,1,",
            "/3/time implausible_time",
        ),
        (
            "U,S1,session.gut_health_score,1969-12-31T00:00:00Z,1,",
            "/3/time implausible_time",
        ),
        (
            "U,S1,session.gut_health_score,2025-01-01T00:00:01Z,1,soon",
            "/3/start_ts invalid_time",
        ),
    ] {
        let result = case
            .send(&[
                HEADER,
                GOOD,
                row,
                "U,S2,session.gut_health_score,2025-01-01T00:00:01Z,1,",
            ])
            .await;
        assert_eq!(
            result.outcomes()[1],
            (3, 422, "invalid_session"),
            "{row}: {:?}",
            result.verdicts
        );
        assert_eq!(result.faults(1), [fault], "{row}: {}", result.verdicts[1]);
        assert_eq!(
            (
                result.verdicts[0]["line"].as_u64(),
                result.verdicts[2]["line"].as_u64()
            ),
            (Some(2), Some(4))
        );
        assert!(
            result.verdicts[0]["outcome"].is_string() && result.verdicts[2]["outcome"].is_string(),
            "{row}"
        );
        case.assert_absent(1).await;
    }
    // The cells that are required.
    for (row, column) in [
        ("U,S1,,2025-01-01T00:00:01Z,1,", "series"),
        ("U,S1,session.gut_health_score,,1,", "time"),
        ("U,S1,session.gut_health_score,2025-01-01T00:00:01Z,,", ""),
    ] {
        let result = case.send(&[HEADER, GOOD, row]).await;
        assert_eq!(
            result.outcomes()[1],
            (3, 422, "invalid_session"),
            "{row}: {:?}",
            result.verdicts
        );
        assert!(
            result.faults(1)[0].starts_with(format!("/3/{column}").trim_end_matches('/')),
            "{row}: {:?}",
            result.faults(1)
        );
        assert_eq!(result.faults(1).len(), 1, "{row}: {:?}", result.faults(1));
        case.assert_absent(1).await;
    }
    case.check_database().await;
}

async fn all_faults_of_a_session_are_reported(backend: Backend) {
    let case = Case::new(backend).await;
    let result = case
        .send(&[
            HEADER,
            GOOD,
            "U,S0,session.gut,2025-01-01T00:00:02Z,1,",
            "U,S0,session.gut_health_score,2025-01-01T00:00:03Z,1,",
            "U,S0,session.gut_health_score,noon,high,",
            "U,S1,session.gut_health_score,2025-01-01T00:00:01Z,1,",
        ])
        .await;
    assert_eq!(
        result.outcomes(),
        [(2, 422, "invalid_session"), (6, 201, "created")]
    );
    let mut faults = result.faults(0);
    faults.sort();
    assert_eq!(
        faults,
        [
            "/3/series unknown_series",
            "/5/time invalid_time",
            "/5/value schema_violation"
        ]
    );
    assert_eq!(result.verdicts[0]["total_errors"], 3);
    case.assert_absent(0).await;
    // The first hundred are listed, all are counted.
    let mut lines = vec![HEADER];
    lines.extend(["U,S2,session.gut_health_score,2025-01-01T00:00:01Z,high,"; 150]);
    let result = case.send(&lines).await;
    assert_eq!(
        (result.faults(0).len(), &result.verdicts[0]["total_errors"]),
        (100, &json!(150))
    );
    case.check_database().await;
}

async fn a_wrong_number_of_cells_is_rejected(backend: Backend) {
    let case = Case::new(backend).await;
    for broken in [
        "U,S1,session.gut_health_score,2025-01-01T00:00:01Z,1",
        "U,S1,session.gut_health_score,2025-01-01T00:00:01Z,1,,",
        "nonsense",
        "{\"user_id\":1}",
    ] {
        let result = case.send(&[HEADER, broken]).await;
        assert_eq!(result.verdicts.len(), 1, "{broken}: {:?}", result.verdicts);
        assert_eq!(
            result.verdicts[0]["line"], 2,
            "{broken}: {:?}",
            result.verdicts
        );
        let status = result.verdicts[0]["status"].as_u64().expect("a status");
        assert!(
            [400, 422].contains(&status),
            "{broken}: {:?}",
            result.verdicts
        );
        result.assert_end(&[("failed", 1)], 0);
        case.assert_absent(1).await;
    }
    case.check_database().await;
}

async fn invalid_ids_are_named(backend: Backend) {
    let case = Case::new(backend).await;
    for (row, column) in [
        (
            "me,S1,session.gut_health_score,2025-01-01T00:00:01Z,1,",
            "user_id",
        ),
        (
            ",S1,session.gut_health_score,2025-01-01T00:00:01Z,1,",
            "user_id",
        ),
        (
            "U,one,session.gut_health_score,2025-01-01T00:00:01Z,1,",
            "session_id",
        ),
        (
            "U,,session.gut_health_score,2025-01-01T00:00:01Z,1,",
            "session_id",
        ),
    ] {
        let result = case.send(&[HEADER, row]).await;
        assert_eq!(result.verdicts.len(), 1, "{row}: {:?}", result.verdicts);
        assert_eq!(result.verdicts[0]["line"], 2, "{row}");
        assert!(
            result.faults(0)[0].starts_with(&format!("/2/{column} ")),
            "{row}: {}",
            result.verdicts[0]
        );
        result.assert_end(&[("failed", 1)], 0);
    }
    assert!(sessions_of(&case.app, case.user).await.is_empty());
    case.check_database().await;
}

async fn different_starts_are_rejected(backend: Backend) {
    let case = Case::new(backend).await;
    let result = case
        .send(&[
            HEADER,
            "U,S0,session.gut_health_score,2025-01-01T00:00:01Z,1,2025-01-01T00:00:00Z",
            "U,S0,session.gut_health_score,2025-01-01T00:00:02Z,1,2025-01-01T00:00:01Z",
            "U,S1,session.gut_health_score,2025-01-01T00:00:02Z,1,2025-01-01T00:00:00Z",
        ])
        .await;
    assert_eq!(
        result.outcomes(),
        [(2, 422, "invalid_session"), (4, 201, "created")]
    );
    assert!(
        result.faults(0)[0].starts_with("/3/start_ts "),
        "{}",
        result.verdicts[0]
    );
    case.assert_absent(0).await;
    case.check_database().await;
}

async fn points_outside_the_window_are_reported(backend: Backend) {
    let case = Case::new(backend).await;
    let result = case
        .send(&[
            HEADER,
            "U,S0,session.gut_health_score,2025-01-01T00:00:01Z,1,2025-01-01T00:00:00Z",
            "U,S0,session.gut_health_score,2025-03-01T00:00:00Z,1,",
            "U,S1,session.gut_health_score,2025-01-01T00:00:01Z,1,",
            "U,S1,session.gut_health_score,2025-03-01T00:00:00Z,1,",
        ])
        .await;
    assert_eq!(
        result.outcomes(),
        [(2, 422, "invalid_session"), (4, 422, "invalid_session")]
    );
    assert_eq!(result.faults(0), ["/3/time implausible_time"]);
    assert_eq!(result.faults(1), ["/5/time implausible_time"]);
    case.check_database().await;
}
