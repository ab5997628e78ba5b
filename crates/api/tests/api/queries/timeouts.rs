//! The time limit and the number of concurrent queries.

use std::time::Duration;

use futures_util::future::join_all;
use time_series_testkit::{Backend, TestApp};
use uuid::Uuid;

use crate::common::{START, assert_problem, score, store};
use crate::on_both_servers;
use crate::queries::support::{at, get_with};

on_both_servers![
    a_header_that_is_not_a_duration_is_rejected,
    a_header_lowers_the_time_limit,
    a_header_cannot_raise_the_time_limit,
    a_sufficient_time_limit_changes_nothing,
    one_query_permit_serves_all_queries_in_turn,
];

/// A user with so many points that every query of all of them takes more than a millisecond.
pub(crate) async fn many_points(app: &TestApp) -> Uuid {
    app.seed().await;
    let user = Uuid::new_v4();
    for part in 0..16 {
        let data: Vec<_> = (0..5_000_i32)
            .map(|i| {
                score(
                    &at(i64::from(part) * 86_400 + i64::from(i) * 7),
                    f64::from(i * 31 % 997 + part),
                )
            })
            .collect();
        let _ = store(app, user, &at(i64::from(part) * 86_400), &data).await;
    }
    user
}

/// A query that reads and ranks all points, in buckets that no summary covers.
pub(crate) fn heavy(user: Uuid) -> String {
    format!(
        "/api/timeseries/?user_id={user}&start_time=2025-01-01&end_time=2025-02-01&interval=7s\
         &agg_func=median,p99.9,mode,distinct,time_avg&where=value%3E=0"
    )
}

/// A query that day summaries serve: sixteen days.
pub(crate) fn light(user: Uuid) -> String {
    format!(
        "/api/timeseries/?user_id={user}&start_time=2025-01-01&end_time=2025-02-01&interval=day"
    )
}

async fn a_header_that_is_not_a_duration_is_rejected(backend: Backend) {
    let app = TestApp::seeded(backend).await;
    let user = Uuid::new_v4().to_string();
    let _ = store(
        &app,
        user.parse().expect("a UUID"),
        START,
        &[score(START, 1.0)],
    )
    .await;
    for path in ["/api/timeseries/", "/api/points/"] {
        for time in ["soon", "", "1s", "-1", "NaN", "inf", "1,5", "0x10"] {
            let response = get_with(
                &app,
                path,
                &[("user_id", &*user)],
                &[("request-timeout", time)],
            )
            .await;
            assert_eq!(
                response.status.as_u16(),
                422,
                "{path} {time:?}: {}",
                response.text
            );
            assert_problem(&response, 422, "invalid_parameters");
            assert!(
                response.faults()[0]
                    .to_lowercase()
                    .starts_with("request-timeout "),
                "{}",
                response.text
            );
        }
    }
}

async fn a_header_lowers_the_time_limit(backend: Backend) {
    let app = TestApp::start(backend).await;
    let user = many_points(&app).await;
    let heavy = heavy(user);
    for _ in 0..3 {
        let response = get_with(&app, &heavy, &[], &[("request-timeout", "0.001")]).await;
        assert_eq!(
            response.status.as_u16(),
            503,
            "{}",
            &response.text[..response.text.len().min(300)]
        );
        assert_problem(&response, 503, "timed_out");
    }
    // The connections stay usable.
    let light = light(user);
    for response in join_all((0..8).map(|_| app.get(&light))).await {
        assert_eq!(response.expect(200).metadata().count, 16);
    }
}

async fn a_header_cannot_raise_the_time_limit(backend: Backend) {
    let app = TestApp::with(backend)
        .query_timeout(Duration::from_millis(1))
        .start()
        .await;
    let heavy = heavy(many_points(&app).await);
    assert_problem(&app.get(&heavy).await, 503, "timed_out");
    assert_problem(
        &get_with(&app, &heavy, &[], &[("request-timeout", "60")]).await,
        503,
        "timed_out",
    );
}

async fn a_sufficient_time_limit_changes_nothing(backend: Backend) {
    let app = TestApp::seeded(backend).await;
    let user = Uuid::new_v4();
    let id = store(&app, user, START, &[score(START, 1.0)]).await;
    let paths = [
        format!("/api/timeseries/?user_id={user}&start_time=2025-01-01&end_time=2025-02-01"),
        format!("/api/points/?user_id={user}"),
        format!("/api/sessions/{id}/points/"),
    ];
    for path in paths {
        let as_floats = app.get(&path).await.expect(200);
        for time in ["20", "29.75", "30", "3600", "99999999999999999999"] {
            let response = get_with(&app, &path, &[], &[("request-timeout", time)]).await;
            assert_eq!(
                response.status.as_u16(),
                200,
                "{path} {time}: {}",
                response.text
            );
            assert_eq!(response.text, as_floats.text, "{path} {time}");
        }
    }
}

async fn one_query_permit_serves_all_queries_in_turn(backend: Backend) {
    let app = TestApp::with(backend).query_concurrency(1).start().await;
    let user = many_points(&app).await;
    let light = light(user);
    let points = format!("/api/points/?user_id={user}&limit=10");
    let requests: Vec<_> = (0..12).map(|i| [&light, &points][i % 2]).collect();
    let first = [
        app.get(&light).await.expect(200).text,
        app.get(&points).await.expect(200).text,
    ];
    for (i, response) in join_all(requests.iter().map(|path| app.get(path)))
        .await
        .into_iter()
        .enumerate()
    {
        assert_eq!(response.expect(200).text, first[i % 2]);
    }
    // A query that timed out releases its permit.
    let tiny = [("request-timeout", "0.001")];
    let heavy = heavy(user);
    for response in join_all((0..4).map(|_| get_with(&app, &heavy, &[], &tiny))).await {
        assert_eq!(response.status.as_u16(), 503, "{}", response.code());
    }
    assert_eq!(app.get(&light).await.expect(200).text, first[0]);
}
