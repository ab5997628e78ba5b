//! The contract of appends: added points, retries and rejections.

use serde_json::{Value, json};
use time_series_domain::ingest::{OnConflict, Outcome, WriteConflict};
use time_series_domain::query::{AggFunction, AggregateAnswer, Figure};
use time_series_domain::session::{IngestError, Ingested};

use crate::contract::stores::{OTHER, Stores, USER, all_stores, id, point, summary_functions};

const DAY: &str = "2025-03-01";
const START: &str = "2025-03-01T00:00:00Z";

fn hr(seconds: &[(u32, f64)]) -> Vec<Value> {
    seconds
        .iter()
        .map(|(second, value)| point("hr", DAY, *second, &json!(value)))
        .collect()
}

/// Session 1, still open, with one point.
async fn store_open_session(stores: &Stores) {
    stores
        .ingest(USER, 1, DAY, &[(0, 60.0)], OnConflict::Error)
        .await
        .expect("stored");
}

#[tokio::test]
async fn repeated_appends_add_points_once() {
    for stores in all_stores().await {
        store_open_session(&stores).await;
        let parts = [hr(&[(10, 61.0), (11, 62.0)]), hr(&[(5, 63.0)])];
        for (number, part) in parts.iter().enumerate() {
            let appended = stores.append(1, None, part, None).await.expect("appended");
            let total = if number == 0 { 3 } else { 4 };
            let actual = (
                appended.outcome,
                appended.points,
                appended.total_points,
                appended.version,
            );
            let expected = (
                Outcome::Appended,
                part.len() as u64,
                Some(total),
                Some(number as u64 + 2),
            );
            assert_eq!(actual, expected, "{}", stores.name);
        }
        for part in [&parts[0], &parts[1], &hr(&[])] {
            let again = stores.append(1, None, part, None).await.expect("unchanged");
            let actual = (
                again.outcome,
                again.total_points,
                again.version,
                again.is_replay,
            );
            assert_eq!(
                actual,
                (Outcome::Unchanged, Some(4), Some(3), false),
                "{}",
                stores.name
            );
        }
        let first = stores
            .append(1, Some(START), &hr(&[(0, 60.0)]), None)
            .await
            .expect("unchanged");
        assert_eq!(
            first.outcome,
            Outcome::Unchanged,
            "also the first append: {}",
            stores.name
        );
        let (record, version) = stores
            .sessions
            .get(USER, id(1))
            .await
            .expect("read")
            .expect("there");
        assert_eq!(
            (record.points, version, record.series[0].points),
            (4, 3, 4),
            "{}",
            stores.name
        );
        stores.check().await;
    }
}

#[tokio::test]
async fn the_key_alone_identifies_a_retry() {
    for stores in all_stores().await {
        store_open_session(&stores).await;
        let part = hr(&[(10, 61.0)]);
        let first = stores
            .append(1, None, &part, Some("a"))
            .await
            .expect("appended");
        let second = stores
            .append(1, None, &part, Some("b"))
            .await
            .expect("appended once more");
        assert_eq!(
            (second.outcome, second.total_points),
            (Outcome::Appended, Some(3)),
            "{}",
            stores.name
        );
        let replayed = stores
            .append(1, None, &part, Some("a"))
            .await
            .expect("repeated response");
        assert!(replayed.is_replay, "{}", stores.name);
        let actual = |i: &Ingested| (i.outcome, i.points, i.total_points, i.version);
        assert_eq!(actual(&replayed), actual(&first), "{}", stores.name);
        let reused = stores.append(1, None, &hr(&[(11, 61.0)]), Some("a")).await;
        assert!(
            matches!(
                reused,
                Err(IngestError::Conflict {
                    conflict: WriteConflict::KeyReused,
                    ..
                })
            ),
            "{}",
            stores.name
        );
        let without = stores
            .append(1, None, &part, None)
            .await
            .expect("unchanged");
        assert_eq!(
            (without.outcome, without.total_points),
            (Outcome::Unchanged, Some(3)),
            "{}",
            stores.name
        );
        stores.check().await;
    }
}

#[tokio::test]
async fn appends_that_contradict_the_stored_session_are_rejected() {
    for stores in all_stores().await {
        let absent = stores.append(1, None, &hr(&[(0, 1.0)]), None).await;
        assert!(
            matches!(
                absent,
                Err(IngestError::Conflict {
                    conflict: WriteConflict::SessionAbsent,
                    ..
                })
            ),
            "{}",
            stores.name
        );
        store_open_session(&stores).await;
        let other = stores
            .append(1, Some("2025-03-01T00:00:01Z"), &hr(&[(9, 1.0)]), None)
            .await;
        assert!(
            matches!(
                other,
                Err(IngestError::Conflict {
                    conflict: WriteConflict::StartDiffers,
                    ..
                })
            ),
            "{}",
            stores.name
        );
        let far = [
            point("hr", "2025-03-31", 0, &json!(1)),
            point("hr", "2025-04-02", 0, &json!(1)),
        ];
        let Err(IngestError::Invalid(rejects)) = stores.append(1, None, &far, None).await else {
            panic!("{}: taken", stores.name);
        };
        let places: Vec<&str> = rejects
            .listed()
            .iter()
            .map(|reject| reject.pointer.as_str())
            .collect();
        assert_eq!(places, ["/data/1/time"], "{}", stores.name);
        // Without a start, the stored points determine the allowed times.
        stores
            .ingest_json(USER, 2, None, &hr(&[(0, 1.0)]), OnConflict::Error)
            .await
            .expect("stored");
        let far = [point("hr", "2025-02-10", 0, &json!(1))];
        stores
            .append(2, None, &far, None)
            .await
            .expect("near enough");
        let far = [point("hr", "2025-03-20", 0, &json!(1))];
        assert!(
            matches!(
                stores.append(2, None, &far, None).await,
                Err(IngestError::Invalid(_))
            ),
            "{}",
            stores.name
        );
        assert_eq!(
            stores
                .sessions
                .get(USER, id(1))
                .await
                .expect("read")
                .expect("there")
                .0
                .points,
            1
        );
        stores.check().await;
    }
}

