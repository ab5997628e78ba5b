//! Times that are invalid, too precise or implausible.

use serde_json::{Value, json};
use time_series_testkit::Backend;
use uuid::Uuid;

use crate::bad_requests::Case;
use crate::common::{START, from_now, score};
use crate::on_both_servers;

on_both_servers![
    times_that_are_not_rfc_3339_are_rejected,
    a_time_below_microsecond_precision_is_rejected,
    zeros_beyond_microseconds_are_accepted,
    a_time_before_1970_is_rejected,
    a_time_more_than_a_day_in_the_future_is_rejected,
    points_must_be_from_a_day_before_to_31_days_after_the_start,
    without_a_start_a_session_spans_31_days_at_most,
];

/// A session without a start.
fn without_start(user: Uuid, data: &[Value]) -> String {
    json!({"user_id": user, "session_id": Uuid::new_v4(), "data": data}).to_string()
}

async fn times_that_are_not_rfc_3339_are_rejected(backend: Backend) {
    let case = Case::new(backend).await;
    let wrong = [
        "",
        "yesterday",
        "1735689600",
        "2025-01-01",
        "2025-01-01T00:00:00",
        "2025-01-01T00:00Z",
        "00:00:00Z",
        "20250101T000000Z",
        "2025-1-1T00:00:00Z",
        "2025-02-29T00:00:00Z",
        "2025-04-31T00:00:00Z",
        "2025-13-01T00:00:00Z",
        "2025-00-01T00:00:00Z",
        "2025-01-00T00:00:00Z",
        "2025-01-01T24:00:00Z",
        "2025-01-01T00:60:00Z",
        "2025-01-01T00:00:60Z",
        "2016-12-31T23:59:60Z",
        "2025-01-01T00:00:61Z",
        "2025-01-01T00:00:00+24:00",
        "2025-01-01T00:00:00+0100",
        "2025-01-01T00:00:00+01",
        "2025-01-01T00:00:00.Z",
        "2025-01-01T00:00:00,5Z",
        "2025-01-01T00:00:00Z ",
        " 2025-01-01T00:00:00Z",
        "2025-01-01T00:00:00ZZ",
        "12025-01-01T00:00:00Z",
        "2025-01-01T00:00:00[UTC]",
        "2025-W01-1T00:00:00Z",
        "-2025-01-01T00:00:00Z",
        "2025-01-01T00:00:00\u{661}Z",
    ];
    for time in wrong {
        let _ = case
            .assert_rejected(
                &case
                    .body(&[score(START, 1.0), score(time, 1.0)])
                    .to_string(),
                &["/data/1/time invalid_time"],
            )
            .await;
        let mut body = case.body(&[]);
        body["start_ts"] = json!(time);
        let _ = case
            .assert_rejected(&body.to_string(), &["/start_ts invalid_time"])
            .await;
    }
}

async fn a_time_below_microsecond_precision_is_rejected(backend: Backend) {
    let case = Case::new(backend).await;
    for time in [
        "2025-01-01T00:00:00.0000001Z",
        "2025-01-01T00:00:00.123456789Z",
        "2025-01-01T00:00:00.00000000000000000001+01:00",
    ] {
        let _ = case
            .assert_rejected(
                &case.body(&[score(time, 1.0)]).to_string(),
                &["/data/0/time time_too_fine"],
            )
            .await;
        let mut body = case.body(&[]);
        body["start_ts"] = json!(time);
        let _ = case
            .assert_rejected(&body.to_string(), &["/start_ts time_too_fine"])
            .await;
    }
}

