//! Late points: between, before and at stored times, ordered by time and then by arrival.

use serde_json::{Value, json};
use time_series_testkit::Backend;

use super::{Case, START_SECONDS, Stored, assert_receipt, at, score_at};
use crate::common::{SCORE, point, results, rfc3339};
use crate::on_both_servers;

on_both_servers![
    late_points_are_ordered_by_time,
    points_of_one_time_keep_their_order_of_arrival,
    points_of_one_time_keep_their_order_in_long_sessions,
    late_points_fall_into_full_blocks,
    times_of_different_precision_keep_their_order,
    a_gap_of_weeks_accepts_late_points,
];

async fn late_points_are_ordered_by_time(backend: Backend) {
    let case = Case::new(
        backend,
        &[score_at(10, 10.0), score_at(20, 20.0), score_at(30, 30.0)],
    )
    .await;
    let _ = case
        .append(&[score_at(25, 25.0), score_at(15, 15.0)])
        .await
        .expect(200);
    let _ = case.append(&[score_at(5, 5.0)]).await.expect(200);
    let _ = case
        .append(&[score_at(35, 35.0), score_at(0, 0.0), score_at(17, 17.0)])
        .await
        .expect(200);
    let _ = case.append(&[score_at(-3600, -1.0)]).await.expect(200);
    let expected = [-1.0, 0.0, 5.0, 10.0, 15.0, 17.0, 20.0, 25.0, 30.0, 35.0];
    let listed: Vec<f64> = case
        .scores()
        .await
        .iter()
        .map(|(_, value)| *value)
        .collect();
    assert_eq!(listed, expected);
    let backwards = results(
        &case
            .app
            .get(&format!("{}?order=desc", case.path()))
            .await
            .expect(200),
    );
    let backwards: Vec<f64> = backwards
        .iter()
        .rev()
        .filter_map(|row| row["value"]["value"].as_f64())
        .collect();
    assert_eq!(backwards, expected);
    let record = case.record().await;
    assert_eq!(
        (&record["first_time"], &record["last_time"]),
        (&json!(at(-3600)), &json!(at(35)))
    );
    case.check_database().await;
}

async fn points_of_one_time_keep_their_order_of_arrival(backend: Backend) {
    let case = Case::new(
        backend,
        &[score_at(10, 9.0), score_at(10, 1.0), score_at(20, 5.0)],
    )
    .await;
    let _ = case
        .append(&[score_at(10, 8.0), score_at(20, 2.0)])
        .await
        .expect(200);
    let _ = case
        .append(&[
            score_at(20, 7.0),
            score_at(10, 3.0),
            score_at(10, 3.0),
            score_at(10, 0.0),
        ])
        .await
        .expect(200);
    let _ = case.append(&[score_at(15, 4.0)]).await.expect(200);
    let _ = case.append(&[score_at(10, 8.5)]).await.expect(200);
    case.assert_scores(&[
        (10, 9.0),
        (10, 1.0),
        (10, 8.0),
        (10, 3.0),
        (10, 3.0),
        (10, 0.0),
        (10, 8.5),
        (15, 4.0),
        (20, 5.0),
        (20, 2.0),
        (20, 7.0),
    ])
    .await;
    // first and last are the least and the greatest value of their time, in any order of arrival.
    let parameters = format!(
        "series={SCORE}&start_time=2025-01-01&end_time=2025-01-02&interval=all&agg_func=first,last"
    );
    let response = results(
        &case
            .app
            .timeseries(case.user, &parameters)
            .await
            .expect(200),
    );
    assert_eq!(
        (
            response[0]["value"]["first"].as_f64(),
            response[0]["value"]["last"].as_f64()
        ),
        (Some(0.0), Some(7.0))
    );
    case.check_database().await;
}

