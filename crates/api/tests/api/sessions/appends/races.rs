//! Concurrent appends end in the same state as some sequence of them.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};

use futures_util::future::join_all;
use serde_json::{Value, json};
use time_series_testkit::{Backend, Response};
use uuid::Uuid;

use super::{Case, START, Stored, color_at, score_at};
use crate::common::{SCORE, points_of, results, session};
use crate::on_both_servers;

on_both_servers![
    sixteen_clients_append_different_points,
    sixteen_clients_append_once_under_one_key,
    sixteen_clients_append_once_without_a_key,
    sixteen_clients_create_one_session,
    concurrent_appends_under_one_key_add_one,
    a_reader_sees_whole_appends_and_never_fewer,
    concurrent_appends_replacements_and_deletes_are_serialised,
    concurrent_appends_to_two_sessions_of_one_user_succeed,
];

fn outcomes(responses: &[Response], outcome: &str) -> usize {
    responses
        .iter()
        .filter(|a| a.status == 200 && a.receipt().outcome == outcome)
        .count()
}

async fn sixteen_clients_append_different_points(backend: Backend) {
    let case = Case::new(backend, &[score_at(0, 0.0)]).await;
    // Each client sends eight appends of three points, interleaved with those of the others.
    let second = |client: i64, round: i64, i: i64| 1 + (round * 3 + i) * 16 + client;
    let client = async |client: i64| {
        let mut responses = Vec::new();
        for round in 0..8 {
            let part: Vec<Value> = (0..3)
                .map(|i| score_at(second(client, round, i), 1.0))
                .collect();
            responses.push(case.append(&part).await.expect(200));
        }
        responses
    };
    let responses = join_all((0..16).map(client)).await.concat();
    assert_eq!(outcomes(&responses, "appended"), 128);
    let mut versions: Vec<(u64, u64)> = responses
        .iter()
        .map(Response::receipt)
        .map(|receipt| {
            let stored = Stored::of(&receipt);
            (stored.version, stored.total_points)
        })
        .collect();
    versions.sort_unstable();
    let expected: Vec<(u64, u64)> = (1..=128).map(|n| (n + 1, 3 * n + 1)).collect();
    assert_eq!(
        versions, expected,
        "each append has its own version, with the matching number of points"
    );
    let mut all: Vec<(i64, f64)> = (1..=384).map(|second| (second, 1.0)).collect();
    all.insert(0, (0, 0.0));
    case.assert_scores(&all).await;
    case.check_database().await;
}

async fn sixteen_clients_append_once_under_one_key(backend: Backend) {
    let case = Case::new(backend, &[score_at(0, 0.0)]).await;
    for round in 1..=5_i64 {
        let (key, part) = (
            format!("round-{round}"),
            [score_at(round, 1.0), score_at(round + 100, 2.0)],
        );
        let responses = join_all((0..16).map(|_| case.append_with_key(&key, &part))).await;
        assert_eq!(outcomes(&responses, "appended"), 16);
        assert!(
            responses.iter().all(|a| a.text == responses[0].text),
            "all responses are equal: {responses:#?}"
        );
        let replayed = responses
            .iter()
            .filter(|a| a.headers.contains_key("idempotent-replayed"))
            .count();
        assert_eq!(replayed, 15, "all except the first are replays");
        assert_eq!(
            case.scores().await.len(),
            1 + 2 * usize::try_from(round).expect("small")
        );
    }
    assert_eq!(case.record().await["version"], 6);
    case.check_database().await;
}

async fn sixteen_clients_append_once_without_a_key(backend: Backend) {
    let case = Case::new(backend, &[score_at(0, 0.0)]).await;
    let part = [score_at(1, 1.0), score_at(2, 2.0)];
    let responses = join_all((0..16).map(|_| case.append(&part))).await;
    assert_eq!(
        (
            outcomes(&responses, "appended"),
            outcomes(&responses, "unchanged")
        ),
        (1, 15)
    );
    for receipt in responses.iter().map(Response::receipt) {
        let stored = Stored::of(&receipt);
        assert_eq!((stored.total_points, stored.version), (3, 2));
    }
    case.assert_scores(&[(0, 0.0), (1, 1.0), (2, 2.0)]).await;
    case.check_database().await;
}

async fn sixteen_clients_create_one_session(backend: Backend) {
    let mut case = Case::new(backend, &[]).await;
    case.id = Uuid::new_v4();
    let parts: Vec<[Value; 1]> = (0..16_i32)
        .map(|i| [score_at(i64::from(i) / 2, i.into())])
        .collect();
    let responses = join_all(parts.iter().map(|part| case.post("append", part))).await;
    let created = responses.iter().filter(|a| a.status == 201).count();
    assert_eq!((created, outcomes(&responses, "appended")), (1, 15));
    assert_eq!(case.record().await["points"], 16);
    let sum: f64 = case.scores().await.iter().map(|(_, value)| value).sum();
    assert_eq!(sum.to_bits(), 120_f64.to_bits());
    // Each of them is known.
    let again = join_all(parts.iter().map(|part| case.post("append", part))).await;
    assert_eq!(outcomes(&again, "unchanged"), 16);
    case.check_database().await;
}

async fn concurrent_appends_under_one_key_add_one(backend: Backend) {
    let case = Case::new(backend, &[score_at(0, 0.0)]).await;
    let parts: Vec<[Value; 1]> = (1..=16_i32)
        .map(|i| [score_at(i.into(), i.into())])
        .collect();
    let responses = join_all(parts.iter().map(|part| case.append_with_key("one", part))).await;
    let rejected = responses
        .iter()
        .filter(|a| a.status == 422 && a.code() == "idempotency_key_reused")
        .count();
    assert_eq!((outcomes(&responses, "appended"), rejected), (1, 15));
    let added = responses
        .iter()
        .position(|a| a.status == 200)
        .expect("one append is added");
    let value = f64::from(u32::try_from(added).expect("small")) + 1.0;
    assert_eq!(
        case.scores().await.last().map(|(_, v)| v.to_bits()),
        Some(value.to_bits())
    );
    case.check_database().await;
}

