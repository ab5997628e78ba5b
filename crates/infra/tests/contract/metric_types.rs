//! The contract of stored metric types.

use serde_json::json;
use time_series_domain::ingest::OnConflict;
use time_series_domain::ports::ChangeError;

use crate::stores::{USER, all, definition, id};

#[tokio::test]
async fn every_change_raises_the_generation() {
    for stores in all().await {
        let types = &stores.metric_types;
        let before = types.generation().await.expect("a generation");
        types.create(&definition("x", json!({"type": "number"}))).await.expect("created");
        types.update(&definition("x", json!({"type": "integer"}))).await.expect("updated");
        types.delete("x").await.expect("deleted");
        assert_eq!(types.generation().await.expect("a generation"), before + 3, "{}", stores.name);
        assert!(types.catalogue().await.expect("a catalogue").get("x").is_none(), "{}", stores.name);
    }
}

#[tokio::test]
async fn names_are_unique_and_absent_ones_are_told() {
    for stores in all().await {
        let types = &stores.metric_types;
        let taken = types.create(&definition("hr", json!({}))).await;
        assert!(matches!(taken, Err(ChangeError::Exists)), "{}", stores.name);
        let absent = types.update(&definition("nope", json!({}))).await;
        assert!(matches!(absent, Err(ChangeError::Absent)), "{}", stores.name);
        assert!(matches!(types.delete("nope").await, Err(ChangeError::Absent)), "{}", stores.name);
    }
}

#[tokio::test]
async fn a_schema_that_stored_points_break_is_refused() {
    for stores in all().await {
        stores.ingest(USER, 1, "2025-03-01", &[(0, 60.5)], OnConflict::Error).await.expect("stored");
        let types = &stores.metric_types;
        let refused = types.update(&definition("hr", json!({"type": "integer"}))).await;
        assert!(matches!(refused, Err(ChangeError::Misfits { .. })), "{}", stores.name);
        types.update(&definition("hr", json!({"type": "number", "maximum": 250}))).await.expect("fits");
        assert!(matches!(types.delete("hr").await, Err(ChangeError::InUse)), "{}", stores.name);
        stores.sessions.delete(USER, id(1)).await.expect("deleted");
        types.delete("hr").await.expect("no points any more");
    }
}

#[tokio::test]
async fn a_new_leaf_becomes_a_channel_behind_the_old_ones() {
    for stores in all().await {
        let types = &stores.metric_types;
        let leaf = |names: &[&str]| {
            let properties: serde_json::Map<_, _> =
                names.iter().map(|n| ((*n).to_owned(), json!({"type": "number"}))).collect();
            definition("pos", json!({"type": "object", "properties": properties}))
        };
        types.create(&leaf(&["y"])).await.expect("created");
        let point = json!({"series": "pos", "time": "2025-03-01T00:00:00Z", "value": {"y": 1, "z": 5}});
        stores.ingest_json(USER, 1, None, &[point], OnConflict::Error).await.expect("stored");
        let in_use = types.update(&leaf(&["y", "z"])).await;
        assert!(matches!(in_use, Err(ChangeError::LeafInUse { .. })), "{}", stores.name);
        let updated = types.update(&leaf(&["a", "y"])).await.expect("updated");
        let pointers: Vec<String> = updated.channels.iter().map(|c| c.pointer.to_string()).collect();
        assert_eq!(pointers, ["/y", "/a"], "{}", stores.name);
        let point = json!({"series": "pos", "time": "2025-03-01T00:00:01Z", "value": {"a": 7}});
        stores.ingest_json(USER, 2, None, &[point], OnConflict::Error).await.expect("stored");
        assert_eq!(stores.aggregate(USER, "pos", "day").await.rows(), 1, "{}", stores.name);
        stores.check().await;
    }
}
