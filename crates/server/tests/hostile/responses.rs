//! Responses that the client does not read.

use std::time::Duration;

use futures_util::future::join_all;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use uuid::Uuid;

use crate::client::{connect, get, post};
use crate::service::{Service, WellBehavedUser, peer};

/// Stores 400,000 points of one user.
async fn many_points(service: &Service) -> Uuid {
    let user = Uuid::new_v4();
    for day in 1..=4 {
        let values = vec!["1.5"; 100_000].join(",");
        let body = format!(
            r#"{{"user_id":"{user}","data":[{{"series":"score","times":{{"start":"2025-01-0{day}T00:00:00Z","step":"500ms"}},"values":{{"value":[{values}]}}}}]}}"#
        );
        let reply = post(service, 2, "/api/sessions/", body.as_bytes()).await;
        assert_eq!(reply.status, 201, "{}", reply.text());
    }
    user
}

#[tokio::test]
async fn unread_responses_are_truncated_and_release_their_permit() {
    let service = Service::start(&[("DATABASE_ACQUIRE_TIMEOUT_MS", "10000")]).await;
    let user = many_points(&service).await;
    let good = WellBehavedUser::start(&service);
    let mut streams = Vec::new();
    for n in 0..32_u8 {
        let paths = [
            format!("/api/points/?user_id={user}&format=ndjson"),
            format!("/api/points/?user_id={user}&limit=100000"),
            format!(
                "/api/timeseries/?user_id={user}&interval=1s&start_time=2025-01-01&end_time=2025-01-05"
            ),
        ];
        let mut stream = connect(service.address, peer(2 + n % 4)).await;
        let head = format!(
            "GET {} HTTP/1.1\r\nhost: localhost\r\n\r\n",
            paths[usize::from(n) % 3]
        );
        stream
            .write_all(head.as_bytes())
            .await
            .expect("the head is sent");
        streams.push(stream);
    }
    // The client reads nothing for longer than the service waits.
    tokio::time::sleep(Duration::from_secs(4)).await;
    let reply = get(
        &service,
        9,
        &format!("/api/timeseries/?user_id={user}&start_time=2025-01-01&end_time=2025-01-08"),
    )
    .await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    good.stop().await;
    // Each connection ends: the buffered bytes arrive, then an end or a reset.
    let ends = streams.into_iter().map(|mut stream| async move {
        let mut bytes = Vec::new();
        tokio::time::timeout(Duration::from_mins(1), stream.read_to_end(&mut bytes))
            .await
            .is_ok()
    });
    assert!(join_all(ends).await.into_iter().all(|has_ended| has_ended));
    service.check().await;
}

#[tokio::test]
async fn a_slow_reader_above_the_minimum_rate_gets_everything() {
    let service = Service::start(&[("MIN_TRANSFER_RATE", "1000")]).await;
    let user = many_points(&service).await;
    let mut stream = connect(service.address, peer(2)).await;
    let head = format!(
        "GET /api/points/?user_id={user}&format=ndjson HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n"
    );
    stream
        .write_all(head.as_bytes())
        .await
        .expect("the head is sent");
    let (mut buffer, mut tail) = (vec![0; 2 << 20], Vec::new());
    loop {
        let read = stream
            .read(&mut buffer)
            .await
            .expect("the response is complete");
        if read == 0 {
            break;
        }
        tail.extend_from_slice(&buffer[..read]);
        tail.drain(..tail.len().saturating_sub(200));
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let end = json!({"end": true, "count": 400_000}).to_string();
    let text = String::from_utf8_lossy(&tail).into_owned();
    assert!(
        text.contains("\"count\":400000") && text.contains("\"end\":true"),
        "{end}: {text}"
    );
    service.check().await;
}
