//! With an admin token configured, only its holder may change metric types.

use reqwest::Method;
use serde_json::json;
use time_series_testkit::{Backend, Response, TestApp};
use uuid::Uuid;

use crate::common::{START, assert_problem, get_timeseries, point, sessions_of, store};
use crate::metric_types::JANUARY;
use crate::on_both_servers;

on_both_servers![
    without_the_token_metric_types_cannot_change,
    with_the_token_metric_types_can_change,
    the_authentication_scheme_ignores_letter_case,
    a_401_names_the_authentication_scheme,
    everyone_reads_and_stores,
];

const TOKEN: &str = "a-token of some length/=";

/// Creates, changes and deletes `x`, in this order, with this header.
async fn all(app: &TestApp, authorization: Option<&str>) -> Vec<Response> {
    let headers: Vec<_> = authorization
        .map(|value| ("authorization", value))
        .into_iter()
        .collect();
    let body = |unit: &str| {
        Some(
            json!({"series": "x", "schema": {"type": "number"}, "unit": unit})
                .to_string()
                .into_bytes(),
        )
    };
    vec![
        app.request(Method::POST, "/api/metrictypes/", body("m"), &headers)
            .await,
        app.request(Method::PUT, "/api/metrictypes/x/", body("km"), &headers)
            .await,
        app.request(Method::DELETE, "/api/metrictypes/x/", None, &headers)
            .await,
    ]
}

async fn without_the_token_metric_types_cannot_change(backend: Backend) {
    let app = TestApp::with(backend).admin_token(TOKEN).start().await;
    let (longer, shorter) = (
        format!("Bearer {TOKEN}x"),
        format!("Bearer {}", &TOKEN[1..]),
    );
    let upper = format!("Bearer {}", TOKEN.to_uppercase());
    let basic = format!("Basic {TOKEN}");
    let wrong = [
        None,
        Some(""),
        Some("Bearer"),
        Some("Bearer "),
        Some("Bearer wrong"),
        Some(TOKEN),
        Some(&*longer),
        Some(&*shorter),
        Some(&*upper),
        Some(&*basic),
    ];
    for authorization in wrong {
        for response in all(&app, authorization).await {
            assert_eq!(
                response.status.as_u16(),
                401,
                "{authorization:?}: {}",
                response.text
            );
            assert_problem(&response, 401, "unauthorized");
            assert!(!response.text.contains(TOKEN), "the token is a secret");
        }
    }
    assert_eq!(
        app.get("/api/metrictypes/").await.expect(200).json()["results"],
        json!([])
    );
}

async fn with_the_token_metric_types_can_change(backend: Backend) {
    let app = TestApp::with(backend).admin_token(TOKEN).start().await;
    let statuses: Vec<_> = all(&app, Some(&format!("Bearer {TOKEN}")))
        .await
        .iter()
        .map(|a| a.status.as_u16())
        .collect();
    assert_eq!(statuses, [201, 200, 204]);
}

async fn the_authentication_scheme_ignores_letter_case(backend: Backend) {
    let app = TestApp::with(backend).admin_token(TOKEN).start().await;
    let statuses: Vec<_> = all(&app, Some(&format!("bearer {TOKEN}")))
        .await
        .iter()
        .map(|a| a.status.as_u16())
        .collect();
    assert_eq!(statuses, [201, 200, 204], "RFC 9110, 11.1");
}

async fn a_401_names_the_authentication_scheme(backend: Backend) {
    let app = TestApp::with(backend).admin_token(TOKEN).start().await;
    for response in all(&app, None).await {
        let challenge = response
            .headers
            .get("www-authenticate")
            .and_then(|v| v.to_str().ok())
            .unwrap_or_default();
        assert!(
            challenge.starts_with("Bearer"),
            "RFC 9110, 15.5.2: {challenge:?}"
        );
    }
}

async fn everyone_reads_and_stores(backend: Backend) {
    let app = TestApp::with(backend).admin_token(TOKEN).start().await;
    let body = json!({"series": "x", "schema": {"type": "number"}})
        .to_string()
        .into_bytes();
    let header = format!("Bearer {TOKEN}");
    let _ = app
        .request(
            Method::POST,
            "/api/metrictypes/",
            Some(body),
            &[("authorization", &header)],
        )
        .await
        .expect(201);
    let user = Uuid::new_v4();
    let id = store(&app, user, START, &[point("x", START, &json!(1))]).await;
    assert_eq!(sessions_of(&app, user).await, [id.to_string()]);
    assert_eq!(
        get_timeseries(&app, user, &JANUARY)
            .await
            .expect(200)
            .metadata()
            .count,
        1
    );
    let _ = app.get("/api/metrictypes/x/").await.expect(200);
    let _ = app
        .delete(&format!("/api/sessions/{id}/"))
        .await
        .expect(204);
}
