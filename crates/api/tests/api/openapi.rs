//! The committed OpenAPI document matches the routes.

use time_series_api::openapi;
use time_series_testkit::{Backend, TestApp};

#[actix_web::test]
async fn the_committed_document_is_up_to_date() {
    let committed = include_str!("../../../../docs/openapi.json");
    assert!(
        openapi::document().await == committed,
        "run `cargo xtask openapi` and commit docs/openapi.json"
    );
}

#[tokio::test]
async fn the_document_is_served_as_json_and_yaml() {
    let app = TestApp::start(Backend::Plain).await;
    let json = app.get("/schema/").await.expect(200);
    assert_eq!(json.json()["openapi"], "3.0.3");
    let yaml = app.get("/schema/?format=yaml").await.expect(200);
    assert!(yaml.text.contains("\nopenapi:"), "{}", yaml.text);
    let page = app.get("/redoc/").await.expect(200);
    assert!(
        !page.text.contains("https://"),
        "the page must not load external resources"
    );
}
