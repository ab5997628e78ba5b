//! A truncated response differs from a complete one.

use std::time::Duration;

use time_series_testkit::{Backend, TestApp};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpSocket;

use crate::common::SCORE;
use crate::on_both_servers;
use crate::queries::support::at;
use crate::queries::timeouts::many_points;

on_both_servers![a_truncated_stream_has_no_end_record];

/// Header with the time limit of a query that must be truncated.
const TIME_LIMIT: &str = "request-timeout: 3\r\n";
/// A time limit that even a busy machine does not exceed.
const UNLIMITED: Duration = Duration::from_mins(10);
/// A pause of the reader that exceeds the time limit.
const PAUSE: Duration = Duration::from_millis(3_500);

async fn a_truncated_stream_has_no_end_record(backend: Backend) {
    let app = TestApp::with(backend)
        .query_timeout(UNLIMITED)
        .start()
        .await;
    let user = many_points(&app).await;
    // So many points that the smallest format exceeds the socket buffers.
    for day in 16..28 {
        let start = at(day * 86_400);
        let values: Vec<String> = (0..60_000).map(|n| format!("{}.5", n % 997)).collect();
        let body = format!(
            r#"{{"user_id":"{user}","start_ts":"{start}","data":[{{"series":"{SCORE}","times":{{"start":"{start}","step":"1s"}},"values":{{"value":[{}]}}}}]}}"#,
            values.join(",")
        );
        let _ = app.post_text("/api/sessions/", &body).await.expect(201);
    }
    for (format, end) in [
        ("ndjson", "{\"end\":true"),
        ("csv", "# end of "),
        ("arrow", ""),
    ] {
        let path = format!("/api/points/?user_id={user}&format={format}");
        let whole = read(&app, &path, "", Duration::ZERO).await;
        assert!(
            whole.ends_with(b"\r\n0\r\n\r\n"),
            "{format}: the final chunk is missing"
        );
        assert!(String::from_utf8_lossy(&whole).contains(end), "{format}");
        let cut = loop {
            let cut = read(&app, &path, TIME_LIMIT, PAUSE).await;
            // Unless the time limit was exceeded before the first byte.
            if cut.starts_with(b"HTTP/1.1 200 ") {
                break cut;
            }
            assert!(
                cut.starts_with(b"HTTP/1.1 503 "),
                "{}",
                String::from_utf8_lossy(&cut)
            );
        };
        assert!(
            cut.len() < whole.len(),
            "{format}: {} of {}",
            cut.len(),
            whole.len()
        );
        assert!(
            !cut.ends_with(b"\r\n0\r\n\r\n"),
            "{format}: the truncated transfer must not have a final chunk"
        );
        assert!(
            end.is_empty() || !String::from_utf8_lossy(&cut).contains(end),
            "{format}: no end record"
        );
    }
}

/// Reads all bytes of a response, with a small buffer and a pause after the first bytes.
async fn read(app: &TestApp, path: &str, header: &str, pause: Duration) -> Vec<u8> {
    let socket = TcpSocket::new_v4().expect("a socket");
    socket
        .set_recv_buffer_size(8 << 10)
        .expect("a small buffer");
    let address = app
        .url
        .strip_prefix("http://")
        .expect("a URL")
        .parse()
        .expect("an address");
    let mut stream = socket.connect(address).await.expect("a connection");
    let request =
        format!("GET {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n{header}\r\n");
    stream
        .write_all(request.as_bytes())
        .await
        .expect("the request is sent");
    let mut response = vec![0; 16];
    stream
        .read_exact(&mut response)
        .await
        .expect("the first bytes");
    tokio::time::sleep(pause).await;
    // A reset is an end, too.
    stream.read_to_end(&mut response).await.ok();
    response
}
