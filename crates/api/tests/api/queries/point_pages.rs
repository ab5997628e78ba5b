//! Pagination of points: each point appears once, even if sessions change between pages.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use time_series_testkit::{Backend, Response, TestApp};
use uuid::Uuid;

use crate::common::{COLOR, SCORE, START, assert_problem, point, results, score, store};
use crate::on_both_servers;
use crate::queries::support::{Pairs, at, metadata, points};

on_both_servers![
    pages_of_every_size_are_the_whole_list_in_order,
    limits_count_points_in_every_layout,
    concurrent_changes_do_not_move_other_points,
    concurrent_changes_do_not_move_other_points_in_descending_order,
    the_session_at_the_cursor_may_be_deleted,
    a_cursor_belongs_to_its_order_and_user,
    forged_cursors_are_rejected,
];

/// The session, series, time and value of a point, which identify it here.
fn keys(page: &Response) -> Vec<String> {
    let text = |row: Value| {
        ["time", "series", "session_id", "value"]
            .map(|name| row[name].to_string())
            .join(" ")
    };
    results(page).into_iter().map(text).collect()
}

fn next(page: &Response) -> Option<String> {
    let next = metadata(page)["next_cursor"].as_str().map(str::to_owned);
    let header = page
        .headers
        .get("next-cursor")
        .map(|value| value.to_str().expect("text").to_owned());
    assert_eq!(header, next, "the header has the same value");
    next
}

async fn page(app: &TestApp, user: Uuid, parameters: &Pairs<'_>, cursor: Option<&str>) -> Response {
    let cursor: Vec<_> = cursor
        .map(|cursor| ("cursor", cursor))
        .into_iter()
        .collect();
    points(app, user, &[parameters, &cursor].concat()).await
}

/// Stores four sessions of two series over three days, with many points of equal times.
async fn four_sessions(app: &TestApp, user: Uuid) -> Vec<Uuid> {
    let mut ids = Vec::new();
    for number in 0..4 {
        let mut data = Vec::new();
        for i in 0..6 {
            let time = at(i / 2 * 86_400 + i % 2);
            let value = f64::from(i32::try_from(number * 10 + i).expect("fits"));
            data.push(score(&time, value));
            data.push(point(COLOR, &time, &json!({"r": value, "g": 0, "b": i})));
        }
        ids.push(store(app, user, START, &data).await);
    }
    ids
}

async fn pages_of_every_size_are_the_whole_list_in_order(backend: Backend) {
    let app = TestApp::seeded(backend).await;
    let user = Uuid::new_v4();
    let _ = four_sessions(&app, user).await;
    let _ = four_sessions(&app, Uuid::new_v4()).await;
    for order in ["asc", "desc"] {
        for filter in [
            &[][..],
            &[("series", SCORE)],
            &[("start_time", "2025-01-02")],
            &[("where", "r>=11")],
        ] {
            let query = [&[("order", order)], filter].concat();
            let all = keys(&points(&app, user, &query).await.expect(200));
            for limit in [1, 2, 3, 5, 7, all.len() - 1, all.len(), all.len() + 1] {
                let size = limit.to_string();
                let query = [query.as_slice(), &[("limit", &*size)]].concat();
                let (mut seen, mut cursor, mut pages) = (Vec::new(), None, 0);
                loop {
                    let page = page(&app, user, &query, cursor.as_deref())
                        .await
                        .expect(200);
                    assert!(keys(&page).len() <= limit, "{query:?}: {}", page.text);
                    seen.extend(keys(&page));
                    pages += 1;
                    assert!(
                        pages <= all.len(),
                        "the number of pages of {query:?} is finite"
                    );
                    cursor = next(&page);
                    if cursor.is_none() {
                        break;
                    }
                }
                assert_eq!(seen, all, "{query:?}");
                assert_eq!(pages, all.len().div_ceil(limit), "{query:?}");
            }
        }
    }
    let ascending = keys(&points(&app, user, &[]).await.expect(200));
    let mut descending = keys(&points(&app, user, &[("order", "desc")]).await.expect(200));
    descending.reverse();
    assert_eq!(ascending, descending);
    assert_eq!(ascending.len(), 48);
}

