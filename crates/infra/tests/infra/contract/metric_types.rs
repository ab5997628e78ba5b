//! The contract of stored metric types.

use std::sync::Arc;

use serde_json::json;
use time_series_domain::ingest::{
    EncodedSession, OnConflict, SessionDraft, SessionWrite, ValidSession,
};
use time_series_domain::model::AppendTarget;
use time_series_domain::ports::{CatalogueChanges, ChangeError, PointSource, SessionWriteError};
use time_series_domain::{Catalogue, SchemaVersion, TimeRules, Timestamp, UserId};
use uuid::Uuid;

use crate::contract::stores::{OTHER, USER, all_stores, at, definition, id, point};

#[tokio::test]
async fn users_have_the_metric_types_of_their_points() {
    for stores in all_stores().await {
        let day = point("hr", "2025-03-01", 1, &json!(60));
        let text = point("note", "2025-03-02", 1, &json!("fine"));
        stores
            .ingest_json(USER, 1, None, &[day], OnConflict::Error)
            .await
            .expect("stored");
        stores
            .ingest_json(OTHER, 1, None, &[text], OnConflict::Error)
            .await
            .expect("stored");
        let seen = async |users: &[UserId], points: PointSource| {
            let (head, types) = stores
                .metric_types
                .of_users(users, &points)
                .await
                .expect("metric types");
            let catalogue = Catalogue::default().with_changes(
                stores
                    .metric_types
                    .changes(None)
                    .await
                    .expect("a catalogue"),
            );
            assert_eq!(head.generation, catalogue.generation, "{}", stores.name);
            let name = |version: &SchemaVersion| {
                let metric_type = catalogue
                    .by_id(version.metric_type)
                    .expect("the metric type exists");
                assert_eq!(metric_type.schema_version(), *version, "{}", stores.name);
                metric_type.series.as_str().to_owned()
            };
            (head.version, types.iter().map(name).collect::<Vec<_>>())
        };
        let all = || PointSource::Blocks(Timestamp::MIN..Timestamp::MAX);
        let names = |names: &[&str]| {
            names
                .iter()
                .map(|name| (*name).to_owned())
                .collect::<Vec<_>>()
        };
        assert_eq!(
            seen(&[USER], all()).await,
            (1, names(&["hr"])),
            "{}",
            stores.name
        );
        assert_eq!(
            seen(&[OTHER], all()).await,
            (1, names(&["note"])),
            "{}",
            stores.name
        );
        assert_eq!(
            seen(&[USER, OTHER], all()).await,
            (2, names(&["hr", "note"])),
            "{}",
            stores.name
        );
        assert_eq!(
            seen(&[USER], PointSource::DaySummaries).await,
            (1, names(&["hr"])),
            "{}",
            stores.name
        );
        assert_eq!(
            seen(&[OTHER], PointSource::DaySummaries).await,
            (1, names(&[])),
            "{}",
            stores.name
        );
        let of_march = PointSource::Blocks(at("2025-03-01T00:00:00Z")..at("2025-04-01T00:00:00Z"));
        assert_eq!(
            seen(&[USER], of_march).await,
            (1, names(&["hr"])),
            "{}",
            stores.name
        );
        assert_eq!(
            seen(&[UserId(Uuid::from_u128(0xC))], all()).await,
            (0, names(&[])),
            "{}",
            stores.name
        );
    }
}

#[tokio::test]
async fn only_sessions_validated_by_an_old_schema_are_rejected() {
    for stores in all_stores().await {
        let types = &stores.metric_types;
        stores
            .ingest(USER, 1, "2025-03-01", &[(0, 60.5)], OnConflict::Error)
            .await
            .expect("stored");
        let whole =
            Catalogue::default().with_changes(types.changes(None).await.expect("a catalogue"));
        let encoded = |session, series: &str, value: serde_json::Value| {
            let body = json!({"user_id": USER.0, "session_id": Uuid::from_u128(session),
                              "data": [point(series, "2025-03-01", 0, &value)]});
            let body = body.to_string();
            let raw = SessionDraft::from_json(body.as_bytes()).expect("a session");
            let checked = ValidSession::check(
                raw,
                &whole,
                &TimeRules::default(),
                at("2025-12-31T00:00:00Z"),
                AppendTarget::Alone,
            );
            Arc::new(EncodedSession::encode(checked.expect("valid")))
        };
        let (old, other) = (
            encoded(2, "hr", json!(61)),
            encoded(3, "note", json!("fine")),
        );
        types
            .update(&definition(
                "hr",
                json!({"type": "number", "maximum": 60.5}),
            ))
            .await
            .expect("updated");
        types
            .create(&definition("more", json!({"type": "number"})))
            .await
            .expect("created");
        let rejected = stores
            .sessions
            .write(old, SessionWrite::Store(OnConflict::Error, None))
            .await;
        assert!(
            matches!(rejected, Err(SessionWriteError::CatalogueChanged)),
            "{}: {rejected:?}",
            stores.name
        );
        stores
            .sessions
            .write(other, SessionWrite::Store(OnConflict::Error, None))
            .await
            .expect("its metric type is unchanged");
        stores.check().await;
    }
}

