//! The contract of stored sessions.

use time_series_domain::ingest::{OnConflict, Outcome};
use time_series_domain::session::IngestError;
use time_series_domain::{SessionId, SessionPosition};

use crate::contract::stores::{OTHER, USER, all_stores, at, id};

#[tokio::test]
async fn a_session_is_stored_once_and_retries_change_nothing() {
    for stores in all_stores().await {
        let first = stores
            .ingest(
                USER,
                1,
                "2025-03-01",
                &[(0, 60.0), (1, 61.0)],
                OnConflict::Error,
            )
            .await;
        let first = first.expect("stored");
        assert_eq!(
            (first.outcome, first.version),
            (Outcome::Created, Some(1)),
            "{}",
            stores.name
        );
        let again = stores
            .ingest(
                USER,
                1,
                "2025-03-01",
                &[(1, 61.0), (0, 60.0)],
                OnConflict::Error,
            )
            .await;
        let again = again.expect("unchanged");
        assert_eq!(
            (again.outcome, again.version),
            (Outcome::Unchanged, Some(1)),
            "{}",
            stores.name
        );
        stores.check().await;
    }
}

#[tokio::test]
async fn another_session_of_the_same_id_follows_the_policy() {
    for stores in all_stores().await {
        stores
            .ingest(USER, 1, "2025-03-01", &[(0, 60.0)], OnConflict::Error)
            .await
            .expect("stored");
        let rejected = stores
            .ingest(USER, 1, "2025-03-01", &[(0, 99.0)], OnConflict::Error)
            .await;
        assert!(
            matches!(rejected, Err(IngestError::Conflict { .. })),
            "{}",
            stores.name
        );
        let ignored = stores
            .ingest(USER, 1, "2025-03-01", &[(0, 99.0)], OnConflict::Ignore)
            .await
            .expect("ignored");
        assert_eq!(
            (ignored.outcome, ignored.version),
            (Outcome::Ignored, Some(1)),
            "{}",
            stores.name
        );
        let replaced = stores
            .ingest(USER, 1, "2025-04-02", &[(0, 99.0)], OnConflict::Replace)
            .await
            .expect("replaced");
        assert_eq!(
            (replaced.outcome, replaced.version),
            (Outcome::Replaced, Some(2)),
            "{}",
            stores.name
        );
        let result = stores.aggregate(USER, "hr", "day").await;
        assert_eq!(result.rows(), 1, "{}", stores.name);
        assert_eq!(
            result.series[0].rows[0].bucket,
            at("2025-04-02T00:00:00Z"),
            "{}",
            stores.name
        );
        stores.check().await;
    }
}

#[tokio::test]
async fn the_same_id_of_another_user_is_another_session() {
    for stores in all_stores().await {
        stores
            .ingest(USER, 1, "2025-03-01", &[(0, 60.0)], OnConflict::Error)
            .await
            .expect("stored");
        let other = stores
            .ingest(OTHER, 1, "2025-03-01", &[(0, 70.0)], OnConflict::Error)
            .await
            .expect("stored");
        assert_eq!(other.version, Some(1), "{}", stores.name);
        assert_eq!(
            stores.sessions.owners(id(1)).await.expect("owners"),
            [USER, OTHER],
            "{}",
            stores.name
        );
        assert_eq!(
            stores.sessions.owners(id(2)).await.expect("owners"),
            [],
            "{}",
            stores.name
        );
    }
}

#[tokio::test]
async fn deletion_removes_a_session_from_every_summary() {
    for stores in all_stores().await {
        stores
            .ingest(
                USER,
                1,
                "2025-03-01",
                &[(0, 60.0), (90_000, 62.0)],
                OnConflict::Error,
            )
            .await
            .expect("stored");
        stores
            .ingest(USER, 2, "2025-03-01", &[(0, 80.0)], OnConflict::Error)
            .await
            .expect("stored");
        assert_eq!(
            stores.sessions.delete(USER, id(1)).await.expect("deleted"),
            Some(3),
            "{}",
            stores.name
        );
        assert_eq!(
            stores.sessions.delete(USER, id(1)).await.expect("absent"),
            None,
            "{}",
            stores.name
        );
        let result = stores.aggregate(USER, "hr", "day").await;
        assert_eq!((result.rows(), result.version), (1, 3), "{}", stores.name);
        stores.check().await;
    }
}

#[tokio::test]
async fn the_record_describes_the_stored_session() {
    for stores in all_stores().await {
        stores
            .ingest(
                USER,
                1,
                "2025-03-01",
                &[(5, 60.0), (90_000, 62.0)],
                OnConflict::Error,
            )
            .await
            .expect("stored");
        let (record, version) = stores
            .sessions
            .get(USER, id(1))
            .await
            .expect("read")
            .expect("there");
        assert_eq!((record.points, version), (2, 1), "{}", stores.name);
        assert_eq!(
            record.span,
            Some((at("2025-03-01T00:00:05Z"), at("2025-03-02T01:00:00Z"))),
            "{}",
            stores.name
        );
        assert_eq!(
            record.series.iter().map(|s| s.points).collect::<Vec<_>>(),
            [2],
            "{}",
            stores.name
        );
        assert!(
            stores
                .sessions
                .get(OTHER, id(1))
                .await
                .expect("read")
                .is_none(),
            "{}",
            stores.name
        );
    }
}

#[tokio::test]
async fn pages_are_newest_first_with_missing_starts_last() {
    for stores in all_stores().await {
        for (session, day) in [
            (1, "2025-03-01"),
            (2, "2025-03-03"),
            (3, "2025-03-02"),
            (4, "2025-03-02"),
        ] {
            stores
                .ingest(USER, session, day, &[(0, 1.0)], OnConflict::Error)
                .await
                .expect("stored");
        }
        stores
            .ingest_json(USER, 5, None, &[], OnConflict::Error)
            .await
            .expect("stored");
        let mut seen: Vec<SessionId> = Vec::new();
        let mut after: Option<SessionPosition> = None;
        loop {
            let page = stores.sessions.list(USER, after, 2).await.expect("a page");
            seen.extend(page.sessions.iter().map(|s| s.session_id));
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        assert_eq!(seen, [id(2), id(4), id(3), id(1), id(5)], "{}", stores.name);
    }
}