async fn limits_count_points_in_every_layout(backend: Backend) {
    let app = TestApp::seeded(backend).await;
    let user = Uuid::new_v4();
    let rgb = json!({"r": 1, "g": 2, "b": 3});
    let data: Vec<_> = (0..4).map(|i| point(COLOR, &at(i), &rgb)).collect();
    let _ = store(&app, user, START, &data).await;
    let query = [("shape", "flat"), ("limit", "2")];
    let first = page(&app, user, &query, None).await.expect(200);
    assert_eq!(results(&first).len(), 6, "three rows per point");
    let second = page(&app, user, &query, next(&first).as_deref())
        .await
        .expect(200);
    assert_eq!((results(&second).len(), next(&second)), (6, None));
    assert_eq!(results(&second)[0]["time"], at(2));
}

/// Reads all pages of two points while sessions are stored before, at and after the cursor
/// and deleted there.
async fn read_while_sessions_change(backend: Backend, order: &str) {
    let app = TestApp::seeded(backend).await;
    let user = Uuid::new_v4();
    let ids = four_sessions(&app, user).await;
    let query = [("order", order), ("limit", "2")];
    let stays: BTreeSet<_> = {
        let all = points(&app, user, &[("limit", "1000")]).await.expect(200);
        let gone = [ids[1].to_string(), ids[3].to_string()];
        keys(&all)
            .into_iter()
            .filter(|key| !gone.iter().any(|id| key.contains(id)))
            .collect()
    };
    let (mut seen, mut cursor, mut pages) = (Vec::new(), None, 0);
    loop {
        let page = page(&app, user, &query, cursor.as_deref())
            .await
            .expect(200);
        seen.extend(keys(&page));
        cursor = next(&page);
        if cursor.is_none() {
            break;
        }
        pages += 1;
        assert!(pages < 100, "the number of pages is finite");
        match pages {
            // Before, at and after the position of the reader.
            2 | 5 | 9 => {
                let data: Vec<_> = (0..6)
                    .map(|i| score(&at(i / 2 * 86_400 + i % 2), 99.0))
                    .collect();
                let _ = store(&app, user, START, &data).await;
            }
            3 => {
                let _ = app
                    .delete(&format!("/api/sessions/{}/", ids[1]))
                    .await
                    .expect(204);
            }
            7 => {
                let _ = app
                    .delete(&format!("/api/sessions/{}/", ids[3]))
                    .await
                    .expect(204);
            }
            _ => {}
        }
    }
    let once: BTreeSet<_> = seen.iter().cloned().collect();
    assert_eq!(once.len(), seen.len(), "no point appears twice: {seen:#?}");
    assert!(
        stays.is_subset(&once),
        "missing: {:#?}",
        stays.difference(&once)
    );
    let times: Vec<_> = seen
        .iter()
        .map(|key| key.split(' ').next().unwrap_or_default())
        .collect();
    assert!(
        if order == "asc" {
            times.is_sorted()
        } else {
            times.iter().rev().is_sorted()
        },
        "{seen:#?}"
    );
}

async fn concurrent_changes_do_not_move_other_points(backend: Backend) {
    read_while_sessions_change(backend, "asc").await;
}

async fn concurrent_changes_do_not_move_other_points_in_descending_order(backend: Backend) {
    read_while_sessions_change(backend, "desc").await;
}