/// Points at times that many points share, in full blocks.
async fn points_of_one_time_keep_their_order_in_long_sessions(backend: Backend) {
    let seconds = |i: i32| i64::from(i) / 100 % 50;
    let data: Vec<Value> = (0..5_000).map(|i| score_at(seconds(i), i.into())).collect();
    let case = Case::new(backend, &data).await;
    let mut expected: Vec<(i64, f64)> = (0..5_000).map(|i| (seconds(i), f64::from(i))).collect();
    for round in 0..20_i32 {
        let part: Vec<(i64, f64)> = (0..30)
            .map(|i| (i64::from(i * 7 % 50), f64::from(10_000 + round * 30 + i)))
            .collect();
        let points: Vec<Value> = part
            .iter()
            .map(|(second, value)| score_at(*second, *value))
            .collect();
        let _ = case.append(&points).await.expect(200);
        expected.extend(part);
    }
    expected.sort_by_key(|(second, _)| *second); // stable: the order of arrival is kept
    case.assert_scores(&expected).await;
    case.check_database().await;
}

async fn late_points_fall_into_full_blocks(backend: Backend) {
    let data: Vec<Value> = (0..10_000)
        .map(|i| score_at(i64::from(i) * 2, i.into()))
        .collect();
    let case = Case::new(backend, &data).await;
    let mut expected: Vec<(i64, f64)> = (0..10_000)
        .map(|i| (i64::from(i) * 2, f64::from(i)))
        .collect();
    let parts: [Vec<i64>; 5] = [
        vec![8_191, 8_193],
        (0..5_000).map(|i| i * 2 + 1).collect(),
        vec![-1, 20_001, 9_999],
        (0..3).map(|i| 8_190 + i).collect(),
        (0..4_097).map(|i| 20_002 + i).collect(),
    ];
    for (number, seconds) in parts.iter().enumerate() {
        let value = -f64::from(u32::try_from(number).expect("small"));
        let part: Vec<Value> = seconds
            .iter()
            .map(|second| score_at(*second, value))
            .collect();
        let response = case.append(&part).await;
        expected.extend(seconds.iter().map(|second| (*second, value)));
        let (added, total) = (seconds.len() as u64, expected.len() as u64);
        assert_receipt(
            &response,
            &Stored {
                outcome: "appended",
                points: added,
                total_points: total,
                version: number as u64 + 2,
            },
        );
    }
    expected.sort_by_key(|(second, _)| *second);
    case.assert_scores(&expected).await;
    case.check_database().await;
}

async fn times_of_different_precision_keep_their_order(backend: Backend) {
    let case = Case::new(backend, &[score_at(0, 1.0), score_at(3600, 2.0)]).await;
    let times = [
        "00:00:00.000001Z",
        "00:30:00.5Z",
        "00:59:59.999999Z",
        "00:00:00.25Z",
    ];
    for (time, value) in times.iter().zip(3..) {
        let point = point(
            SCORE,
            &format!("2025-01-01T{time}"),
            &json!({"value": value}),
        );
        let _ = case.append(&[point]).await.expect(200);
    }
    let listed = results(&case.app.get(&case.path()).await.expect(200));
    let listed: Vec<_> = listed
        .iter()
        .filter_map(|row| row["time"].as_str()?.strip_prefix("2025-01-01T"))
        .collect();
    let expected = [
        "00:00:00Z",
        times[0],
        times[3],
        times[1],
        times[2],
        "01:00:00Z",
    ];
    assert_eq!(listed, expected);
    case.check_database().await;
}

/// A gap too long for the deltas of a block, and points that arrive in the gap later.
async fn a_gap_of_weeks_accepts_late_points(backend: Backend) {
    let days = |n: i64| n * 86_400;
    let case = Case::new(backend, &[score_at(0, 1.0), score_at(days(30), 2.0)]).await;
    let mut expected = vec![(0, 1.0), (days(30), 2.0)];
    for day in [15, 1, 29, 30, 7, 0] {
        let at = days(day) + 1;
        let micro = format!(
            "{}.000001Z",
            rfc3339(START_SECONDS + at).trim_end_matches('Z')
        );
        let _ = case
            .append(&[
                score_at(at, 3.0),
                point(SCORE, &micro, &json!({"value": 4.0})),
            ])
            .await
            .expect(200);
        expected.extend([(at, 3.0), (at, 4.0)]);
    }
    expected.sort_by_key(|(second, _)| *second);
    case.assert_scores(&expected).await;
    case.check_database().await;
}