async fn zeros_beyond_microseconds_are_accepted(backend: Backend) {
    let case = Case::new(backend).await;
    let times = [
        "2025-01-01T00:00:00.123456000Z",
        "2025-01-01T00:00:00.1234560000000000000000Z",
        "2025-01-01T00:00:00.0000000Z",
    ];
    for time in times {
        let mut body = case.body(&[score(time, 1.0)]);
        body["start_ts"] = json!(time);
        let receipt = case.post(&body.to_string()).await.expect(201).json();
        let path = format!(
            "/api/sessions/{}/",
            receipt["session_id"].as_str().expect("an id")
        );
        let record = case.app.get(&path).await.expect(200).json();
        let kept = if time.contains("123456") {
            "2025-01-01T00:00:00.123456Z"
        } else {
            START
        };
        assert_eq!(
            (&record["first_time"], &record["start_ts"]),
            (&json!(kept), &json!(kept))
        );
    }
}

async fn a_time_before_1970_is_rejected(backend: Backend) {
    let case = Case::new(backend).await;
    for time in [
        "1969-12-31T23:59:59.999999Z",
        "1970-01-01T00:00:00+00:01",
        "0001-01-01T00:00:00Z",
        "0000-01-01T00:00:00Z",
    ] {
        let body = without_start(case.user, &[score(time, 1.0)]);
        let _ = case
            .assert_rejected(&body, &["/data/0/time implausible_time"])
            .await;
    }
    let first = without_start(
        case.user,
        &[
            score("1970-01-01T00:00:00Z", 1.0),
            score("1970-01-02T00:00:00Z", 1.0),
        ],
    );
    let _ = case.post(&first).await.expect(201);
}

async fn a_time_more_than_a_day_in_the_future_is_rejected(backend: Backend) {
    let case = Case::new(backend).await;
    let (ahead, still) = (from_now(86_400 + 600), from_now(86_400 - 600));
    for time in [&*ahead, "2100-01-01T00:00:00Z", "9999-12-31T23:59:59Z"] {
        let body = without_start(case.user, &[score(time, 1.0)]);
        let _ = case
            .assert_rejected(&body, &["/data/0/time implausible_time"])
            .await;
    }
    // This also applies where the start would allow it.
    let mut body = case.body(&[score(&ahead, 1.0)]);
    body["start_ts"] = json!(from_now(0));
    let _ = case
        .assert_rejected(&body.to_string(), &["/data/0/time implausible_time"])
        .await;
    let _ = case
        .post(&without_start(case.user, &[score(&still, 1.0)]))
        .await
        .expect(201);
}

async fn points_must_be_from_a_day_before_to_31_days_after_the_start(backend: Backend) {
    let case = Case::new(backend).await;
    let data = [
        score("2024-12-31T00:00:00Z", 1.0),
        score("2024-12-30T23:59:59.999999Z", 1.0),
        score("2025-02-01T00:00:00Z", 1.0),
        score("2025-02-01T00:00:00.000001Z", 1.0),
        score("2015-01-01T00:00:00Z", 1.0),
    ];
    let faults = [
        "/data/1/time implausible_time",
        "/data/3/time implausible_time",
        "/data/4/time implausible_time",
    ];
    let _ = case
        .assert_rejected(&case.body(&data).to_string(), &faults)
        .await;
    let _ = case
        .post(&case.body(&[data[0].clone(), data[2].clone()]).to_string())
        .await
        .expect(201);
}

async fn without_a_start_a_session_spans_31_days_at_most(backend: Backend) {
    let case = Case::new(backend).await;
    let ends = |last: &str| {
        [
            score("2025-01-15T00:00:00Z", 1.0),
            score(last, 1.0),
            score("2025-01-01T00:00:00Z", 1.0),
        ]
    };
    let response = case
        .post(&without_start(
            case.user,
            &ends("2025-02-01T00:00:00.000001Z"),
        ))
        .await
        .expect(422);
    assert_eq!(response.code(), "invalid_session");
    assert!(!response.faults().is_empty(), "{}", response.text);
    for fault in response.faults() {
        assert!(
            fault.starts_with("/data") && fault.ends_with(" implausible_time"),
            "{fault}"
        );
    }
    case.assert_nothing_stored().await;
    let _ = case
        .post(&without_start(case.user, &ends("2025-02-01T00:00:00Z")))
        .await
        .expect(201);
}
