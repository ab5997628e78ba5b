//! Requests that are not HTTP, are too long, or come from pages of other origins.

use crate::client::{get, post, request, send_raw};
use crate::service::{Service, peer};

#[tokio::test]
async fn requests_that_are_not_http_get_a_problem() {
    let service = Service::start(&[]).await;
    let cases: [(&[u8], u16, &str); 6] = [
        (
            b"GET /api/timeseries/?where=value>=90 HTTP/1.1\r\nhost: localhost\r\n\r\n",
            400,
            "bad_request",
        ),
        (
            b"GET /api/points/?series=a b HTTP/1.1\r\nhost: localhost\r\n\r\n",
            400,
            "bad_request",
        ),
        (b"GET / HTTP/9.9\r\n\r\n", 400, "bad_request"),
        (b"hello\r\n\r\n", 400, "bad_request"),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400, "bad_request"),
        (b"GET / HTTP/1.1\r\nbad header\r\n\r\n", 400, "bad_request"),
    ];
    for (bytes, status, code) in cases {
        let reply = send_raw(&service, 2, bytes).await;
        assert!(
            reply.status == status && reply.is_problem(code),
            "{}: {}",
            String::from_utf8_lossy(bytes),
            reply.text()
        );
    }
    let sent = send_raw(&service, 2, cases[0].0).await.text();
    assert!(sent.contains("%3E"), "{sent}");
    for length in [70_000, 200_000] {
        let long = format!(
            "GET /api/points/?series={} HTTP/1.1\r\nhost: localhost\r\n\r\n",
            "a".repeat(length)
        );
        let reply = send_raw(&service, 2, long.as_bytes()).await;
        assert!(
            reply.status == 431 && reply.is_problem("request_head_too_large"),
            "{length}: {}",
            reply.text()
        );
    }
    service.check().await;
}

#[tokio::test]
async fn a_query_too_long_for_a_url_may_be_a_post_body() {
    let service = Service::start(&[]).await;
    let users: Vec<String> = (0..20_000_u128)
        .map(|n| format!("\"{}\"", uuid::Uuid::from_u128(n)))
        .collect();
    let body = format!(
        r#"{{"user_id":[{}],"start_time":"2025-01-01","end_time":"2025-02-01","where":"value>=90"}}"#,
        users.join(",")
    );
    let reply = post(&service, 2, "/api/timeseries/", body.as_bytes()).await;
    assert!(
        reply.status == 200 && reply.text().contains("\"metadata\""),
        "{}",
        reply.text()
    );
    let reply = post(
        &service,
        2,
        "/api/timeseries/",
        br#"{"user_id":"x","nonsense":[1,true]}"#,
    )
    .await;
    assert!(
        reply.status == 422 && reply.is_problem("invalid_parameters"),
        "{}",
        reply.text()
    );
    service.check().await;
}

#[tokio::test]
async fn cross_origin_requests_change_nothing() {
    let service = Service::start(&[]).await;
    let body = br#"{"user_id":"8b0e7a52-6a3f-4a8c-9d0a-0d6a7c1f2b3e","data":[]}"#;
    for header in [
        ("origin", "https://evil.example"),
        ("sec-fetch-site", "cross-site"),
        ("origin", "null"),
    ] {
        let headers = [header, ("content-type", "text/plain")];
        let reply = request(
            service.address,
            peer(2),
            "POST",
            "/api/sessions/",
            &headers,
            body,
        )
        .await;
        assert!(
            reply.status == 403 && reply.is_problem("cross_site_request"),
            "{header:?}: {}",
            reply.text()
        );
    }
    let foreign =
        b"GET /api/metrictypes/ HTTP/1.1\r\nhost: evil.example\r\nconnection: close\r\n\r\n";
    let reply = send_raw(&service, 2, foreign).await;
    assert!(
        reply.status == 421 && reply.is_problem("host_not_allowed"),
        "{}",
        reply.text()
    );
    assert_eq!(post(&service, 2, "/api/sessions/", body).await.status, 201);
    service.check().await;
}

#[tokio::test]
async fn counts_are_limited_before_any_work() {
    let service = Service::start(&[]).await;
    let user = uuid::Uuid::new_v4();
    let globs = format!(
        "/api/points/?user_id={user}&series={}",
        vec!["a*"; 1_000].join(",")
    );
    let repeated = format!("/api/points/?user_id={user}{}", "&series=b*".repeat(1_500));
    for path in [&globs, &repeated] {
        let reply = get(&service, 2, path).await;
        assert!(
            reply.status == 422 && reply.bytes.len() < 20_000,
            "{}",
            reply.text()
        );
    }
    for range in [
        "tz=Asia/Tokyo&interval=year",
        "tz=Europe/Athens&interval=month",
        "tz=UTC&interval=1s",
    ] {
        let path = format!(
            "/api/timeseries/?user_id={user}&{range}&start_time=0001-01-02&end_time=9999-12-31T23:59:59Z&fill=null"
        );
        assert!(
            matches!(get(&service, 2, &path).await.status, 200 | 422),
            "{range}"
        );
    }
    service.check().await;
}
