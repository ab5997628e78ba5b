//! The contract of stored metric types.

use std::sync::Arc;

use serde_json::json;
use time_series_domain::catalogue::CatalogueCache;
use time_series_domain::ingest::{EncodedSession, OnConflict, RawSession, ValidSession};
use time_series_domain::metric_type::MetricTypeDefinition;
use time_series_domain::ports::{CatalogueChanges, ChangeError, PointSource, StoreError};
use time_series_domain::session::Join;
use time_series_domain::{
    Catalogue, MetricType, SchemaVersion, SeriesName, TimeRules, Timestamp, UserId,
};
use uuid::Uuid;

use crate::stores::{OTHER, USER, all, at, definition, id, point};

#[tokio::test]
async fn a_change_stamps_the_metric_type_with_the_generation_and_no_other_one() {
    for stores in all().await {
        let types = &stores.metric_types;
        let before = types.changes(None).await.expect("a catalogue");
        let created = types
            .create(&definition("x", json!({"type": "number"})))
            .await
            .expect("created");
        let after = types
            .changes(Some(before.generation))
            .await
            .expect("changes");
        assert!(before.generation < after.generation, "{}", stores.name);
        assert_eq!(created.generation, after.generation, "{}", stores.name);
        assert_eq!(
            created.schema_generation, after.generation,
            "{}",
            stores.name
        );
        assert_eq!(
            names(&after),
            ["x"],
            "only the created one: {}",
            stores.name
        );
        let updated = types
            .update(&definition("x", json!({"type": "integer"})))
            .await
            .expect("updated");
        assert!(updated.generation > created.generation, "{}", stores.name);
        assert_eq!(
            updated.schema_generation, updated.generation,
            "{}",
            stores.name
        );
        assert_eq!(
            names(
                &types
                    .changes(Some(after.generation))
                    .await
                    .expect("changes")
            ),
            ["x"],
            "{}",
            stores.name
        );
        let none = types
            .changes(Some(updated.generation))
            .await
            .expect("changes");
        assert!(
            none.changed.is_empty() && none.deleted.is_empty() && !none.is_whole,
            "{}",
            stores.name
        );
    }
}

#[tokio::test]
async fn a_change_of_texts_leaves_the_schema_generation() {
    for stores in all().await {
        let types = &stores.metric_types;
        let schema = json!({"type": "number", "maximum": 1e2});
        let created = types
            .create(&definition("x", schema.clone()))
            .await
            .expect("created");
        let name = SeriesName::parse("x").expect("a name");
        let words = MetricTypeDefinition::new(name, schema, "in words".to_owned(), "m".to_owned())
            .expect("a definition");
        let changed = types.update(&words).await.expect("updated");
        assert!(changed.generation > created.generation, "{}", stores.name);
        assert_eq!(
            changed.schema_generation, created.schema_generation,
            "{}",
            stores.name
        );
        assert_eq!(changed.channels, created.channels, "{}", stores.name);
        assert_eq!(
            (changed.description.as_str(), changed.unit.as_str()),
            ("in words", "m"),
            "{}",
            stores.name
        );
    }
}

#[tokio::test]
async fn a_deletion_is_among_the_changes() {
    for stores in all().await {
        let types = &stores.metric_types;
        let created = types
            .create(&definition("x", json!({"type": "number"})))
            .await
            .expect("created");
        types.delete("x").await.expect("deleted");
        let changes = types
            .changes(Some(created.generation))
            .await
            .expect("changes");
        assert_eq!(changes.deleted, [created.id], "{}", stores.name);
        let again = types
            .create(&definition("x", json!({"type": "string"})))
            .await
            .expect("created again");
        let changes = types
            .changes(Some(created.generation))
            .await
            .expect("changes");
        assert_eq!(
            (names(&changes), &changes.deleted),
            (vec!["x"], &vec![created.id]),
            "{}",
            stores.name
        );
        assert!(again.id != created.id, "{}", stores.name);
    }
}

