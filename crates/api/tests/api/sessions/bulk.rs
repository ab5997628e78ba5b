//! Bulk upload: sessions as a stream of lines, with one verdict per line.

use reqwest::Method;
use serde_json::{Value, json};
use time_series_testkit::{Backend, TestApp};
use uuid::Uuid;

use crate::common::{SCORE, gzip, point, zstd};
use crate::on_both_servers;
use crate::sessions::bulk_result::{BulkResult, Counts};

on_both_servers![
    verdicts_follow_the_order_of_lines,
    a_broken_line_does_not_stop_the_upload,
    an_upload_can_be_repeated,
    the_policy_decides_conflicts,
    compressed_bodies_are_decompressed_as_a_stream,
    an_unreadable_body_ends_with_a_problem,
    verdicts_failed_returns_only_failures,
    invalid_bulk_requests_are_rejected,
];

const PATH: &str = "/api/sessions/bulk/";

fn line(user: Uuid, session: Uuid, score: usize) -> String {
    let point = point(SCORE, "2025-01-01T00:00:00Z", &json!({"value": score}));
    json!({"user_id": user, "session_id": session, "start_ts": "2025-01-01T00:00:00Z", "data": [point]}).to_string()
}

async fn bulk(
    app: &TestApp,
    path: &str,
    body: &[u8],
    headers: &[(&str, &str)],
) -> (Vec<Value>, Value) {
    let response = app
        .request(Method::POST, path, Some(body.to_vec()), headers)
        .await
        .expect(200);
    let BulkResult { verdicts, end } = BulkResult::read(&response);
    (verdicts, end)
}

async fn verdicts_follow_the_order_of_lines(backend: Backend) {
    let app = TestApp::seeded(backend).await;
    let users: Vec<Uuid> = (0..3).map(|_| Uuid::new_v4()).collect();
    let ids: Vec<Uuid> = (0..300).map(|_| Uuid::new_v4()).collect();
    let body: Vec<String> = ids
        .iter()
        .enumerate()
        .map(|(i, id)| line(users[i % 3], *id, i))
        .collect();
    let (verdicts, end) = bulk(&app, PATH, body.join("\n").as_bytes(), &[]).await;
    assert_eq!(end["end"], true);
    assert_eq!(
        Counts::of(&end),
        Counts {
            lines: 300,
            created: 300,
            ..Counts::default()
        }
    );
    assert_eq!(end["points"], 300);
    for (i, verdict) in verdicts.iter().enumerate() {
        assert_eq!(
            (verdict["line"].as_u64(), verdict["status"].as_u64()),
            (Some(i as u64 + 1), Some(201))
        );
        assert_eq!(
            (&verdict["session_id"], &verdict["user_id"]),
            (&json!(ids[i]), &json!(users[i % 3]))
        );
    }
    // The version of a user rises with each session.
    for user in &users {
        let mut versions: Vec<u64> = verdicts
            .iter()
            .filter(|v| v["user_id"] == json!(user))
            .filter_map(|v| v["version"].as_u64())
            .collect();
        versions.sort_unstable();
        assert_eq!(versions, (1..=100).collect::<Vec<u64>>());
    }
    app.database.check_day_summaries().await;
}

async fn a_broken_line_does_not_stop_the_upload(backend: Backend) {
    let app = TestApp::with(backend).max_body_bytes(1_000).start().await;
    app.seed().await;
    let user = Uuid::new_v4();
    let too_long = format!("{{\"user_id\":\"{}\"}}", "x".repeat(5_000));
    let unknown = line(user, Uuid::new_v4(), 1).replace("gut_health", "gut");
    let without_id = json!({"user_id": user, "data": []}).to_string();
    let lines = [
        line(user, Uuid::new_v4(), 1),
        "not json".into(),
        too_long,
        String::new(),
        unknown,
        without_id,
        line(user, Uuid::new_v4(), 2),
    ];
    let (verdicts, end) = bulk(&app, PATH, lines.join("\r\n").as_bytes(), &[]).await;
    let actual: Vec<(u64, u64)> = verdicts
        .iter()
        .map(|v| {
            (
                v["line"].as_u64().expect("line"),
                v["status"].as_u64().expect("status"),
            )
        })
        .collect();
    assert_eq!(
        actual,
        [(1, 201), (2, 400), (3, 413), (5, 422), (6, 422), (7, 201)]
    );
    assert_eq!(verdicts[3]["errors"][0]["pointer"], "/data/0/series");
    assert_eq!(verdicts[4]["errors"][0]["pointer"], "/session_id");
    assert_eq!(
        Counts::of(&end),
        Counts {
            lines: 6,
            created: 2,
            failed: 4,
            ..Counts::default()
        }
    );
}

async fn an_upload_can_be_repeated(backend: Backend) {
    let app = TestApp::seeded(backend).await;
    let user = Uuid::new_v4();
    let lines: Vec<String> = (0..20).map(|i| line(user, Uuid::new_v4(), i)).collect();
    let (_, end) = bulk(&app, PATH, lines[..7].join("\n").as_bytes(), &[]).await;
    assert_eq!(
        Counts::of(&end),
        Counts {
            lines: 7,
            created: 7,
            ..Counts::default()
        }
    );
    let (verdicts, end) = bulk(&app, PATH, lines.join("\n").as_bytes(), &[]).await;
    assert_eq!(
        Counts::of(&end),
        Counts {
            lines: 20,
            created: 13,
            unchanged: 7,
            ..Counts::default()
        }
    );
    assert_eq!(verdicts[0]["outcome"], "unchanged");
    // A session that appears twice in one body is one session.
    let twice = [
        lines[0].clone(),
        lines[0].clone(),
        line(user, Uuid::new_v4(), 1),
    ]
    .join("\n");
    let (_, end) = bulk(&app, PATH, twice.as_bytes(), &[]).await;
    assert_eq!(
        Counts::of(&end),
        Counts {
            lines: 3,
            created: 1,
            unchanged: 2,
            ..Counts::default()
        }
    );
}