pub(super) fn names(changes: &CatalogueChanges) -> Vec<&str> {
    let mut names: Vec<&str> = changes.changed.iter().map(|t| t.series.as_str()).collect();
    names.sort_unstable();
    names
}

#[tokio::test]
async fn names_are_unique_and_unknown_names_are_reported() {
    for stores in all_stores().await {
        let types = &stores.metric_types;
        let taken = types.create(&definition("hr", json!({}))).await;
        assert!(matches!(taken, Err(ChangeError::Exists)), "{}", stores.name);
        let absent = types.update(&definition("nope", json!({}))).await;
        assert!(
            matches!(absent, Err(ChangeError::Absent)),
            "{}",
            stores.name
        );
        assert!(
            matches!(types.delete("nope").await, Err(ChangeError::Absent)),
            "{}",
            stores.name
        );
    }
}

#[tokio::test]
async fn a_schema_that_stored_points_break_is_rejected() {
    for stores in all_stores().await {
        stores
            .ingest(USER, 1, "2025-03-01", &[(0, 60.5)], OnConflict::Error)
            .await
            .expect("stored");
        let types = &stores.metric_types;
        let rejected = types
            .update(&definition("hr", json!({"type": "integer"})))
            .await;
        assert!(
            matches!(rejected, Err(ChangeError::Misfits { .. })),
            "{}",
            stores.name
        );
        types
            .update(&definition("hr", json!({"type": "number", "maximum": 250})))
            .await
            .expect("fits");
        assert!(
            matches!(types.delete("hr").await, Err(ChangeError::InUse)),
            "{}",
            stores.name
        );
        stores.sessions.delete(USER, id(1)).await.expect("deleted");
        types.delete("hr").await.expect("no points remain");
    }
}

#[tokio::test]
async fn a_new_leaf_becomes_the_last_channel() {
    for stores in all_stores().await {
        let types = &stores.metric_types;
        let leaf = |names: &[&str]| {
            let properties: serde_json::Map<_, _> = names
                .iter()
                .map(|n| ((*n).to_owned(), json!({"type": "number"})))
                .collect();
            definition("pos", json!({"type": "object", "properties": properties}))
        };
        types.create(&leaf(&["y"])).await.expect("created");
        let point =
            json!({"series": "pos", "time": "2025-03-01T00:00:00Z", "value": {"y": 1, "z": 5}});
        stores
            .ingest_json(USER, 1, None, &[point], OnConflict::Error)
            .await
            .expect("stored");
        let in_use = types.update(&leaf(&["y", "z"])).await;
        assert!(
            matches!(in_use, Err(ChangeError::LeafInUse { .. })),
            "{}",
            stores.name
        );
        let updated = types.update(&leaf(&["a", "y"])).await.expect("updated");
        let pointers: Vec<String> = updated
            .channels
            .iter()
            .map(|c| c.pointer.to_string())
            .collect();
        assert_eq!(pointers, ["/y", "/a"], "{}", stores.name);
        let point = json!({"series": "pos", "time": "2025-03-01T00:00:01Z", "value": {"a": 7}});
        stores
            .ingest_json(USER, 2, None, &[point], OnConflict::Error)
            .await
            .expect("stored");
        assert_eq!(
            stores.aggregate(USER, "pos", "day").await.rows(),
            1,
            "{}",
            stores.name
        );
        stores.check().await;
    }
}
