//! Requests that run while their own or other metric types change.

use std::sync::atomic::{AtomicBool, Ordering};

use futures_util::future::join;
use serde_json::{Value, json};
use time_series_testkit::{Backend, TestApp};
use uuid::Uuid;

use crate::common::{
    COLOR, SCORE, START, add_text_series, get_timeseries, point, points_of, score, session, store,
};
use crate::metric_types::JANUARY;
use crate::on_both_servers;

on_both_servers![
    no_request_fails_while_another_series_changes,
    no_request_fails_while_metric_types_are_created_and_deleted,
    a_session_is_never_stored_under_an_old_schema,
    responses_do_not_depend_on_the_size_of_the_catalogue,
    metric_types_created_by_another_process_are_known_at_once,
    an_etag_changes_with_its_own_metric_types_only,
    changes_of_unused_metric_types_block_no_request,
];

/// Rounds of reads and posts during changes.
const ROUNDS: usize = 40;

/// Posts sessions of [`SCORE`] and reads them back by every route; each request must succeed.
async fn reads_and_posts(app: &TestApp) {
    let user = Uuid::new_v4();
    for round in 1..=ROUNDS {
        let id = store(app, user, START, &[score(START, 50.0)]).await;
        let response = get_timeseries(
            app,
            user,
            &[JANUARY.as_slice(), &[("agg_func", "count")]].concat(),
        )
        .await
        .expect(200);
        assert_eq!(
            response.rows()[0].value,
            round,
            "every acknowledged session is counted"
        );
        let _ = get_timeseries(
            app,
            user,
            &[JANUARY.as_slice(), &[("series", SCORE)]].concat(),
        )
        .await
        .expect(200);
        let _ = get_timeseries(
            app,
            user,
            &[JANUARY.as_slice(), &[("series", "session.*")]].concat(),
        )
        .await
        .expect(200);
        for path in ["points", "latest", "catalog", "sessions"] {
            let response = app
                .get(&format!("/api/{path}/?user_id={user}"))
                .await
                .expect(200);
            assert!(response.text.contains(SCORE), "{path}: {}", response.text);
        }
        let _ = app
            .get(&format!("/api/sessions/{id}/?user_id={user}"))
            .await
            .expect(200);
    }
    assert_eq!(
        points_of(app, user).await,
        ROUNDS as u64,
        "all of them are stored"
    );
}

/// Repeats `change` until `work` is finished.
async fn while_changing<F: Future<Output = ()>>(
    work: impl Future<Output = ()>,
    mut change: impl FnMut(usize) -> F,
) {
    let is_over = AtomicBool::new(false);
    let work = async {
        work.await;
        is_over.store(true, Ordering::Relaxed);
    };
    let changes = async {
        let mut number = 0;
        while !is_over.load(Ordering::Relaxed) {
            change(number).await;
            number += 1;
        }
        assert!(number > 3, "there were changes: {number}");
    };
    join(work, changes).await;
}

async fn no_request_fails_while_another_series_changes(backend: Backend) {
    let app = TestApp::seeded(backend).await;
    let color = |maximum: usize| {
        let leaf = json!({"type": "number", "maximum": 300 + maximum});
        json!({"schema": {"type": "object", "properties": {"r": leaf, "g": leaf, "b": leaf}}})
    };
    let app = &app;
    while_changing(reads_and_posts(app), |number| async move {
        let _ = app
            .put(&format!("/api/metrictypes/{COLOR}/"), &color(number % 2))
            .await
            .expect(200);
    })
    .await;
}

async fn no_request_fails_while_metric_types_are_created_and_deleted(backend: Backend) {
    let app = TestApp::seeded(backend).await;
    let app = &app;
    while_changing(reads_and_posts(app), |number| async move {
        let client = async |client: usize| {
            let name = format!("session.new.{client}.{number}");
            let schema = if client.is_multiple_of(2) {
                json!({"type": "number"})
            } else {
                json!({"type": "string"})
            };
            app.metric_type(&name, &schema).await;
            if client < 2 {
                let _ = app
                    .delete(&format!("/api/metrictypes/{name}/"))
                    .await
                    .expect(204);
            }
        };
        futures_util::future::join_all((0..4).map(client)).await;
    })
    .await;
}

