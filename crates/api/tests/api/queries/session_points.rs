//! GET /api/sessions/{id}/points/: the points of one session.

use serde_json::{Value, json};
use time_series_testkit::{Backend, Response, TestApp};
use uuid::Uuid;

use crate::common::{COLOR, SCORE, START, assert_problem, point, results, score, session, store};
use crate::on_both_servers;
use crate::queries::parameters::assert_named;
use crate::queries::support::{at, csv_table, get, metadata, ndjson, points};

on_both_servers![
    only_the_points_of_the_session_are_returned,
    an_unknown_session_is_not_found,
    an_id_of_several_users_requires_the_user,
    parameters_filter_and_order_the_points,
    pages_together_are_the_whole_list,
    every_format_has_etags,
    an_empty_session_has_none,
    an_invalid_id_is_rejected,
    the_trailing_slash_is_optional,
];

fn path(id: Uuid) -> String {
    format!("/api/sessions/{id}/points/")
}

fn times(response: &Response) -> Vec<String> {
    results(response)
        .iter()
        .map(|row| row["time"].as_str().unwrap_or_default().to_owned())
        .collect()
}

async fn only_the_points_of_the_session_are_returned(backend: Backend) {
    let app = TestApp::seeded(backend).await;
    let user = Uuid::new_v4();
    let rgb = json!({"r": 1, "g": 2, "b": 3});
    let id = store(
        &app,
        user,
        START,
        &[point(COLOR, &at(2), &rgb), score(&at(1), 1.5)],
    )
    .await;
    let _ = store(&app, user, START, &[score(&at(1), 2.0)]).await;
    let response = get(&app, &path(id), &[]).await.expect(200);
    let row = |series: &str, seconds: i64, value: Value| {
        json!({
            "session_id": id, "series": series, "time": at(seconds), "value": value
        })
    };
    let expected = [row(SCORE, 1, json!({"value": 1.5})), row(COLOR, 2, rgb)];
    let as_floats = |rows: &[Value]| {
        rows.iter()
            .map(crate::common::as_floats)
            .collect::<Vec<_>>()
    };
    assert_eq!(as_floats(&results(&response)), as_floats(&expected));
    let actual = metadata(&response);
    assert_eq!(
        (&actual["user_id"], &actual["session_id"]),
        (&json!(user), &json!(id))
    );
    assert_eq!(
        (&actual["count"], &actual["version"], &actual["next_cursor"]),
        (&json!(2), &json!(2), &Value::Null)
    );
    let same = points(&app, user, &[("session_id", &id.to_string())])
        .await
        .expect(200);
    assert_eq!(
        results(&same),
        results(&response),
        "/api/points/ returns the same rows"
    );
}

async fn an_unknown_session_is_not_found(backend: Backend) {
    let app = TestApp::seeded(backend).await;
    let user = Uuid::new_v4();
    let id = store(&app, user, START, &[score(START, 1.0)]).await;
    assert_problem(
        &get(&app, &path(Uuid::new_v4()), &[]).await,
        404,
        "session_not_found",
    );
    let stranger = Uuid::new_v4().to_string();
    assert_problem(
        &get(&app, &path(id), &[("user_id", &stranger)]).await,
        404,
        "session_not_found",
    );
    let _ = get(&app, &path(id), &[("user_id", &user.to_string())])
        .await
        .expect(200);
    let _ = app
        .delete(&format!("/api/sessions/{id}/"))
        .await
        .expect(204);
    assert_problem(&get(&app, &path(id), &[]).await, 404, "session_not_found");
}

async fn an_id_of_several_users_requires_the_user(backend: Backend) {
    let app = TestApp::seeded(backend).await;
    let (one, other, id) = (Uuid::new_v4(), Uuid::new_v4(), Uuid::new_v4());
    for (user, value) in [(one, 1.0), (other, 2.0)] {
        let _ = app
            .post(
                "/api/sessions/",
                &session(user, id, START, &[score(START, value)]),
            )
            .await
            .expect(201);
    }
    let response = get(&app, &path(id), &[]).await;
    assert_problem(&response, 409, "session_ambiguous");
    assert!(
        response.text.contains("user_id"),
        "the message names user_id: {}",
        response.text
    );
    for (user, value) in [(one, 1.0), (other, 2.0)] {
        let response = get(&app, &path(id), &[("user_id", &user.to_string())])
            .await
            .expect(200);
        assert_eq!(
            results(&response)[0]["value"]["value"].as_f64(),
            Some(value)
        );
        assert_eq!(metadata(&response)["user_id"], json!(user));
    }
    let _ = app
        .delete(&format!("/api/sessions/{id}/?user_id={one}"))
        .await
        .expect(204);
    assert_eq!(
        metadata(&get(&app, &path(id), &[]).await.expect(200))["user_id"],
        json!(other),
        "now a session has the id"
    );
}

