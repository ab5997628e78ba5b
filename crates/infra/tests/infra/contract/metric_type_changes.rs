//! The contract of changes of the catalogue: generations, deletions and updates by change.

use std::sync::Arc;

use serde_json::json;
use time_series_domain::catalogue::CatalogueCache;
use time_series_domain::metric_type::MetricTypeDefinition;
use time_series_domain::{Catalogue, MetricType, SeriesName};

use super::metric_types::names;
use crate::contract::stores::{all_stores, definition};

#[tokio::test]
async fn a_change_sets_the_generation_of_one_metric_type() {
    for stores in all_stores().await {
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
    for stores in all_stores().await {
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
async fn deletions_are_listed_as_changes() {
    for stores in all_stores().await {
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
async fn everything_is_read_if_the_changes_are_unknown() {
    for stores in all_stores().await {
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
        assert!(ahead.is_whole, "of a future generation: {}", stores.name);
        assert_eq!(names(&ahead), ["hr", "note"], "{}", stores.name);
    }
}

/// A catalogue that is updated change by change equals one that is read at once.
#[tokio::test]
async fn a_catalogue_updated_by_changes_equals_a_fresh_one() {
    for stores in all_stores().await {
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