async fn a_session_is_never_stored_under_an_old_schema(backend: Backend) {
    let app = TestApp::seeded(backend).await;
    let app = &app;
    let user = Uuid::new_v4();
    let value = |number: usize| {
        if number.is_multiple_of(2) {
            json!({"value": 1})
        } else {
            json!({"value": "one"})
        }
    };
    let posts = async {
        for number in 0..2 * ROUNDS {
            let body = session(
                user,
                Uuid::new_v4(),
                START,
                &[point(SCORE, START, &value(number))],
            );
            let response = app.post("/api/sessions/", &body).await;
            assert!(
                [201, 422].contains(&response.status.as_u16()),
                "{}",
                response.text
            );
        }
    };
    while_changing(posts, |number| async move {
        let kind = if number % 2 == 0 { "string" } else { "number" };
        let schema = json!({"type": "object", "properties": {"value": {"type": kind}}, "required": ["value"]});
        let response = app.put(&format!("/api/metrictypes/{SCORE}/"), &json!({"schema": schema})).await;
        assert!([200, 409].contains(&response.status.as_u16()), "{}", response.text);
    })
    .await;
    let schema = app
        .get(&format!("/api/metrictypes/{SCORE}/"))
        .await
        .expect(200)
        .json();
    let is_text = schema["schema"]["properties"]["value"]["type"] == "string";
    let points = app
        .get(&format!("/api/points/?user_id={user}&limit=1000"))
        .await
        .expect(200)
        .json();
    let points = points["results"].as_array().expect("points").clone();
    assert!(
        points
            .iter()
            .all(|p| p["value"]["value"].is_string() == is_text),
        "{points:?} by {schema}"
    );
    app.database.check_day_summaries().await;
}

async fn responses_do_not_depend_on_the_size_of_the_catalogue(backend: Backend) {
    let app = TestApp::seeded(backend).await;
    add_text_series(&app).await;
    let user = Uuid::new_v4();
    let note = point(crate::common::NOTE, START, &json!({"value": "fine"}));
    let null = json!({"type": "object", "properties": {"level": {"type": ["number", "null"]}}});
    app.metric_type("session.level", &null).await;
    let level = point("session.level", START, &json!({"level": null}));
    let _ = store(&app, user, START, &[score(START, 50.0), note, level]).await;
    let paths = [
        format!(
            "timeseries/?user_id={user}&start_time=2025-01-01&end_time=2025-02-01&interval=month"
        ),
        format!(
            "timeseries/?user_id={user}&start_time=2025-01-01&end_time=2025-02-01&interval=hour&agg_func=count"
        ),
        format!(
            "timeseries/?user_id={user}&start_time=2025-01-01&end_time=2025-01-02&interval=day&agg_func=last,mode"
        ),
        format!(
            "timeseries/?user_id={user}&start_time=2025-01-01&end_time=2025-01-03&interval=day&fill=null"
        ),
        format!(
            "timeseries/?user_id={user}&start_time=2025-01-01&end_time=2025-01-03&interval=day&where=value>=1"
        ),
        format!(
            "timeseries/?user_id={user}&start_time=2025-01-01&end_time=2025-01-03&interval=day&series=session.*"
        ),
        format!(
            "timeseries/?user_id={user}&start_time=2025-01-01&end_time=2025-01-03&interval=day&series={SCORE}"
        ),
        format!("points/?user_id={user}"),
        format!("points/?user_id={user}&max_points=10"),
        format!("points/?user_id={user}&where=value>=1"),
        format!("points/?user_id={user}&series=*value*"),
        format!("latest/?user_id={user}"),
        format!("catalog/?user_id={user}"),
        format!("sessions/?user_id={user}"),
    ];
    let mut before = Vec::new();
    for path in &paths {
        before.push(
            app.get(&format!("/api/{}", path.replace(">=", "%3E%3D")))
                .await
                .expect(200)
                .text,
        );
    }
    // The numbers are in `value`, so that a condition on that leaf skips none of them.
    for number in 0..60 {
        let value = json!({"type": "object", "properties": {"value": {"type": "number"}}});
        app.metric_type(&format!("session.more.{number:02}"), &value)
            .await;
    }
    for (path, before) in paths.iter().zip(&before) {
        let after = app
            .get(&format!("/api/{}", path.replace(">=", "%3E%3D")))
            .await
            .expect(200)
            .text;
        assert_eq!(&after, before, "{path}");
    }
}

