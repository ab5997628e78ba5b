//! Pages of a list show each session once, even if sessions change between pages.

use std::collections::BTreeSet;

use serde_json::json;
use time_series_testkit::{Backend, Response, TestApp};
use uuid::Uuid;

use crate::common::{assert_problem, encode, ids, sessions_of, store};
use crate::on_both_servers;

on_both_servers![
    pages_of_every_size_show_each_session_once_in_order,
    concurrent_changes_do_not_move_other_sessions,
    forged_cursors_are_rejected,
];

/// Twelve sessions: some start at the same time, some have no start.
async fn store_twelve(app: &TestApp, user: Uuid) {
    for day in [3, 1, 2, 2, 2, 1, 3, 2] {
        let _ = store(app, user, &format!("2025-01-0{day}T00:00:00Z"), &[]).await;
    }
    for _ in 0..4 {
        let _ = app
            .post("/api/sessions/", &json!({"user_id": user, "data": []}))
            .await
            .expect(201);
    }
}

async fn page(app: &TestApp, user: Uuid, limit: usize, cursor: Option<&str>) -> Response {
    let cursor = cursor
        .map(|c| format!("&cursor={}", encode(c)))
        .unwrap_or_default();
    app.get(&format!(
        "/api/sessions/?user_id={user}&limit={limit}{cursor}"
    ))
    .await
}

fn next(page: &Response) -> Option<String> {
    page.json()["metadata"]["next_cursor"]
        .as_str()
        .map(str::to_owned)
}

async fn pages_of_every_size_show_each_session_once_in_order(backend: Backend) {
    let app = TestApp::seeded(backend).await;
    let user = Uuid::new_v4();
    store_twelve(&app, user).await;
    store_twelve(&app, Uuid::new_v4()).await;
    let all = sessions_of(&app, user).await;
    assert_eq!(all.len(), 12);
    for limit in [1, 2, 3, 5, 11, 12, 13] {
        let (mut seen, mut cursor, mut pages) = (Vec::new(), None, 0);
        loop {
            let page = page(&app, user, limit, cursor.as_deref()).await.expect(200);
            assert!(
                !ids(&page).is_empty() && ids(&page).len() <= limit,
                "limit {limit}: {}",
                page.text
            );
            seen.extend(ids(&page));
            pages += 1;
            cursor = next(&page);
            if cursor.is_none() {
                break;
            }
        }
        assert_eq!(seen, all, "limit {limit}");
        assert_eq!(pages, 12_usize.div_ceil(limit), "limit {limit}");
    }
}

async fn concurrent_changes_do_not_move_other_sessions(backend: Backend) {
    let app = TestApp::seeded(backend).await;
    let user = Uuid::new_v4();
    store_twelve(&app, user).await;
    let mut stays: BTreeSet<_> = sessions_of(&app, user).await.into_iter().collect();
    let (mut seen, mut cursor, mut came) = (Vec::new(), None, 0);
    loop {
        let page = page(&app, user, 2, cursor.as_deref()).await.expect(200);
        let shown = ids(&page);
        seen.extend(shown.clone());
        cursor = next(&page);
        if cursor.is_none() {
            break;
        }
        // Stores sessions before, at and after the cursor, and deletes the session at the cursor.
        came += 1;
        assert!(came < 20, "the number of pages is finite");
        let _ = store(&app, user, "2025-06-01T00:00:00Z", &[]).await;
        if came <= 3 {
            let _ = store(&app, user, "2025-01-02T00:00:00Z", &[]).await;
            let _ = store(&app, user, "2024-01-01T00:00:00Z", &[]).await;
        }
        let last = shown.last().expect("a session");
        let _ = app
            .delete(&format!("/api/sessions/{last}/"))
            .await
            .expect(204);
        // A session of a later page is deleted, too.
        let unseen = sessions_of(&app, user)
            .await
            .into_iter()
            .rev()
            .find(|id| stays.contains(id) && !seen.contains(id));
        if let (2, Some(unseen)) = (came, unseen) {
            let _ = app
                .delete(&format!("/api/sessions/{unseen}/"))
                .await
                .expect(204);
            stays.remove(&unseen);
        }
    }
    let once: BTreeSet<_> = seen.iter().cloned().collect();
    assert_eq!(once.len(), seen.len(), "no entry appears twice");
    assert!(
        stays.is_subset(&once),
        "missing: {:?}",
        stays.difference(&once)
    );
}

async fn forged_cursors_are_rejected(backend: Backend) {
    let app = TestApp::seeded(backend).await;
    let user = Uuid::new_v4();
    store_twelve(&app, user).await;
    let good = next(&page(&app, user, 2, None).await.expect(200)).expect("a next page");
    let rejected = async |cursor: &str| {
        let response = page(&app, user, 2, Some(cursor)).await;
        assert_eq!(
            response.status.as_u16(),
            422,
            "cursor {cursor}, good is {good}: {}",
            response.text
        );
        assert_problem(&response, 422, "invalid_parameters");
        assert!(
            response.faults()[0].starts_with("cursor "),
            "{}",
            response.text
        );
    };
    let made_up = [
        "x",
        "0",
        "AAAA",
        "null",
        "{}",
        "'; DROP TABLE session",
        "2025-01-01T00:00:00Z",
        "\u{1F600}",
        "%00",
    ];
    for cursor in made_up {
        rejected(cursor).await;
    }
    rejected(&good[..good.len() - 1]).await;
    rejected(&format!("{good}{good}")).await;
    rejected(&good.repeat(500)[..4000]).await;
    // One character is changed, except the last one, which may be padding.
    for place in 0..good.len() - 1 {
        let mut forged = good.clone();
        let other = if &good[place..=place] == "a" {
            "b"
        } else {
            "a"
        };
        forged.replace_range(place..=place, other);
        rejected(&forged).await;
    }
    assert_eq!(
        ids(&page(&app, user, 2, Some(&good)).await.expect(200)).len(),
        2,
        "the unmodified cursor still works"
    );
}
