//! Bodies that are not JSON objects.

use serde_json::{Value, json};
use time_series_testkit::{Backend, TestApp};
use uuid::Uuid;

use crate::bad_requests::Case;
use crate::common::{START, assert_problem, score, session};
use crate::on_both_servers;

on_both_servers![
    bodies_that_are_not_json_objects_are_rejected,
    a_session_must_be_utf_8,
    every_endpoint_with_a_body_rejects_non_objects,
    a_byte_order_mark_is_ignored,
];

async fn bodies_that_are_not_json_objects_are_rejected(backend: Backend) {
    let case = Case::new(backend).await;
    let whole = case.body(&[score(START, 1.0)]).to_string();
    let mut bodies: Vec<String> = [
        "",
        " ",
        "[]",
        "null",
        "7",
        "\"text\"",
        "{",
        "}",
        "{]",
        "nonsense",
        "user_id=1",
        "{'a': 1}",
        "\u{feff}\u{feff}{}",
    ]
    .map(str::to_owned)
    .to_vec();
    bodies.push(format!("[{whole}]"));
    bodies.push(format!("{whole}{whole}"));
    bodies.push(format!("{whole},"));
    bodies.push(whole.replace("\"value\":1", "\"value\":NaN"));
    bodies.push(whole.replace("\"value\":1", "\"value\":01"));
    bodies.push(whole.replace("\"value\":1", "\"value\":+1"));
    bodies.push(whole.replace("\"value\":1", "\"value\":.5"));
    bodies.push(whole.replace("\"value\":1", "\"value\":1,"));
    bodies.push(whole.replace("\"value\":1", "\"value\":1 // one"));
    bodies.push(whole.replace("T00:00:00Z", "T00:00:00Z\n"));
    bodies.extend(
        (1..whole.len())
            .step_by(7)
            .map(|end| whole[..end].to_owned()),
    );
    for body in bodies {
        if body == whole {
            continue;
        }
        let response = case.post(&body).await;
        assert_eq!(response.status.as_u16(), 400, "{body}\n{}", response.text);
        assert_problem(&response, 400, "invalid_body");
    }
    case.assert_nothing_stored().await;
    let _ = case.post(&format!(" \t\r\n{whole}\n ")).await.expect(201);
}

async fn a_session_must_be_utf_8(backend: Backend) {
    let case = Case::new(backend).await;
    let good = case.with_value("any", "\"\u{e9}\u{1F600}\"");
    for bad in [
        b"\xff".as_slice(),
        b"\xc3",
        b"\xed\xa0\x80",
        b"\xc0\x80",
        b"\xf8\x88\x80\x80\x80",
    ] {
        let at = good.find('\u{e9}').expect("a letter");
        let body = [&good.as_bytes()[..at], bad, &good.as_bytes()[at + 2..]].concat();
        let response = case
            .app
            .request(reqwest::Method::POST, "/api/sessions/", Some(body), &[])
            .await;
        assert_problem(&response, 400, "invalid_body");
    }
    let utf_16: Vec<u8> = good.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let response = case
        .app
        .request(reqwest::Method::POST, "/api/sessions/", Some(utf_16), &[])
        .await;
    assert_problem(&response, 400, "invalid_body");
    case.assert_nothing_stored().await;
    let _ = case.post(&good).await.expect(201);
}

async fn every_endpoint_with_a_body_rejects_non_objects(backend: Backend) {
    let app = TestApp::seeded(backend).await;
    let positional = r#"["x", {"type": "number"}, "", ""]"#;
    let mut wrong = Vec::new();
    for body in ["", "{\"series\":", "[]", "null", positional] {
        for (method, path) in [
            (
                reqwest::Method::PUT,
                format!("/api/sessions/{}/", Uuid::new_v4()),
            ),
            (reqwest::Method::POST, "/api/metrictypes/".to_owned()),
            (
                reqwest::Method::PUT,
                "/api/metrictypes/session.urine.color/".to_owned(),
            ),
        ] {
            let response = app
                .request(method.clone(), &path, Some(body.into()), &[])
                .await;
            if response.code() != "invalid_body" {
                wrong.push(format!(
                    "{method} {path} {body}: {} {}",
                    response.status, response.text
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    let kept = app
        .get("/api/metrictypes/session.urine.color/")
        .await
        .expect(200)
        .json();
    assert_eq!(kept["schema"]["properties"]["r"], json!({"type": "number"}));
}

async fn a_byte_order_mark_is_ignored(backend: Backend) {
    let app = TestApp::seeded(backend).await;
    let (user, id) = (Uuid::new_v4(), Uuid::new_v4());
    let marked = |body: &Value| format!("\u{feff}{body}");
    let one = session(user, id, START, &[score(START, 1.0)]);
    let _ = app
        .post_text("/api/sessions/", &marked(&one))
        .await
        .expect(201);
    let part = json!({"user_id": user, "data": [score(START, 2.0)]});
    let _ = app
        .post_text(&format!("/api/sessions/{id}/points/"), &marked(&part))
        .await
        .expect(200);
    let lines = format!(
        "{}\n{}\n",
        marked(&one),
        session(user, Uuid::new_v4(), START, &[score(START, 3.0)])
    );
    let bulk = app
        .post_text("/api/sessions/bulk/?on_conflict=ignore", &lines)
        .await
        .expect(200);
    assert!(
        bulk.text.contains("\"created\":1") && bulk.text.contains("\"unchanged\":1"),
        "{}",
        bulk.text
    );
    let metric_type = json!({"series": "marked", "schema": {"type": "number"}});
    let _ = app
        .post_text("/api/metrictypes/", &marked(&metric_type))
        .await
        .expect(201);
    let query = json!({"user_id": user, "start_time": "2025-01-01", "end_time": "2025-02-01"});
    let _ = app
        .post_text("/api/timeseries/", &marked(&query))
        .await
        .expect(200);
    // Only one byte order mark is accepted, at the start.
    assert_problem(
        &app.post_text("/api/sessions/", &format!("\u{feff}{}", marked(&one)))
            .await,
        400,
        "invalid_body",
    );
}
