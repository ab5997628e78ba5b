//! Bodies that arrive slowly, stop, or exceed the limit.

use std::time::Duration;

use futures_util::future::join_all;
use tokio::io::AsyncWriteExt;
use uuid::Uuid;

use crate::client::{connect, get, head, post, read_all, send_raw};
use crate::service::{Service, WellBehavedUser, peer};

const MANY: usize = 150;

/// Sends the head of a 10 MB body and a part of the body, then waits for the end.
async fn send_stalled(service: &Service, from: u8, path: &str, first: usize) -> u16 {
    let mut stream = connect(service.address, peer(from)).await;
    let head = head("POST", path, &[], 10_000_000);
    let _ = stream.write_all(head.as_bytes()).await;
    let _ = stream.write_all(&vec![b' '; first]).await;
    read_all(&mut stream).await.status
}

#[tokio::test]
async fn a_stalled_body_gets_408_and_blocks_nothing() {
    let service = Service::start(&[]).await;
    let good = WellBehavedUser::start(&service);
    let stalled = (0..MANY).map(|n| {
        send_stalled(
            &service,
            2 + u8::try_from(n % 4).expect("few"),
            "/api/sessions/",
            1 + n % 9,
        )
    });
    let statuses = join_all(stalled).await;
    assert!(statuses.iter().all(|status| *status == 408), "{statuses:?}");
    let large = (0..12).map(|n| send_stalled(&service, 2 + n % 4, "/api/sessions/", 3_000_000));
    let statuses = join_all(large).await;
    assert!(
        statuses.iter().all(|status| matches!(status, 408 | 503)),
        "{statuses:?}"
    );
    good.stop().await;
    service.check().await;
}

#[tokio::test]
async fn a_stalled_bulk_upload_holds_no_thread() {
    let service = Service::start(&[]).await;
    let good = WellBehavedUser::start(&service);
    let stalled = (0..MANY).map(|n| {
        send_stalled(
            &service,
            2,
            "/api/sessions/bulk/?on_conflict=ignore",
            1 + n % 9,
        )
    });
    let all = async {
        let upload = format!(
            "{{\"user_id\":\"{}\",\"session_id\":\"{}\",\"data\":[]}}\n",
            Uuid::new_v4(),
            Uuid::new_v4()
        );
        let reply = post(&service, 3, "/api/sessions/bulk/", upload.as_bytes()).await;
        assert!(reply.text().contains("\"created\":1"), "{}", reply.text());
    };
    let (statuses, ()) = tokio::join!(join_all(stalled), all);
    assert!(
        statuses.iter().all(|status| matches!(status, 200 | 408)),
        "{statuses:?}"
    );
    good.stop().await;
    service.check().await;
}

#[tokio::test]
async fn one_byte_at_a_time_is_too_slow() {
    let service = Service::start(&[]).await;
    let mut streams = Vec::new();
    for _ in 0..50 {
        let mut stream = connect(service.address, peer(2)).await;
        stream
            .write_all(head("POST", "/api/sessions/", &[], 100_000).as_bytes())
            .await
            .expect("the head is sent");
        streams.push(stream);
    }
    let slow = streams.into_iter().map(|mut stream| async move {
        let (mut reading, mut writing) = stream.split();
        let mut reply = Vec::new();
        let write = async {
            // Ends when the service has closed the connection.
            while writing.write_all(b" ").await.is_ok() {
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        };
        let read = tokio::io::AsyncReadExt::read_to_end(&mut reading, &mut reply);
        tokio::select! { _ = read => {}, () = write => {} }
        reply.get(9..12) == Some(b"408")
    });
    assert!(
        join_all(slow)
            .await
            .into_iter()
            .all(|is_rejected| is_rejected)
    );
    service.check().await;
}

#[tokio::test]
async fn a_declared_length_above_the_limit_is_rejected_before_the_body() {
    let service = Service::start(&[]).await;
    for path in ["/api/sessions/", "/api/metrictypes/", "/api/timeseries/"] {
        let head = format!(
            "POST {path} HTTP/1.1\r\nhost: localhost\r\ncontent-length: 99999999999\r\n\r\nx"
        );
        let reply = send_raw(&service, 2, head.as_bytes()).await;
        assert!(
            reply.status == 413 && reply.is_problem("body_too_large"),
            "{path}: {}",
            reply.text()
        );
    }
    service.check().await;
}

#[tokio::test]
async fn wide_bodies_of_faults_get_small_responses() {
    let service = Service::start(&[]).await;
    let good = WellBehavedUser::start(&service);
    let wrong: String = (0..20_000)
        .map(|n| format!("\"k{n}\":{n},"))
        .collect::<Vec<_>>()
        .concat();
    let point = r#"{"series":"score","time":"never","value":{"value":"x"}},"#;
    let bodies = [
        format!("{{{wrong}\"data\":[]}}"),
        format!(
            "{{\"user_id\":\"{}\",\"data\":[{}{{}}]}}",
            Uuid::new_v4(),
            point.repeat(20_000)
        ),
        format!("[{}1]", "[],".repeat(1_000_000)),
        "[".repeat(1_000_000),
    ];
    for body in bodies {
        let reply = post(&service, 2, "/api/sessions/", body.as_bytes()).await;
        let is_rejected = matches!(reply.status, 400 | 422) && reply.bytes.len() < 200_000;
        assert!(
            is_rejected,
            "{} bytes: {} {}",
            body.len(),
            reply.bytes.len(),
            reply.text()
        );
    }
    assert_eq!(get(&service, 2, "/health/live").await.status, 200);
    good.stop().await;
    service.check().await;
}