#[tokio::test]
async fn everything_is_read_where_nobody_knows_what_changed() {
    for stores in all().await {
        let whole = stores
            .metric_types
            .changes(None)
            .await
            .expect("a catalogue");
        assert!(whole.is_whole, "{}", stores.name);
        assert_eq!(names(&whole), ["hr", "note"], "{}", stores.name);
        let ahead = stores
            .metric_types
            .changes(Some(whole.generation + 1))
            .await
            .expect("a catalogue");
        assert!(
            ahead.is_whole,
            "of a generation that is still to come: {}",
            stores.name
        );
        assert_eq!(names(&ahead), ["hr", "note"], "{}", stores.name);
    }
}

/// A catalogue that is brought up to date change by change is the one that is read at once.
#[tokio::test]
async fn changes_add_up_to_the_catalogue() {
    for stores in all().await {
        let types = &stores.metric_types;
        let cache = CatalogueCache::default();
        for step in 0..60_u32 {
            let name = format!("x{}", step * 7 % 11);
            let schema = json!({"type": "object", "properties": {format!("leaf{}", step % 3): {"type": "number"}}});
            match step % 4 {
                0 | 1 => drop(types.create(&definition(&name, schema)).await),
                2 => drop(types.update(&definition(&name, schema)).await),
                _ => drop(types.delete(&name).await),
            }
            if step % 5 == 0 {
                let kept = cache.latest(types.as_ref()).await.expect("a catalogue");
                let whole = Catalogue::default()
                    .with_changes(types.changes(None).await.expect("a catalogue"));
                let shown = |catalogue: &Catalogue| {
                    let shown = |t: &Arc<MetricType>| {
                        (t.series.clone(), t.id, t.generation, t.channels.clone())
                    };
                    (
                        catalogue.generation,
                        catalogue.iter().map(shown).collect::<Vec<_>>(),
                    )
                };
                assert_eq!(shown(&kept), shown(&whole), "{} after {step}", stores.name);
                assert!(
                    whole
                        .iter()
                        .all(|t| kept.by_id(t.id).is_some_and(|k| k.series == t.series)),
                    "{}",
                    stores.name
                );
                assert_eq!(kept.len(), whole.len(), "{}", stores.name);
            }
        }
    }
}

#[tokio::test]
async fn the_metric_types_of_users_are_those_of_their_points() {
    for stores in all().await {
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
                let metric_type = catalogue.by_id(version.metric_type).expect("it is there");
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
async fn a_session_checked_by_an_older_schema_is_refused_and_others_are_not() {
    for stores in all().await {
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
            let raw = RawSession::from_json(body.as_bytes()).expect("a session");
            let checked = ValidSession::check(
                raw,
                &whole,
                &TimeRules::default(),
                at("2025-12-31T00:00:00Z"),
                Join::Alone,
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
        let refused = stores.sessions.store(old, OnConflict::Error, None).await;
        assert!(
            matches!(refused, Err(StoreError::CatalogueChanged)),
            "{}: {refused:?}",
            stores.name
        );
        stores
            .sessions
            .store(other, OnConflict::Error, None)
            .await
            .expect("its metric type is as it was");
        stores.check().await;
    }
}

fn names(changes: &CatalogueChanges) -> Vec<&str> {
    let mut names: Vec<&str> = changes.changed.iter().map(|t| t.series.as_str()).collect();
    names.sort_unstable();
    names
}

#[tokio::test]
async fn names_are_unique_and_absent_ones_are_told() {
    for stores in all().await {
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
async fn a_schema_that_stored_points_break_is_refused() {
    for stores in all().await {
        stores
            .ingest(USER, 1, "2025-03-01", &[(0, 60.5)], OnConflict::Error)
            .await
            .expect("stored");
        let types = &stores.metric_types;
        let refused = types
            .update(&definition("hr", json!({"type": "integer"})))
            .await;
        assert!(
            matches!(refused, Err(ChangeError::Misfits { .. })),
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
        types.delete("hr").await.expect("no points any more");
    }
}

#[tokio::test]
async fn a_new_leaf_becomes_a_channel_behind_the_old_ones() {
    for stores in all().await {
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