/// Ten points over two days, so that a partially visible append would be noticed.
async fn a_reader_sees_whole_appends_and_never_fewer(backend: Backend) {
    let case = Case::new(backend, &[]).await;
    let done = AtomicBool::new(false);
    let part = |client: i64, round: i64| -> Vec<Value> {
        (0..10)
            .map(|i| score_at(i * 17_280 + client * 100 + round, 1.0))
            .collect()
    };
    let client = async |client: i64| {
        for round in 0..15 {
            let _ = case.append(&part(client, round)).await.expect(200);
        }
    };
    let writers = async {
        join_all((0..4).map(client)).await;
        done.store(true, Ordering::Relaxed);
    };
    let range = format!(
        "start_time=2025-01-01&end_time=2025-01-03&series={SCORE}&agg_func=count,sum,time_avg"
    );
    let whole = async |parameters: &str| {
        let mut seen = 0;
        while !done.load(Ordering::Relaxed) {
            let rows = results(
                &case
                    .app
                    .timeseries(case.user, &format!("{range}&{parameters}"))
                    .await
                    .expect(200),
            );
            let count: u64 = rows
                .iter()
                .map(|row| row["value"]["count"].as_u64().expect("a count"))
                .sum();
            // A bucket that a held value spans has a row without points.
            let has_points = |row: &&Value| row["value"]["count"] != 0;
            let sums = rows
                .iter()
                .filter(has_points)
                .map(|row| row["value"]["sum"].as_f64().expect("a sum"));
            let sum: f64 = sums.sum();
            super::assert_close(
                sum,
                f64::from(u32::try_from(count).expect("small")),
                "each point has the value 1",
            );
            assert!(
                count.is_multiple_of(10) && count >= seen,
                "{count} after {seen}"
            );
            seen = count;
        }
        seen
    };
    let lists = async {
        let mut seen = 0;
        while !done.load(Ordering::Relaxed) {
            let listed = case
                .app
                .get(&format!("{}?format=ndjson", case.path()))
                .await
                .expect(200);
            let count = listed.text.lines().count() - 1;
            assert!(
                count.is_multiple_of(10) && count >= seen,
                "{count} after {seen}"
            );
            let points = case.record().await["points"].as_u64().expect("a number");
            assert!(
                points.is_multiple_of(10) && points >= count as u64,
                "{points} after {count}"
            );
            seen = count;
        }
    };
    futures_util::join!(writers, whole("interval=day"), whole("interval=7m"), lists);
    assert_eq!(points_of(&case.app, case.user).await, 600);
    case.check_database().await;
}

async fn concurrent_appends_replacements_and_deletes_are_serialised(backend: Backend) {
    let case = Case::new(backend, &[score_at(0, 1.0)]).await;
    let client = async |client: i64| {
        for round in 0..8_i64 {
            let second = (client * 31 + round * 17) % 90_000;
            let response = match (client + round) % 5 {
                0 => {
                    case.post(
                        "replace",
                        &[score_at(second, 1.0), score_at(second + 50_000, 1.0)],
                    )
                    .await
                }
                1 => {
                    case.app
                        .delete(&format!("{}?user_id={}", case.record_path(), case.user))
                        .await
                }
                2 => {
                    case.post(
                        "append",
                        &[score_at(second, 1.0), color_at(second, 1.0, 2.0, 3.0)],
                    )
                    .await
                }
                3 => {
                    case.append_with_key(&format!("{client}"), &[score_at(client, 1.0)])
                        .await
                }
                _ => {
                    case.append(&[score_at(second, 1.0), score_at(second + 86_400, 1.0)])
                        .await
                }
            };
            assert!(
                [200, 201, 204, 404].contains(&response.status.as_u16()),
                "{} {}",
                response.status,
                response.text
            );
        }
    };
    join_all((0..16).map(client)).await;
    let listed = results(
        &case
            .app
            .get(&format!("/api/points/?user_id={}&limit=1000", case.user))
            .await
            .expect(200),
    );
    assert_eq!(points_of(&case.app, case.user).await, listed.len() as u64);
    case.check_database().await;
}

async fn concurrent_appends_to_two_sessions_of_one_user_succeed(backend: Backend) {
    let case = Case::new(backend, &[score_at(0, 1.0)]).await;
    let other = Uuid::new_v4();
    let _ = case
        .app
        .post("/api/sessions/", &session(case.user, other, START, &[]))
        .await
        .expect(201);
    let client = async |client: i64| {
        let id = if client % 2 == 0 { case.id } else { other };
        let path = format!("/api/sessions/{id}/points/");
        let mut versions = Vec::new();
        for round in 0..10 {
            let body = json!({"data": [score_at(1 + round * 16 + client, 1.0)]});
            let receipt = case.app.post(&path, &body).await.expect(200).receipt();
            versions.push(receipt.version.expect("a version"));
        }
        assert!(versions.is_sorted(), "{versions:?}");
        versions
    };
    let versions: BTreeSet<u64> = join_all((0..16).map(client))
        .await
        .concat()
        .into_iter()
        .collect();
    assert_eq!(
        versions,
        (3..=162).collect(),
        "each append has its own version"
    );
    assert_eq!(points_of(&case.app, case.user).await, 161);
    assert_eq!(case.record().await["points"], 81);
    case.check_database().await;
}
