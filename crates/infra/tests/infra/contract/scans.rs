//! The contract of scans by conditions, several users and the sessions' axes.

use std::ops::Range;

use serde_json::json;
use time_series_domain::ingest::OnConflict;
use time_series_domain::query::{AggFunction, AggregateSpec, Axis, GroupBy, Offsets, ValueFilter};
use time_series_domain::{
    Calendar, Interval, SeriesMode, SeriesSelector, Timestamp, UserId, Weekday,
};
use uuid::Uuid;

use crate::contract::aggregates::rounded;
use crate::contract::stores::{USER, all_stores, at, point, summary_functions, year};

const OTHER: UserId = UserId(Uuid::from_u128(77));

/// Queries of every implementation, over long and short blocks of two users.
async fn assert_same_everywhere(label: &str, change: impl Fn(&mut AggregateSpec)) {
    let mut results = Vec::new();
    for stores in all_stores().await {
        let long: Vec<(u32, f64)> = (0..3_000).map(|i| (i * 11, f64::from(i / 100))).collect();
        stores
            .ingest(USER, 1, "2025-03-01", &long, OnConflict::Error)
            .await
            .expect("stored");
        stores
            .ingest(
                USER,
                2,
                "2025-03-02",
                &[(0, 5.0), (70, -0.0), (80_000, 29.0)],
                OnConflict::Error,
            )
            .await
            .expect("stored");
        stores
            .ingest(
                OTHER,
                1,
                "2025-03-01",
                &[(3, 7.5), (40_000, 12.0)],
                OnConflict::Error,
            )
            .await
            .expect("stored");
        let day = Calendar::new(Interval::Days(1), "UTC", Weekday::Monday).expect("a zone");
        let mut query = AggregateSpec {
            selector: SeriesSelector::parse(&["hr"], SeriesMode::Auto).expect("a selector"),
            functions: summary_functions(),
            ..AggregateSpec::new(USER, day, year())
        };
        change(&mut query);
        results.push((stores.name, rounded(&stores.query(&query).await)));
    }
    assert!(!results[0].1.is_empty(), "{label}");
    for (name, rows) in &results[1..] {
        assert_eq!(rows, &results[0].1, "{name}: {label}");
    }
}

#[tokio::test]
async fn conditions_remove_points_at_every_level() {
    for text in [
        "value>=12",
        "value<12.5",
        "value!=0",
        "value=5",
        "value>3,value<=7.5",
        "value>-1",
        "value<=0",
    ] {
        let filter = ValueFilter::parse(text).expect("a filter");
        assert_same_everywhere(text, |query| query.filter = Some(filter.clone())).await;
        assert_same_everywhere(text, |query| {
            query.filter = Some(filter.clone());
            query.functions = AggFunction::NAMED.to_vec();
        })
        .await;
    }
}

#[tokio::test]
async fn several_users_are_merged_or_separated() {
    assert_same_everywhere("merged", |query| query.users.push(OTHER)).await;
    assert_same_everywhere("by user", |query| {
        query.users.push(OTHER);
        query.group_by = GroupBy::User;
    })
    .await;
    assert_same_everywhere("basic by user", |query| {
        query.users.push(OTHER);
        query.group_by = GroupBy::User;
        query.functions = vec![AggFunction::Avg, AggFunction::Count];
    })
    .await;
}

#[tokio::test]
async fn sessions_have_axes_of_their_own() {
    let half_hours = Offsets::new(Interval::Seconds(1_800)).expect("steps");
    assert_same_everywhere("aligned", |query| query.axis = Axis::SinceStart(half_hours)).await;
    assert_same_everywhere("by session", |query| query.group_by = GroupBy::Session).await;
    assert_same_everywhere("median of sessions", |query| {
        query.group_by = GroupBy::Session;
        query.over = vec![AggFunction::Median, AggFunction::Count];
    })
    .await;
}

/// Runs with few metric types and with many, which are looked up differently.
#[tokio::test]
async fn skipped_series_are_series_with_points() {
    for more in [0, 60] {
        for stores in all_stores().await {
            for number in 0..more {
                stores
                    .create(&format!("unused.{number}"), json!({"type": "string"}))
                    .await;
            }
            let points = [
                point("note", "2025-03-01", 0, &json!("x")),
                point("hr", "2025-03-01", 1, &json!(5)),
            ];
            stores
                .ingest_json(USER, 1, None, &points, OnConflict::Error)
                .await
                .expect("stored");
            stores
                .ingest(OTHER, 1, "2025-03-01", &[(3, 7.5)], OnConflict::Error)
                .await
                .expect("stored");
            let day = Calendar::new(Interval::Days(1), "UTC", Weekday::Monday).expect("a zone");
            let skipped = async |user: UserId, range: Range<Timestamp>| {
                stores
                    .query(&AggregateSpec::new(user, day.clone(), range))
                    .await
                    .skipped
            };
            let label = format!("{}, {more} more metric types", stores.name);
            assert_eq!(skipped(USER, year()).await, ["note"], "{label}");
            assert_eq!(
                skipped(OTHER, year()).await,
                [""; 0],
                "{label}: another user"
            );
            let later = at("2025-03-02T00:00:00Z")..at("2025-04-01T00:00:00Z");
            assert_eq!(
                skipped(USER, later).await,
                [""; 0],
                "{label}: outside the range"
            );
        }
    }
}