async fn the_policy_decides_conflicts(backend: Backend) {
    let app = TestApp::seeded(backend).await;
    let (user, id) = (Uuid::new_v4(), Uuid::new_v4());
    let _ = bulk(&app, PATH, line(user, id, 1).as_bytes(), &[]).await;
    let other = line(user, id, 2);
    let (verdicts, end) = bulk(&app, PATH, other.as_bytes(), &[]).await;
    assert_eq!(
        (&verdicts[0]["status"], &verdicts[0]["code"]),
        (&json!(409), &json!("session_conflict"))
    );
    assert_eq!(
        Counts::of(&end),
        Counts {
            lines: 1,
            failed: 1,
            ..Counts::default()
        }
    );
    let (_, end) = bulk(
        &app,
        &format!("{PATH}?on_conflict=ignore"),
        other.as_bytes(),
        &[],
    )
    .await;
    assert_eq!(
        Counts::of(&end),
        Counts {
            lines: 1,
            ignored: 1,
            ..Counts::default()
        }
    );
    let (_, end) = bulk(
        &app,
        &format!("{PATH}?on_conflict=replace"),
        other.as_bytes(),
        &[],
    )
    .await;
    assert_eq!(
        Counts::of(&end),
        Counts {
            lines: 1,
            replaced: 1,
            ..Counts::default()
        }
    );
    app.database.check_day_summaries().await;
}

async fn compressed_bodies_are_decompressed_as_a_stream(backend: Backend) {
    let app = TestApp::seeded(backend).await;
    let user = Uuid::new_v4();
    let body = (0..50)
        .map(|i| line(user, Uuid::new_v4(), i))
        .collect::<Vec<_>>()
        .join("\n");
    let (_, end) = bulk(
        &app,
        PATH,
        &gzip(body.as_bytes()),
        &[("content-encoding", "gzip")],
    )
    .await;
    assert_eq!(
        Counts::of(&end),
        Counts {
            lines: 50,
            created: 50,
            ..Counts::default()
        }
    );
    let compressed = zstd(body.as_bytes());
    let (_, end) = bulk(&app, PATH, &compressed, &[("content-encoding", "zstd")]).await;
    assert_eq!(
        Counts::of(&end),
        Counts {
            lines: 50,
            unchanged: 50,
            ..Counts::default()
        }
    );
}

async fn an_unreadable_body_ends_with_a_problem(backend: Backend) {
    let app = TestApp::seeded(backend).await;
    let body = (0..50)
        .map(|i| line(Uuid::new_v4(), Uuid::new_v4(), i))
        .collect::<Vec<_>>()
        .join("\n");
    let compressed = gzip(body.as_bytes());
    let (_, end) = bulk(
        &app,
        PATH,
        &compressed[..compressed.len() / 2],
        &[("content-encoding", "gzip")],
    )
    .await;
    assert_eq!(
        (&end["end"], &end["problem"]["code"]),
        (&json!(false), &json!("invalid_body"))
    );
    let (_, end) = bulk(&app, PATH, b"no gzip", &[("content-encoding", "gzip")]).await;
    assert_eq!(
        (&end["end"], &end["problem"]["code"]),
        (&json!(false), &json!("invalid_body"))
    );
    let spaces = std::io::Read::take(std::io::repeat(b' '), 400 << 20);
    let bomb = ::zstd::encode_all(spaces, 1).expect("a reader of spaces");
    let (_, end) = bulk(&app, PATH, &bomb, &[("content-encoding", "zstd")]).await;
    assert_eq!(
        (&end["end"], &end["problem"]["code"]),
        (&json!(false), &json!("body_too_large"))
    );
}

async fn verdicts_failed_returns_only_failures(backend: Backend) {
    let app = TestApp::seeded(backend).await;
    let body = [
        line(Uuid::new_v4(), Uuid::new_v4(), 1),
        "{".into(),
        line(Uuid::new_v4(), Uuid::new_v4(), 1),
    ]
    .join("\n");
    let (verdicts, end) = bulk(
        &app,
        &format!("{PATH}?verdicts=failed"),
        body.as_bytes(),
        &[],
    )
    .await;
    assert_eq!(verdicts.len(), 1);
    assert_eq!(verdicts[0]["line"], 2);
    assert_eq!(
        Counts::of(&end),
        Counts {
            lines: 3,
            created: 2,
            failed: 1,
            ..Counts::default()
        }
    );
    let (verdicts, end) = bulk(&app, PATH, b"", &[]).await;
    assert_eq!((verdicts.len(), Counts::of(&end)), (0, Counts::default()));
}

async fn invalid_bulk_requests_are_rejected(backend: Backend) {
    let app = TestApp::seeded(backend).await;
    let rejected = app
        .request(
            Method::POST,
            PATH,
            Some(Vec::new()),
            &[("content-encoding", "br")],
        )
        .await;
    assert_eq!(rejected.expect(415).code(), "unsupported_encoding");
    assert_eq!(
        app.post_text(&format!("{PATH}?dry_run=true"), "")
            .await
            .expect(422)
            .code(),
        "invalid_parameters"
    );
    assert_eq!(
        app.post_text(&format!("{PATH}?verdicts=some"), "")
            .await
            .expect(422)
            .code(),
        "invalid_parameters"
    );
    assert_eq!(app.get(PATH).await.expect(405).headers["allow"], "POST");
}
