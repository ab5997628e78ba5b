//! The contract of scans: every level of storage yields the same result.

use serde_json::json;
use time_series_domain::ingest::OnConflict;
use time_series_domain::query::{AggFunction, AggregateAnswer, Figure, Group};
use time_series_domain::{Json, Timestamp};

use crate::contract::stores::{USER, all_stores, at, id, summary_functions};

/// Dense enough for stored summaries, over two midnights, with late data.
async fn results_of(interval: &str, zone: &str, functions: &[AggFunction]) {
    let mut results = Vec::new();
    for stores in all_stores().await {
        let wave = |n: u32| f64::from(n % 17) / 10.0 - 0.5;
        let dense: Vec<(u32, f64)> = (0..2_000).map(|i| (80_000 + i * 7, wave(i))).collect();
        stores
            .ingest(USER, 1, "2025-03-01", &dense, OnConflict::Error)
            .await
            .expect("stored");
        for n in 0..30 {
            let sparse = [
                (n * 3_000, f64::from(n)),
                (n * 3_000, -1.0),
                (n * 3_000 + 60, 4.25),
            ];
            stores
                .ingest(
                    USER,
                    100 + u128::from(n),
                    "2025-02-27",
                    &sparse,
                    OnConflict::Error,
                )
                .await
                .expect("stored");
        }
        stores
            .sessions
            .delete(USER, id(110))
            .await
            .expect("deleted");
        stores.check().await;
        let result = stores
            .aggregate_in(USER, None, "hr", interval, zone, functions.to_vec())
            .await;
        results.push((stores.name, rounded(&result)));
    }
    assert!(results[0].1.len() > 1 || interval == "all");
    for (name, rows) in &results[1..] {
        assert_eq!(rows, &results[0].1, "{name} {interval} {zone}");
    }
}

/// The figures of each row, to nine decimals.
pub(crate) fn rounded(result: &AggregateAnswer) -> Vec<(Timestamp, Group, Vec<Option<f64>>)> {
    let Some(series) = result.series.first() else {
        return Vec::new();
    };
    let figures = |row| {
        series
            .figures(row)
            .iter()
            .map(|f: &Figure| f.number().map(|v| (v * 1e9).round()))
            .collect()
    };
    series
        .rows
        .iter()
        .enumerate()
        .map(|(place, row)| (row.bucket, row.group, figures(place)))
        .collect()
}

#[tokio::test]
async fn every_implementation_returns_the_same_result() {
    for interval in ["15m", "day", "month", "all"] {
        for zone in ["UTC", "America/New_York"] {
            results_of(interval, zone, &summary_functions()).await;
            results_of(interval, zone, &AggFunction::NAMED).await;
        }
    }
}

#[tokio::test]
async fn basic_summaries_suffice_for_basic_functions() {
    results_of(
        "2d",
        "Asia/Kathmandu",
        &[AggFunction::Avg, AggFunction::Min, AggFunction::Count],
    )
    .await;
}

#[tokio::test]
async fn one_session_can_be_queried_separately() {
    for stores in all_stores().await {
        stores
            .ingest(USER, 1, "2025-03-01", &[(0, 60.0)], OnConflict::Error)
            .await
            .expect("stored");
        stores
            .ingest(USER, 2, "2025-03-01", &[(0, 80.0)], OnConflict::Error)
            .await
            .expect("stored");
        let result = stores
            .aggregate_in(
                USER,
                Some(id(2)),
                "hr",
                "day",
                "UTC",
                vec![AggFunction::Avg],
            )
            .await;
        assert_eq!(
            result.series[0].figures(0),
            [Figure::Number(80.0)],
            "{}",
            stores.name
        );
    }
}

#[tokio::test]
async fn text_has_first_last_and_count() {
    for stores in all_stores().await {
        let note = |time: &str, text: &str| json!({"series": "note", "time": time, "value": text});
        let data = [
            note("2025-03-01T10:00:00Z", "b"),
            note("2025-03-01T09:00:00Z", "a"),
            note("2025-03-01T10:00:00Z", "c"),
        ];
        stores
            .ingest_json(USER, 1, None, &data, OnConflict::Error)
            .await
            .expect("stored");
        let functions = vec![AggFunction::First, AggFunction::Last, AggFunction::Count];
        let result = stores
            .aggregate_in(USER, None, "note", "day", "UTC", functions)
            .await;
        let row = &result.series[0].rows[0];
        assert_eq!(row.bucket, at("2025-03-01T00:00:00Z"), "{}", stores.name);
        let text = |text: &str| Figure::Text(Box::new(Json::String(text.to_owned())));
        assert_eq!(
            result.series[0].figures(0),
            [text("a"), text("c"), Figure::Count(3)],
            "{}",
            stores.name
        );
    }
}

#[tokio::test]
async fn a_user_without_data_has_version_zero_and_no_rows() {
    for stores in all_stores().await {
        let result = stores.aggregate(USER, "hr", "day").await;
        assert_eq!((result.rows(), result.version), (0, 0), "{}", stores.name);
    }
}
