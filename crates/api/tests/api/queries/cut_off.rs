//! An answer that breaks off in the middle is told from a whole one.

use std::time::Duration;

use time_series_testkit::{Backend, TestApp};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpSocket;

use crate::common::SCORE;
use crate::on_both_servers;
use crate::queries::support::at;
use crate::queries::timeouts::many_points;

on_both_servers![a_stream_that_breaks_off_has_no_end];

/// So many seconds a query may take that is to break off; and longer than that.
const TIME: &str = "request-timeout: 3\r\n";
const STALL: Duration = Duration::from_millis(3_500);

async fn a_stream_that_breaks_off_has_no_end(backend: Backend) {
    let app = TestApp::start(backend).await;
    let user = many_points(&app).await;
    // So many that the smallest format exceeds what the sockets hold.
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
            "{format}: the last chunk says that it was"
        );
        assert!(String::from_utf8_lossy(&whole).contains(end), "{format}");
        let cut = loop {
            let cut = read(&app, &path, TIME, STALL).await;
            // Unless its time was over before it had begun.
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
            "{format}: the transfer is not complete"
        );
        assert!(
            end.is_empty() || !String::from_utf8_lossy(&cut).contains(end),
            "{format}: no end record"
        );
    }
}

/// All bytes of an answer, read by someone who stalls after the first ones and has little room for more.
async fn read(app: &TestApp, path: &str, header: &str, stall: Duration) -> Vec<u8> {
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
    let mut answer = vec![0; 16];
    stream
        .read_exact(&mut answer)
        .await
        .expect("the first bytes");
    tokio::time::sleep(stall).await;
    // A reset is an end, too.
    stream.read_to_end(&mut answer).await.ok();
    answer
}