#[tokio::test]
async fn a_session_is_created_or_appended_to_by_its_policy() {
    for stores in all_stores().await {
        let mut outcomes = Vec::new();
        for values in [
            &[(0, 60.0)],
            &[(1, 61.0)],
            &[(0, 60.0)],
            &[(1, 61.0)],
            &[(2, 61.0)],
        ] {
            let done = stores
                .ingest(USER, 1, DAY, values, OnConflict::Append)
                .await
                .expect("taken");
            outcomes.push((done.outcome, done.total_points));
        }
        let expected = [
            (Outcome::Created, Some(1)),
            (Outcome::Appended, Some(2)),
            (Outcome::Unchanged, Some(2)),
            (Outcome::Unchanged, Some(2)),
            (Outcome::Appended, Some(3)),
        ];
        assert_eq!(outcomes, expected, "{}", stores.name);
        stores
            .ingest(OTHER, 1, DAY, &[(1, 61.0)], OnConflict::Append)
            .await
            .expect("another user's");
        stores.check().await;
    }
}

#[tokio::test]
async fn replacing_and_deleting_forget_appends() {
    for stores in all_stores().await {
        store_open_session(&stores).await;
        let part = hr(&[(10, 61.0)]);
        stores
            .append(1, None, &part, Some("a"))
            .await
            .expect("appended");
        stores
            .ingest(USER, 1, DAY, &[(0, 70.0)], OnConflict::Replace)
            .await
            .expect("replaced");
        let again = stores
            .append(1, None, &part, Some("a"))
            .await
            .expect("appended");
        assert_eq!(
            (again.outcome, again.is_replay, again.total_points),
            (Outcome::Appended, false, Some(2))
        );
        stores
            .ingest(USER, 1, DAY, &[(0, 70.0)], OnConflict::Replace)
            .await
            .expect("replaced by its first part");
        assert_eq!(
            stores
                .sessions
                .get(USER, id(1))
                .await
                .expect("read")
                .expect("there")
                .0
                .points,
            1,
            "{}",
            stores.name
        );
        stores.sessions.delete(USER, id(1)).await.expect("deleted");
        store_open_session(&stores).await;
        let again = stores.append(1, None, &part, None).await.expect("appended");
        assert_eq!(again.outcome, Outcome::Appended, "{}", stores.name);
        stores.check().await;
    }
}

/// Values that encode their order of arrival, at overlapping times.
fn parts() -> Vec<Vec<Value>> {
    let mut random = fastrand::Rng::with_seed(7);
    let mut parts = Vec::new();
    for number in 0..40_u32 {
        let base = if number % 4 == 3 {
            random.u32(0..170_000)
        } else {
            number * 4_000
        };
        let seconds = (0..random.u32(1..400)).map(|i| base + i * random.u32(0..3));
        let value = |second: u32| match second % 5 {
            0 => point("note", DAY, second, &json!(format!("{number}"))),
            1 => point("hr", DAY, second, &json!(f64::from(second) / 7.0)),
            _ => point("hr", DAY, second, &json!(second % 200)),
        };
        parts.push(seconds.map(value).collect());
    }
    parts
}

#[tokio::test]
async fn appends_in_any_order_equal_one_session() {
    for stores in all_stores().await {
        stores
            .ingest_json(USER, 1, Some(START), &[], OnConflict::Error)
            .await
            .expect("stored");
        let mut whole = Vec::new();
        for part in parts() {
            stores.append(1, None, &part, None).await.expect("appended");
            whole.extend(part);
        }
        stores
            .ingest_json(OTHER, 1, Some(START), &whole, OnConflict::Error)
            .await
            .expect("stored");
        let functions = || {
            let mut functions = summary_functions();
            functions.extend(
                ["median", "time_avg"].map(|name| AggFunction::parse(name).expect("a function")),
            );
            functions
        };
        for (series, interval, functions) in [
            ("hr", "hour", functions()),
            ("hr", "day", functions()),
            (
                "note",
                "hour",
                ["first", "last", "count", "mode"]
                    .map(|f| AggFunction::parse(f).expect("one"))
                    .to_vec(),
            ),
        ] {
            let ask =
                |user| stores.aggregate_in(user, None, series, interval, "UTC", functions.clone());
            let (parts, whole) = (ask(USER).await, ask(OTHER).await);
            assert!(parts.rows() > 1, "{}", stores.name);
            assert_same(&parts, &whole, stores.name);
        }
        stores.check().await;
    }
}

/// Checks that both are equal except for the rounding of sums.
fn assert_same(a: &AggregateAnswer, b: &AggregateAnswer, name: &str) {
    assert_eq!(a.rows(), b.rows(), "{name}");
    let rounded = |figures: &[Figure]| -> Vec<String> {
        let text = format!("{figures:?}");
        let words = text.split(|c: char| c.is_whitespace() || "(),[]{}".contains(c));
        words
            .map(|w| {
                w.parse::<f64>()
                    .map_or_else(|_| w.to_owned(), |n| format!("{n:.9e}"))
            })
            .collect()
    };
    for (a, b) in a.series.iter().zip(&b.series) {
        for row in 0..a.rows.len() {
            assert_eq!(a.rows[row].bucket, b.rows[row].bucket, "{name}");
            assert_eq!(rounded(a.figures(row)), rounded(b.figures(row)), "{name}");
        }
    }
}
