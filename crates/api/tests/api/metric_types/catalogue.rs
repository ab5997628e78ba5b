//! Creating, reading and listing metric types.

use std::collections::BTreeSet;

use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};
use time_series_testkit::{Backend, Response, TestApp};

use crate::common::{assert_problem, encode, results};
use crate::on_both_servers;

on_both_servers![
    a_created_metric_type_can_be_read,
    description_and_unit_are_optional,
    a_name_is_unique,
    concurrent_creations_of_one_name_create_one,
    a_bad_name_is_rejected,
    missing_unknown_and_mistyped_members_are_named,
    values_that_cannot_be_stored_are_rejected,
    metric_types_are_listed_by_name,
    pages_show_each_metric_type_once,
    unknown_resources_are_not_found,
    an_impossible_name_is_a_client_error,
];

fn number() -> Value {
    json!({"type": "number"})
}

fn names(list: &Response) -> Vec<String> {
    results(list)
        .iter()
        .map(|m| m["series"].as_str().unwrap_or_default().to_owned())
        .collect()
}

async fn a_created_metric_type_can_be_read(backend: Backend) {
    let app = TestApp::start(backend).await;
    let definition = json!({
        "series": "sleep.heart-rate_1",
        "schema": {"type": "object", "properties": {"bpm": {"type": "number"}, "device": {"type": "string"}}},
        "description": "Heart rate, \u{201c}at rest\u{201d}",
        "unit": "1/min",
    });
    let created = app
        .post("/api/metrictypes/", &definition)
        .await
        .expect(201)
        .json();
    for member in ["series", "schema", "description", "unit"] {
        assert_eq!(created[member], definition[member]);
    }
    assert_eq!(created["channels"], json!(["/bpm"]));
    assert!(created["created_at"].is_string() && created["updated_at"].is_string());
    assert_eq!(
        app.get("/api/metrictypes/sleep.heart-rate_1/")
            .await
            .expect(200)
            .json(),
        created
    );
    assert_eq!(
        app.get("/api/metrictypes/").await.expect(200).json()["results"],
        json!([created])
    );
}

async fn description_and_unit_are_optional(backend: Backend) {
    let app = TestApp::start(backend).await;
    let created = app
        .post(
            "/api/metrictypes/",
            &json!({"series": "x", "schema": number()}),
        )
        .await
        .expect(201)
        .json();
    assert_eq!(
        (&created["description"], &created["unit"]),
        (&json!(""), &json!(""))
    );
}

async fn a_name_is_unique(backend: Backend) {
    let app = TestApp::start(backend).await;
    app.metric_type("taken", &number()).await;
    let again = json!({"series": "taken", "schema": {"type": "string"}});
    assert_problem(
        &app.post("/api/metrictypes/", &again).await,
        409,
        "metric_type_exists",
    );
    assert_eq!(
        app.get("/api/metrictypes/taken/").await.expect(200).json()["schema"],
        number()
    );
    app.metric_type("Taken", &number()).await;
}

async fn a_bad_name_is_rejected(backend: Backend) {
    let app = TestApp::start(backend).await;
    let long = "a".repeat(256);
    for name in [
        "",
        " ",
        "a b",
        "a/b",
        "a*",
        "^a",
        "a,b",
        "gr\u{f6}\u{df}e",
        "a\n",
        "a\u{0}",
        "a%20b",
        "a:b",
        &long,
    ] {
        let response = app
            .post(
                "/api/metrictypes/",
                &json!({"series": name, "schema": number()}),
            )
            .await;
        assert_eq!(response.status.as_u16(), 422, "{name:?}: {}", response.text);
        assert_problem(&response, 422, "invalid_metric_type");
        assert!(
            response.faults()[0].starts_with("/series "),
            "{name:?}: {}",
            response.text
        );
    }
    assert!(names(&app.get("/api/metrictypes/").await).is_empty());
    for name in ["a", "A-z_0.9", "-", "a".repeat(255).as_str()] {
        app.metric_type(name, &number()).await;
        let _ = app
            .get(&format!("/api/metrictypes/{name}/"))
            .await
            .expect(200);
    }
}

async fn missing_unknown_and_mistyped_members_are_named(backend: Backend) {
    let app = TestApp::start(backend).await;
    let cases = [
        (json!({}), "/schema"),
        (json!({"schema": {}}), "/series"),
        (json!({"series": "x"}), "/schema"),
        (json!({"series": "x", "schema": {}, "units": "m"}), "/units"),
        (json!({"series": 7, "schema": {}}), "/series"),
        (json!({"series": "x", "schema": {}, "unit": 7}), "/unit"),
        (
            json!({"series": "x", "schema": {}, "description": ["a"]}),
            "/description",
        ),
    ];
    let mut unnamed = Vec::new();
    for (body, pointer) in cases {
        let response = app.post("/api/metrictypes/", &body).await;
        assert_problem(&response, 422, "invalid_metric_type");
        if !response
            .faults()
            .iter()
            .any(|f| f.starts_with(&format!("{pointer} ")))
        {
            unnamed.push(format!("{pointer} of {body}: {}", response.text));
        }
    }
    assert!(unnamed.is_empty(), "{unnamed:#?}");
}

