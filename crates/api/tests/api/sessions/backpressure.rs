//! Many concurrent writers: none starves, and excess is rejected at once.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::future::join_all;
use serde_json::{Value, json};
use time_series_testkit::{Backend, TestApp};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use uuid::Uuid;

use crate::common::{SCORE, point};
use crate::on_both_servers;

on_both_servers![
    an_occasional_writer_is_served_beside_busy_writers,
    thirty_two_clients_post_the_same_session,
    bodies_above_the_memory_budget_are_rejected,
    concurrent_replaces_and_deletes_of_one_day_leave_exact_sums,
];

fn session(user: Uuid, id: Uuid, score: usize) -> Value {
    let point = |i: usize| {
        point(
            SCORE,
            &format!("2025-01-01T00:{:02}:00Z", i % 60),
            &json!({"value": score + i}),
        )
    };
    json!({"user_id": user, "session_id": id, "start_ts": "2025-01-01T00:00:00Z", "data": (0..10).map(point).collect::<Vec<_>>()})
}

/// Ten users send at full speed until another user, who sends occasionally, has been served.
async fn an_occasional_writer_is_served_beside_busy_writers(backend: Backend) {
    let app = TestApp::seeded(backend).await;
    let users: Vec<Uuid> = (0..10).map(|_| Uuid::new_v4()).collect();
    let lines: Vec<String> = (0..3_000)
        .map(|i| format!("{}\n", session(users[i % 10], Uuid::new_v4(), i)))
        .collect();
    let chunks: Vec<String> = lines.chunks(100).map(<[String]>::concat).collect();
    let address = app.url.strip_prefix("http://").expect("an address");
    let is_served = AtomicBool::new(false);
    let busy_writer = async {
        let mut stream = TcpStream::connect(address).await.expect("a connection");
        let head = format!(
            "POST /api/sessions/bulk/?verdicts=failed HTTP/1.1\r\nhost: {address}\r\n\
             connection: close\r\ntransfer-encoding: chunked\r\n\r\n"
        );
        stream
            .write_all(head.as_bytes())
            .await
            .expect("the head is sent");
        let mut sent = 0;
        for chunk in chunks.iter().cycle() {
            if is_served.load(Ordering::Relaxed) {
                break;
            }
            let chunk = format!("{:x}\r\n{chunk}\r\n", chunk.len());
            stream
                .write_all(chunk.as_bytes())
                .await
                .expect("some sessions are sent");
            sent += 100;
            tokio::task::yield_now().await;
        }
        stream
            .write_all(b"0\r\n\r\n")
            .await
            .expect("the end is sent");
        let mut response = String::new();
        stream
            .read_to_string(&mut response)
            .await
            .expect("a response");
        assert!(
            response.contains(&format!("\"lines\":{sent},")) && response.contains("\"failed\":0,"),
            "{sent}: {response}"
        );
    };
    let occasional_writer = async {
        let user = Uuid::new_v4();
        for i in 0..5 {
            tokio::time::sleep(Duration::from_millis(5)).await;
            let _ = app
                .post("/api/sessions/", &session(user, Uuid::new_v4(), i))
                .await
                .expect(201);
        }
        is_served.store(true, Ordering::Relaxed);
    };
    tokio::join!(busy_writer, occasional_writer);
    app.database.check_day_summaries().await;
}

async fn thirty_two_clients_post_the_same_session(backend: Backend) {
    let app = TestApp::seeded(backend).await;
    for round in 0..5 {
        let body = session(Uuid::new_v4(), Uuid::new_v4(), round);
        let responses = join_all((0..32).map(|_| app.post("/api/sessions/", &body))).await;
        let created = responses.iter().filter(|a| a.status == 201).count();
        let unchanged = responses
            .iter()
            .filter(|a| a.status == 200 && a.receipt().outcome == "unchanged")
            .count();
        assert_eq!((created, unchanged), (1, 31));
        assert!(
            responses.iter().all(|a| a.json()["version"] == 1),
            "only the first request raised the version"
        );
    }
    app.database.check_day_summaries().await;
}

/// While one body is being received, another is rejected for lack of memory; a retry always works.
async fn bodies_above_the_memory_budget_are_rejected(backend: Backend) {
    let app = TestApp::with(backend)
        .max_bytes_in_flight(40_000)
        .start()
        .await;
    app.seed().await;
    let points: Vec<Value> = (0..150)
        .map(|i| {
            point(
                SCORE,
                &format!("2025-01-01T00:{:02}:00Z", i % 60),
                &json!({"value": i}),
            )
        })
        .collect();
    let body = json!({"user_id": Uuid::new_v4(), "session_id": Uuid::new_v4(), "data": points});
    let text = body.to_string();
    let address = app.url.strip_prefix("http://").expect("an address");
    let head = format!(
        "POST /api/sessions/ HTTP/1.1\r\nhost: {address}\r\ncontent-length: {}\r\n\r\n",
        text.len()
    );
    let most = [head.as_bytes(), &text.as_bytes()[..text.len() - 1]].concat();
    let (slow, rejected) = 'slow: loop {
        let mut slow = TcpStream::connect(address).await.expect("a connection");
        slow.write_all(&most).await.expect("most of a request");
        // Until the slow body has been read; at times the slow request itself is the one rejected.
        for _ in 0..20 {
            let response = app.post("/api/sessions/", &body).await;
            if response.status == 503 {
                break 'slow (slow, response);
            }
            assert!(
                matches!(response.status.as_u16(), 200 | 201),
                "{}",
                response.text
            );
        }
    };
    assert_eq!(rejected.code(), "unavailable");
    assert!(
        rejected.headers.contains_key("retry-after"),
        "{}",
        rejected.text
    );
    drop(slow);
    loop {
        // Until the service has noticed that the slow client disconnected.
        let response = app.post("/api/sessions/", &body).await;
        if response.status != 503 {
            assert!(
                matches!(response.status.as_u16(), 200 | 201),
                "{}",
                response.text
            );
            break;
        }
    }
}

async fn concurrent_replaces_and_deletes_of_one_day_leave_exact_sums(backend: Backend) {
    let app = TestApp::seeded(backend).await;
    let user = Uuid::new_v4();
    let ids: Vec<Uuid> = (0..4).map(|_| Uuid::new_v4()).collect();
    let writer = async |number: usize| {
        for i in 0..12 {
            let id = ids[(number + i) % ids.len()];
            if (number + i).is_multiple_of(3) {
                let gone = app
                    .delete(&format!("/api/sessions/{id}/?user_id={user}"))
                    .await;
                assert!(matches!(gone.status.as_u16(), 204 | 404), "{}", gone.text);
            } else {
                let path = "/api/sessions/?on_conflict=replace";
                let stored = app.post(path, &session(user, id, number * 100 + i)).await;
                assert!(
                    matches!(stored.status.as_u16(), 200 | 201),
                    "{}",
                    stored.text
                );
            }
            let _ = app
                .timeseries(
                    user,
                    "start_time=2025-01-01&end_time=2025-01-02&interval=day&agg_func=count",
                )
                .await
                .expect(200);
        }
    };
    join_all((0..8).map(writer)).await;
    app.database.check_day_summaries().await;
}