async fn metric_types_created_by_another_process_are_known_at_once(backend: Backend) {
    let app = TestApp::seeded(backend).await;
    let other = app.second_instance();
    let user = Uuid::new_v4();
    let paths = [
        "timeseries/?interval=all&start_time=2025-01-01&agg_func=count&",
        "points/?",
        "latest/?",
        "catalog/?",
    ];
    for number in 0..40 {
        let series = format!("session.new.{number:02}");
        // The other process has a cached catalogue, small or large.
        for path in paths {
            let _ = other
                .get(&format!("/api/{path}user_id={user}"))
                .await
                .expect(200);
        }
        app.metric_type(&series, &json!({"type": "number"})).await;
        let _ = store(&app, user, START, &[point(&series, START, &json!(1))]).await;
        for path in paths {
            let response = other
                .get(&format!("/api/{path}user_id={user}"))
                .await
                .expect(200);
            assert!(
                response.text.contains(&series),
                "{path} lacks {series}: {}",
                response.text
            );
        }
    }
}

async fn an_etag_changes_with_its_own_metric_types_only(backend: Backend) {
    let app = TestApp::seeded(backend).await;
    let user = Uuid::new_v4();
    let _ = store(&app, user, START, &[score(START, 50.0)]).await;
    let paths = [
        format!(
            "/api/timeseries/?user_id={user}&start_time=2025-01-01&end_time=2025-02-01&series={SCORE}"
        ),
        format!("/api/points/?user_id={user}&end_time=2025-02-01&series={SCORE}"),
        format!("/api/latest/?user_id={user}&series={SCORE}"),
        format!("/api/catalog/?user_id={user}&series={SCORE}"),
    ];
    let tag = async |path: &str| {
        let response = app.get(path).await.expect(200);
        let tag = response
            .headers
            .get("etag")
            .expect("a tag")
            .to_str()
            .expect("text")
            .to_owned();
        let again = app
            .request(reqwest::Method::GET, path, None, &[("if-none-match", &tag)])
            .await;
        assert_eq!(again.status, 304, "{path}");
        tag
    };
    for path in &paths {
        let before = tag(path).await;
        app.metric_type(
            &format!("session.other.{}", Uuid::new_v4().simple()),
            &json!({"type": "number"}),
        )
        .await;
        assert_eq!(
            tag(path).await,
            before,
            "another metric type changes nothing: {path}"
        );
        let mut body: Value = app
            .get(&format!("/api/metrictypes/{SCORE}/"))
            .await
            .expect(200)
            .json();
        body = json!({"schema": body["schema"], "unit": Uuid::new_v4().to_string()});
        let _ = app
            .put(&format!("/api/metrictypes/{SCORE}/"), &body)
            .await
            .expect(200);
        let stale = app
            .request(
                reqwest::Method::GET,
                path,
                None,
                &[("if-none-match", &before)],
            )
            .await;
        assert_eq!(stale.status, 200, "the unit changed: {path}");
    }
}

async fn changes_of_unused_metric_types_block_no_request(backend: Backend) {
    let app = TestApp::with(backend)
        .database_timeout(std::time::Duration::from_secs(3))
        .start()
        .await;
    app.seed().await;
    let mut client = app.database.connect().await;
    let change = client.transaction().await.expect("a transaction");
    let lock = format!(
        "SELECT pg_advisory_xact_lock(7233105, id) FROM metric_type WHERE series = '{COLOR}'"
    );
    change
        .query_one(&lock, &[])
        .await
        .expect("the lock of a change");
    let color = |user| {
        let rgb = point(COLOR, START, &json!({"r": 1, "g": 2, "b": 3}));
        let body = session(user, Uuid::new_v4(), START, &[rgb]);
        let app = &app;
        async move { app.post("/api/sessions/", &body).await.status.as_u16() }
    };
    let users: Vec<Uuid> = (0..24).map(|_| Uuid::new_v4()).collect();
    let waiting = futures_util::future::join_all(users.iter().map(|user| color(*user)));
    // While 24 sessions of one metric type wait, all sessions of another one are stored,
    // including those of the same users.
    let others = async {
        for user in &users {
            let _ = store(&app, *user, START, &[score(START, 50.0)]).await;
        }
        change.rollback().await.expect("the change has ended");
    };
    let (waiting, ()) = join(waiting, others).await;
    assert!(
        waiting.iter().all(|status| *status == 201),
        "they are stored after the change: {waiting:?}"
    );
}