async fn values_that_cannot_be_stored_are_rejected(backend: Backend) {
    let app = TestApp::start(backend).await;
    let twice = r#"{"series": "x", "schema": {"type": "number"}, "schema": {}}"#;
    assert_problem(
        &app.post_text("/api/metrictypes/", twice).await,
        422,
        "invalid_metric_type",
    );
    let nul = json!({"series": "x", "schema": {}, "description": "a\u{0}b"});
    assert_problem(
        &app.post("/api/metrictypes/", &nul).await,
        422,
        "invalid_metric_type",
    );
    let nul = json!({"series": "x", "schema": {"title": "a\u{0}b"}});
    assert_problem(
        &app.post("/api/metrictypes/", &nul).await,
        422,
        "invalid_metric_type",
    );
    assert!(names(&app.get("/api/metrictypes/").await).is_empty());
}

async fn metric_types_are_listed_by_name(backend: Backend) {
    let app = TestApp::start(backend).await;
    assert_eq!(
        app.get("/api/metrictypes/").await.expect(200).json()["results"],
        json!([])
    );
    for name in ["b", "a.b", "a", "c", "a.a"] {
        app.metric_type(name, &number()).await;
    }
    let list = app.get("/api/metrictypes/").await.expect(200);
    assert_eq!(names(&list), ["a", "a.a", "a.b", "b", "c"]);
    let metadata = &list.json()["metadata"];
    assert_eq!(
        (&metadata["count"], &metadata["next_cursor"]),
        (&json!(5), &Value::Null)
    );
}

async fn pages_show_each_metric_type_once(backend: Backend) {
    let app = TestApp::start(backend).await;
    // Names that language collations sort differently from their bytes.
    for name in ["a-b", "ab", "a_b", "A.b", "a.b", "B", "b", "-", "_", "0"] {
        app.metric_type(name, &number()).await;
    }
    let all = names(&app.get("/api/metrictypes/").await.expect(200));
    let sorted: BTreeSet<_> = all.iter().cloned().collect();
    assert_eq!(all, sorted.into_iter().collect::<Vec<_>>(), "by name");
    for limit in [1, 3, 10] {
        let (mut seen, mut cursor) = (Vec::new(), String::new());
        loop {
            let page = app
                .get(&format!("/api/metrictypes/?limit={limit}{cursor}"))
                .await
                .expect(200);
            assert!(names(&page).len() <= limit);
            seen.extend(names(&page));
            assert!(seen.len() <= all.len(), "no entry appears twice");
            match page.json()["metadata"]["next_cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={}", encode(next)),
                None => break,
            }
        }
        assert_eq!(seen, all, "limit {limit}");
    }
    for query in [
        "limit=0",
        "limit=1001",
        "limit=x",
        "cursor=%00",
        "cursor=a%20b",
        "page=1",
    ] {
        assert_problem(
            &app.get(&format!("/api/metrictypes/?{query}")).await,
            422,
            "invalid_parameters",
        );
    }
}

async fn unknown_resources_are_not_found(backend: Backend) {
    let app = TestApp::seeded(backend).await;
    for name in [
        "none",
        "session.urine",
        "session.urine.COLOR",
        "session",
        "x".repeat(255).as_str(),
    ] {
        let path = format!("/api/metrictypes/{name}/");
        let body = json!({"schema": {"type": "number"}});
        for response in [
            app.get(&path).await,
            app.delete(&path).await,
            app.put(&path, &body).await,
        ] {
            assert_problem(&response, 404, "metric_type_not_found");
        }
    }
    assert_eq!(names(&app.get("/api/metrictypes/").await).len(), 3);
}

async fn an_impossible_name_is_a_client_error(backend: Backend) {
    let app = TestApp::seeded(backend).await;
    let mut failed = Vec::new();
    for name in [
        "session.urine.*",
        "a%20b",
        "%00",
        "session.urine.color%00",
        "%2e%2e",
        "%FF",
        "gr%C3%B6%C3%9Fe",
        &"x".repeat(5000),
    ] {
        let path = format!("/api/metrictypes/{name}/");
        let body = json!({"schema": {"type": "number"}})
            .to_string()
            .into_bytes();
        for (method, body) in [
            (Method::GET, None),
            (Method::DELETE, None),
            (Method::PUT, Some(body)),
        ] {
            let response = app.request(method.clone(), &path, body, &[]).await;
            if !response.status.is_client_error() || !response.text.contains("\"code\"") {
                failed.push(format!(
                    "{method} {path}: {} {}",
                    response.status, response.text
                ));
            }
        }
    }
    assert!(failed.is_empty(), "{failed:#?}");
    assert_eq!(names(&app.get("/api/metrictypes/").await).len(), 3);
}

async fn concurrent_creations_of_one_name_create_one(backend: Backend) {
    let app = TestApp::start(backend).await;
    let definition = json!({"series": "x", "schema": number()});
    let responses = join_all((0..8).map(|_| app.post("/api/metrictypes/", &definition))).await;
    let mut statuses: Vec<_> = responses.iter().map(|a| a.status.as_u16()).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [[201].as_slice(), &[409; 7]].concat());
    assert_eq!(names(&app.get("/api/metrictypes/").await), ["x"]);
}
