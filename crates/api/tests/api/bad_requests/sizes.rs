//! Bodies that are too long, and compressed bodies.

use reqwest::Method;
use serde_json::json;
use time_series_testkit::{Backend, Response, TestApp};
use uuid::Uuid;

use crate::common::{START, assert_problem, gzip, score, session, sessions_of};
use crate::on_both_servers;

on_both_servers![
    a_body_above_the_limit_is_rejected,
    a_compressed_body_is_accepted,
    a_body_that_decompresses_above_the_limit_is_rejected,
    a_broken_or_unknown_compression_is_rejected,
];

async fn post_compressed(app: &TestApp, encoding: &str, body: Vec<u8>) -> Response {
    app.request(
        Method::POST,
        "/api/sessions/",
        Some(body),
        &[("content-encoding", encoding)],
    )
    .await
}

async fn a_body_above_the_limit_is_rejected(backend: Backend) {
    let app = TestApp::with(backend).max_body_bytes(1000).start().await;
    app.seed().await;
    let (user, id) = (Uuid::new_v4(), Uuid::new_v4());
    let body = session(user, id, START, &[score(START, 1.0)]).to_string();
    let padded = |length: usize| body.clone() + &" ".repeat(length - body.len());
    for length in [1001, 100_000] {
        let response = app.post_text("/api/sessions/", &padded(length)).await;
        assert_problem(&response, 413, "body_too_large");
        let response = app
            .request(
                Method::PUT,
                &format!("/api/sessions/{id}/"),
                Some(padded(length).into()),
                &[],
            )
            .await;
        assert_problem(&response, 413, "body_too_large");
        let response = app.post_text("/api/metrictypes/", &padded(length)).await;
        assert_problem(&response, 413, "body_too_large");
    }
    assert!(sessions_of(&app, user).await.is_empty());
    let _ = app
        .post_text("/api/sessions/", &padded(1000))
        .await
        .expect(201);
}

async fn a_compressed_body_is_accepted(backend: Backend) {
    let app = TestApp::seeded(backend).await;
    let (user, id) = (Uuid::new_v4(), Uuid::new_v4());
    let body = session(user, id, START, &[score(START, 1.0)]);
    let _ = post_compressed(&app, "gzip", gzip(body.to_string().as_bytes()))
        .await
        .expect(201);
    assert_eq!(
        app.post("/api/sessions/", &body)
            .await
            .expect(200)
            .receipt()
            .outcome,
        json!("unchanged")
    );
    let bad = session(user, Uuid::new_v4(), START, &[score("never", 1.0)]).to_string();
    let response = post_compressed(&app, "gzip", gzip(bad.as_bytes())).await;
    assert_problem(&response, 422, "invalid_session");
    assert_eq!(response.faults(), ["/data/0/time invalid_time"]);
}

async fn a_body_that_decompresses_above_the_limit_is_rejected(backend: Backend) {
    let app = TestApp::with(backend).max_body_bytes(100_000).start().await;
    // Decompressed, this is 99,589 bytes, which is within the limit, and not JSON.
    assert_problem(
        &post_compressed(&app, "gzip", gzip(&vec![b' '; 99_589])).await,
        400,
        "invalid_body",
    );
    let bomb = gzip(&vec![b' '; 10_320_001]);
    assert!(
        bomb.len() < 100_000,
        "the compressed body is below the limit"
    );
    assert_problem(
        &post_compressed(&app, "gzip", bomb).await,
        413,
        "body_too_large",
    );
}

async fn a_broken_or_unknown_compression_is_rejected(backend: Backend) {
    let app = TestApp::seeded(backend).await;
    let user = Uuid::new_v4();
    let body = session(user, Uuid::new_v4(), START, &[score(START, 1.0)]).to_string();
    let whole = gzip(body.as_bytes());
    let mut wrong_sum = whole.clone();
    let sum = wrong_sum.len() - 8;
    wrong_sum[sum] ^= 1;
    for broken in [
        body.clone().into_bytes(),
        whole[..whole.len() / 2].to_vec(),
        wrong_sum,
    ] {
        assert_problem(
            &post_compressed(&app, "gzip", broken).await,
            400,
            "invalid_body",
        );
    }
    for encoding in ["compress", "x-none", "gzip, gzip"] {
        assert_problem(
            &post_compressed(&app, encoding, whole.clone()).await,
            415,
            "unsupported_encoding",
        );
    }
    assert!(sessions_of(&app, user).await.is_empty());
}
