//! Signals, and the readiness endpoint.

use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use uuid::Uuid;

use crate::client::{get, post};
use crate::service::{Service, peer};

fn signal(service: &Service, signal: Signal) {
    let pid = Pid::from_raw(i32::try_from(service.child.id()).expect("a pid")).expect("a process");
    kill_process(pid, signal).expect("the signal is sent");
}

#[tokio::test]
async fn hangup_and_user_signals_are_ignored() {
    let service = Service::start(&[]).await;
    for s in [Signal::HUP, Signal::USR1, Signal::USR2] {
        signal(&service, s);
    }
    tokio::time::sleep(Duration::from_millis(200)).await;
    service.check().await;
}

#[tokio::test]
async fn an_interrupt_lets_running_requests_finish() {
    use tokio::io::AsyncWriteExt;
    let mut service = Service::start(&[]).await;
    let body = format!(r#"{{"user_id":"{}","data":[]}}"#, Uuid::new_v4());
    let mut stream = crate::client::connect(service.address, peer(2)).await;
    stream
        .write_all(crate::client::head("POST", "/api/sessions/", &[], body.len()).as_bytes())
        .await
        .expect("sent");
    stream
        .write_all(&body.as_bytes()[..10])
        .await
        .expect("sent");
    tokio::time::sleep(Duration::from_millis(200)).await;
    signal(&service, Signal::INT);
    tokio::time::sleep(Duration::from_millis(200)).await;
    stream
        .write_all(&body.as_bytes()[10..])
        .await
        .expect("sent");
    assert_eq!(crate::client::read_all(&mut stream).await.status, 201);
    let ended = tokio::task::spawn_blocking(move || service.child.wait())
        .await
        .expect("the process can be waited for");
    assert!(ended.expect("the process ended").success());
}

#[tokio::test]
async fn readiness_comes_from_a_heartbeat() {
    let service = Service::start(&[]).await;
    for _ in 0..50 {
        if get(&service, 2, "/health/ready/?for=writes").await.status == 200 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let reply = get(&service, 2, "/health/ready/?for=writes").await;
    assert!(
        reply.status == 200 && reply.text().contains("\"writes\":\"ok\""),
        "{}",
        reply.text()
    );
    assert_eq!(post(&service, 2, "/health/ready/", b"").await.status, 405);
    service.check().await;
}
