//! Decompression bombs in every encoding.

use crate::client::request;
use crate::service::{Service, WellBehavedUser, peer};
use time_series_testkit::{gzip, zstd};

#[tokio::test]
async fn decompression_bombs_are_rejected_by_every_endpoint() {
    let service = Service::start(&[]).await;
    let good = WellBehavedUser::start(&service);
    let newlines = vec![b'\n'; 100 << 20];
    let bombs = [
        ("gzip", gzip(&newlines)),
        ("gzip", gzip(b"").repeat(200_000)),
        ("gzip", gzip(b" ").repeat(100_000)),
        ("zstd", zstd(&newlines)),
        ("zstd", zstd(b"").repeat(200_000)),
        ("gzip", gzip(&newlines[..30 << 20])),
        ("gzip", gzip(&b"\r\n \t\n".repeat(1 << 20))),
    ];
    for (encoding, bomb) in &bombs {
        for path in [
            "/api/sessions/",
            "/api/sessions/bulk/",
            "/api/timeseries/",
            "/api/metrictypes/",
        ] {
            let headers = [("content-encoding", *encoding)];
            let reply = request(service.address, peer(2), "POST", path, &headers, bomb).await;
            let is_rejected = matches!(reply.status, 400 | 413 | 422)
                || (path.contains("bulk") && reply.text().contains("\"end\":false"));
            assert!(
                is_rejected,
                "{path} {encoding} of {} bytes: {}",
                bomb.len(),
                reply.text()
            );
        }
    }
    good.stop().await;
    service.check().await;
}

#[tokio::test]
async fn nested_values_of_unknown_series_are_cheap() {
    let service = Service::start(&[]).await;
    let good = WellBehavedUser::start(&service);
    let numbers = "1,".repeat(20_000);
    let value = format!("{}{numbers}1{}", "[".repeat(60), "]".repeat(60));
    for order in [
        r#"{"series":"none","time":"2025-01-01T00:00:00Z","value":V}"#,
        r#"{"value":V,"series":"none","time":"2025-01-01T00:00:00Z"}"#,
    ] {
        let point = order.replace('V', &value);
        let points = vec![point; 60].join(",");
        let body =
            format!(r#"{{"user_id":"8b0e7a52-6a3f-4a8c-9d0a-0d6a7c1f2b3e","data":[{points}]}}"#);
        let headers = [("content-encoding", "gzip")];
        let reply = request(
            service.address,
            peer(2),
            "POST",
            "/api/sessions/",
            &headers,
            &gzip(body.as_bytes()),
        )
        .await;
        assert!(
            reply.status == 422 && reply.is_problem("invalid_session"),
            "{}",
            reply.text()
        );
    }
    good.stop().await;
    service.check().await;
}
