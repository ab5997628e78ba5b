//! Unknown paths and methods, and the shape of every problem.

use reqwest::Method;
use time_series_testkit::{Backend, Response, TestApp};
use uuid::Uuid;

use crate::common::{START, assert_problem, session};
use crate::on_both_servers;

on_both_servers![
    an_unknown_path_is_a_problem,
    a_known_path_with_a_wrong_method_is_a_problem,
    a_405_names_the_allowed_methods,
    the_document_endpoints_reject_other_methods,
    every_rejection_is_a_complete_problem,
    every_problem_matches_the_openapi_document,
];

async fn an_unknown_path_is_a_problem(backend: Backend) {
    let app = TestApp::start(backend).await;
    for path in [
        "/",
        "/api",
        "/api/",
        "/api/session/",
        "/nothing/at/all",
        "/api/sessions/a/b/c/d",
        "/api/%ff/",
        "/.git/config",
        "/redoc/../../etc/passwd",
    ] {
        assert_problem(&app.get(path).await, 404, "no_such_path");
    }
    assert_problem(&app.post_text("/nothing/", "{}").await, 404, "no_such_path");
}

/// A method that the path rejects, and one that it accepts.
fn other_methods(session: &str) -> [(Method, &str, &'static str); 9] {
    [
        (Method::DELETE, "/api/sessions/", "GET"),
        (Method::PUT, "/api/sessions", "POST"),
        (Method::POST, session, "PUT"),
        (Method::PATCH, session, "DELETE"),
        (Method::PUT, "/api/timeseries/", "POST"),
        (Method::DELETE, "/api/timeseries/", "GET"),
        (Method::DELETE, "/api/metrictypes/", "POST"),
        (
            Method::PATCH,
            "/api/metrictypes/session.urine.color/",
            "PUT",
        ),
        (Method::POST, "/health/live/", "GET"),
    ]
}

async fn a_known_path_with_a_wrong_method_is_a_problem(backend: Backend) {
    let app = TestApp::start(backend).await;
    let session = format!("/api/sessions/{}/", Uuid::new_v4());
    for (method, path, _) in other_methods(&session) {
        let response = app
            .request(method.clone(), path, Some(b"{}".to_vec()), &[])
            .await;
        assert_eq!(
            response.status.as_u16(),
            405,
            "{method} {path}: {}",
            response.text
        );
        assert!(
            !response.text.is_empty(),
            "{method} {path}: 405 without a problem"
        );
        assert_problem(&response, 405, "method_not_allowed");
    }
}

async fn a_405_names_the_allowed_methods(backend: Backend) {
    let app = TestApp::start(backend).await;
    let session = format!("/api/sessions/{}/", Uuid::new_v4());
    let mut silent = Vec::new();
    for (method, path, allowed) in other_methods(&session) {
        let response = app
            .request(method.clone(), path, Some(b"{}".to_vec()), &[])
            .await;
        let allow = response
            .headers
            .get("allow")
            .and_then(|v| v.to_str().ok())
            .unwrap_or_default();
        if !allow.contains(allowed) {
            silent.push(format!("{method} {path}: Allow is {allow:?}"));
        }
    }
    assert!(
        silent.is_empty(),
        "RFC 9110, 15.5.6: a 405 names the allowed methods. {silent:#?}"
    );
}

async fn the_document_endpoints_reject_other_methods(backend: Backend) {
    let app = TestApp::start(backend).await;
    for path in ["/schema/", "/redoc/"] {
        assert_problem(&app.post_text(path, "{}").await, 405, "method_not_allowed");
    }
}

/// One rejection of each kind that is easy to provoke.
async fn rejections(app: &TestApp) -> Vec<Response> {
    let (user, id) = (Uuid::new_v4(), Uuid::new_v4());
    let _ = app
        .post("/api/sessions/", &session(user, id, START, &[]))
        .await
        .expect(201);
    let other = session(user, id, "2025-01-02T00:00:00Z", &[]);
    vec![
        app.post_text("/api/sessions/", "nonsense").await,
        app.post_text("/api/sessions/", "{}").await,
        app.post("/api/sessions/", &other).await,
        app.get("/api/sessions/").await,
        app.get(&format!("/api/sessions/{}/", Uuid::new_v4())).await,
        app.get("/api/timeseries/").await,
        app.get("/api/metrictypes/none/").await,
        app.post_text("/api/metrictypes/", "{}").await,
        app.get("/none/").await,
        app.delete("/api/timeseries/").await,
    ]
}

async fn every_rejection_is_a_complete_problem(backend: Backend) {
    let app = TestApp::seeded(backend).await;
    for response in rejections(&app).await {
        assert!(response.status.is_client_error(), "{}", response.text);
        assert_problem(&response, response.status.as_u16(), &response.code());
        let body = response.json();
        assert_eq!(
            body["type"],
            format!("urn:time-series:problem:{}", response.code())
        );
        if let Some(listed) = body["errors"].as_array() {
            assert_eq!(body["total_errors"], listed.len(), "{body}");
        }
        for error in body["errors"].as_array().into_iter().flatten() {
            assert!(
                ["pointer", "code", "message"]
                    .iter()
                    .all(|m| error[m].is_string()),
                "{error}"
            );
        }
    }
}

async fn every_problem_matches_the_openapi_document(backend: Backend) {
    let app = TestApp::seeded(backend).await;
    let document = app.get("/schema/").await.expect(200).json();
    let required = document["components"]["schemas"]["Problem"]["required"].clone();
    for member in required
        .as_array()
        .expect("required members")
        .iter()
        .filter_map(|m| m.as_str())
    {
        for response in rejections(&app).await {
            assert!(
                response.json().get(member).is_some(),
                "the required member {member} is missing: {}",
                response.text
            );
        }
    }
}