async fn the_session_at_the_cursor_may_be_deleted(backend: Backend) {
    let app = TestApp::seeded(backend).await;
    let user = Uuid::new_v4();
    for order in ["asc", "desc"] {
        let _ = store(&app, user, START, &[score(&at(0), 0.0), score(&at(9), 9.0)]).await;
        let gone = store(
            &app,
            user,
            START,
            &[score(&at(4), 4.0), score(&at(5), 5.0), score(&at(6), 6.0)],
        )
        .await;
        let query = [("order", order), ("limit", "1")];
        // The cursor is at the middle one of the three.
        let mut cursor = None;
        loop {
            let page = page(&app, user, &query, cursor.as_deref())
                .await
                .expect(200);
            cursor = next(&page);
            if results(&page)[0]["time"] == at(5) {
                break;
            }
        }
        let _ = app
            .delete(&format!("/api/sessions/{gone}/"))
            .await
            .expect(204);
        let rest = page(&app, user, &[("order", order)], cursor.as_deref())
            .await
            .expect(200);
        let expected = if order == "asc" { at(9) } else { at(0) };
        assert!(!results(&rest).is_empty(), "{order}");
        assert!(
            results(&rest).iter().all(|row| row["time"] == expected),
            "{order}: {}",
            rest.text
        );
    }
}

#[track_caller]
fn assert_rejected(response: &Response, label: &str) {
    assert_eq!(response.status.as_u16(), 422, "{label}: {}", response.text);
    assert_problem(response, 422, "invalid_parameters");
    assert!(
        response.faults()[0].starts_with("cursor "),
        "{label}: {}",
        response.text
    );
}

async fn a_cursor_belongs_to_its_order_and_user(backend: Backend) {
    let app = TestApp::seeded(backend).await;
    let (user, other) = (Uuid::new_v4(), Uuid::new_v4());
    let ids = four_sessions(&app, user).await;
    let _ = four_sessions(&app, other).await;
    let cursor =
        next(&page(&app, user, &[("limit", "2")], None).await.expect(200)).expect("a next page");
    assert_rejected(
        &page(&app, user, &[("order", "desc")], Some(&cursor)).await,
        "another order",
    );
    let backwards = next(&page(&app, user, &[("limit", "2"), ("order", "desc")], None).await)
        .expect("a next page");
    assert_rejected(
        &page(&app, user, &[], Some(&backwards)).await,
        "another order",
    );
    assert_rejected(&page(&app, other, &[], Some(&cursor)).await, "another user");
    let list = app
        .get(&format!("/api/sessions/?user_id={user}&limit=2"))
        .await
        .expect(200);
    let foreign = next(&list).expect("a next page");
    assert_rejected(
        &page(&app, user, &[], Some(&foreign)).await,
        "a cursor of sessions",
    );
    let of_points = app
        .get(&format!("/api/sessions/?user_id={user}&cursor={cursor}"))
        .await;
    assert_rejected(&of_points, "a cursor of points for sessions");
    assert_eq!(ids.len(), 4);
    // Another limit is accepted.
    assert_eq!(
        results(
            &page(&app, user, &[("limit", "3")], Some(&cursor))
                .await
                .expect(200)
        )
        .len(),
        3
    );
}

async fn forged_cursors_are_rejected(backend: Backend) {
    let app = TestApp::seeded(backend).await;
    let user = Uuid::new_v4();
    let _ = four_sessions(&app, user).await;
    let good =
        next(&page(&app, user, &[("limit", "2")], None).await.expect(200)).expect("a next page");
    let made_up = [
        "",
        "x",
        "0",
        "AAAA",
        "null",
        "{}",
        "'; DROP TABLE block",
        "2025-01-01T00:00:00Z",
        "\u{1F600}",
        "%00",
    ];
    for cursor in made_up {
        assert_rejected(&page(&app, user, &[], Some(cursor)).await, cursor);
    }
    assert_rejected(
        &page(&app, user, &[], Some(&good[..good.len() - 1])).await,
        "truncated",
    );
    assert_rejected(
        &page(&app, user, &[], Some(&format!("{good}{good}"))).await,
        "doubled",
    );
    // One character is changed, except the last one, which may be padding.
    for place in 0..good.len() - 1 {
        let mut forged = good.clone();
        let other = if &good[place..=place] == "a" {
            "b"
        } else {
            "a"
        };
        forged.replace_range(place..=place, other);
        assert_rejected(&page(&app, user, &[], Some(&forged)).await, &forged);
    }
    let _ = page(&app, user, &[], Some(&good)).await.expect(200);
}