async fn parameters_filter_and_order_the_points(backend: Backend) {
    let app = TestApp::seeded(backend).await;
    let user = Uuid::new_v4();
    let rgb = json!({"r": 1, "g": 2, "b": 3});
    let data = [
        score(&at(1), 1.0),
        point(COLOR, &at(2), &rgb),
        score(&at(3), 3.0),
        score(&at(86_400), 4.0),
    ];
    let id = store(&app, user, START, &data).await;
    let fetch =
        async |query: &[(&str, &str)]| times(&get(&app, &path(id), query).await.expect(200));
    assert_eq!(
        fetch(&[("series", SCORE)]).await,
        [at(1), at(3), at(86_400)]
    );
    assert_eq!(
        fetch(&[("series", "gut"), ("series_mode", "regex")]).await,
        [at(1), at(3), at(86_400)]
    );
    assert_eq!(fetch(&[("series", "*.color")]).await, [at(2)]);
    assert_eq!(fetch(&[("where", "value>1")]).await, [at(3), at(86_400)]);
    assert_eq!(
        fetch(&[("start_time", &at(2)), ("end_time", "2025-01-02")]).await,
        [at(2), at(3)]
    );
    assert_eq!(
        fetch(&[("order", "desc"), ("limit", "2")]).await,
        [at(86_400), at(3)]
    );
}

async fn pages_together_are_the_whole_list(backend: Backend) {
    let app = TestApp::seeded(backend).await;
    let user = Uuid::new_v4();
    let data: Vec<_> = (0..10)
        .map(|i| {
            score(
                &at(i / 2 * 86_400),
                f64::from(i32::try_from(i).expect("small")),
            )
        })
        .collect();
    let (id, other) = (
        store(&app, user, START, &data).await,
        store(&app, user, START, &data).await,
    );
    for order in ["asc", "desc"] {
        let all = results(&get(&app, &path(id), &[("order", order)]).await.expect(200));
        let (mut seen, mut cursor) = (Vec::new(), None::<String>);
        loop {
            let mut query = vec![("order", order), ("limit", "3")];
            query.extend(cursor.iter().map(|cursor| ("cursor", cursor.as_str())));
            let page = get(&app, &path(id), &query).await.expect(200);
            seen.extend(results(&page));
            cursor = metadata(&page)["next_cursor"].as_str().map(str::to_owned);
            if cursor.is_none() {
                break;
            }
        }
        assert_eq!(seen, all, "{order}");
    }
    let cursor = metadata(&get(&app, &path(id), &[("limit", "3")]).await)["next_cursor"].clone();
    let cursor = cursor.as_str().expect("a next page");
    assert_named(
        &get(&app, &path(other), &[("cursor", cursor)]).await,
        &["cursor"],
        &[],
        "of another session",
    );
}

async fn every_format_has_etags(backend: Backend) {
    let app = TestApp::seeded(backend).await;
    let user = Uuid::new_v4();
    let id = store(&app, user, START, &[score(START, 1.5), score(&at(1), 2.5)]).await;
    let _ = store(&app, user, START, &[score(START, 9.5)]).await;
    let (rows, end) = ndjson(
        &get(&app, &path(id), &[("format", "ndjson")])
            .await
            .expect(200)
            .text,
    );
    assert_eq!((rows.len(), &end["count"]), (2, &json!(2)));
    let (_, rows, end) = csv_table(
        &get(&app, &path(id), &[("format", "csv")])
            .await
            .expect(200)
            .text,
    );
    let values: Vec<_> = rows.iter().map(|row| row["value"].clone()).collect();
    assert_eq!(
        (values, end.as_deref()),
        (vec![json!("1.5"), json!("2.5")], Some("# end of 2 rows"))
    );
    let flat = results(&get(&app, &path(id), &[("shape", "flat")]).await.expect(200));
    assert_eq!(
        (flat.len(), &flat[1]["value"], &flat[1]["leaf"]),
        (2, &json!(2.5), &json!("value"))
    );
    for format in ["arrow", "parquet"] {
        let response = reqwest::get(format!("{}{}?format={format}", app.url, path(id)))
            .await
            .expect("a response");
        assert_eq!(response.status().as_u16(), 200, "{format}");
        assert!(
            response.bytes().await.is_ok_and(|body| body.len() > 100),
            "{format}"
        );
    }
}

async fn an_empty_session_has_none(backend: Backend) {
    let app = TestApp::seeded(backend).await;
    let id = store(&app, Uuid::new_v4(), START, &[]).await;
    let response = get(&app, &path(id), &[]).await.expect(200);
    assert_eq!(
        (
            response.json()["results"].clone(),
            &metadata(&response)["count"]
        ),
        (json!([]), &json!(0))
    );
}

async fn an_invalid_id_is_rejected(backend: Backend) {
    let app = TestApp::seeded(backend).await;
    // GET /api/sessions/{id}/ rejects it in the same way.
    let session = app.get("/api/sessions/mine/").await;
    let points = app.get("/api/sessions/mine/points/").await;
    assert_eq!(
        (points.status, points.code()),
        (session.status, session.code()),
        "{}",
        points.text
    );
    let strange = get(&app, &path(Uuid::new_v4()), &[("session_id", "x")]).await;
    assert_named(
        &strange,
        &["session_id"],
        &[],
        "a parameter that only /api/points/ has",
    );
}

async fn the_trailing_slash_is_optional(backend: Backend) {
    let app = TestApp::seeded(backend).await;
    let user = Uuid::new_v4();
    let id = store(&app, user, START, &[score(START, 1.0)]).await;
    let _ = app
        .get(&format!("/api/sessions/{id}/points"))
        .await
        .expect(200);
    for path in ["/api/points", "/api/latest", "/api/catalog"] {
        let _ = app.get(&format!("{path}?user_id={user}")).await.expect(200);
        let response = app.post(&format!("{path}/"), &json!({})).await;
        assert_problem(&response, 405, "method_not_allowed");
    }
}
