//! `min_version`: a read that waits for a write.

use futures_util::future::{join, join_all};
use time_series_testkit::{Backend, TestApp};
use uuid::Uuid;

use crate::common::{START, assert_problem, score, store};
use crate::on_both_servers;
use crate::queries::support::{header, metadata};

on_both_servers![
    a_reached_version_is_read_at_once,
    a_version_that_does_not_arrive_is_a_412,
    a_read_waits_for_a_version_that_arrives_in_time,
    several_users_have_no_version_in_common,
];

async fn two_versions(backend: Backend) -> (TestApp, Uuid, [String; 5]) {
    let app = TestApp::seeded(backend).await;
    let user = Uuid::new_v4();
    let id = store(&app, user, START, &[score(START, 1.0)]).await;
    let _ = store(&app, user, START, &[score(START, 2.0)]).await;
    let paths = [
        format!("/api/timeseries/?user_id={user}&start_time=2025-01-01&end_time=2025-02-01&"),
        format!("/api/points/?user_id={user}&"),
        format!("/api/sessions/{id}/points/?"),
        format!("/api/latest/?user_id={user}&"),
        format!("/api/catalog/?user_id={user}&"),
    ];
    (app, user, paths)
}

async fn a_reached_version_is_read_at_once(backend: Backend) {
    let (app, _, paths) = two_versions(backend).await;
    for path in paths {
        for version in 0..=2 {
            let response = app.get(&format!("{path}min_version={version}")).await;
            assert_eq!(
                response.status.as_u16(),
                200,
                "{path} {version}: {}",
                response.text
            );
            assert_eq!(header(&response, "user-version"), "2", "{path}");
        }
    }
    let without_data = format!("/api/catalog/?user_id={}&min_version=0", Uuid::new_v4());
    let _ = app.get(&without_data).await.expect(200);
}

async fn a_version_that_does_not_arrive_is_a_412(backend: Backend) {
    let (app, _, paths) = two_versions(backend).await;
    let requests = paths.iter().map(|path| format!("{path}min_version=3"));
    let far = [format!("{}min_version=9223372036854775807", paths[0])];
    let without_data = [format!(
        "/api/latest/?user_id={}&min_version=1",
        Uuid::new_v4()
    )];
    let requests: Vec<_> = requests.chain(far).chain(without_data).collect();
    for response in join_all(requests.iter().map(|path| app.get(path))).await {
        assert_eq!(response.status.as_u16(), 412, "{}", response.text);
        assert_problem(&response, 412, "version_not_reached");
    }
}

async fn a_read_waits_for_a_version_that_arrives_in_time(backend: Backend) {
    let (app, user, paths) = two_versions(backend).await;
    let requests: Vec<_> = paths
        .iter()
        .map(|path| format!("{path}min_version=3"))
        .collect();
    let reads = join_all(requests.iter().map(|path| app.get(path)));
    let (responses, _) = join(reads, store(&app, user, START, &[score(START, 3.0)])).await;
    for (path, response) in requests.iter().zip(responses) {
        // The wait is bounded.
        let response = if response.status == 412 {
            app.get(path).await
        } else {
            response
        };
        assert_eq!(response.status.as_u16(), 200, "{path}: {}", response.text);
        assert_eq!(
            (
                header(&response, "user-version"),
                &metadata(&response)["version"]
            ),
            ("3".to_owned(), &3.into())
        );
    }
    let count = format!("{}min_version=3&agg_func=count&interval=all", paths[0]);
    assert_eq!(app.get(&count).await.expect(200).rows()[0].value, 3);
}

async fn several_users_have_no_version_in_common(backend: Backend) {
    let (app, user, _) = two_versions(backend).await;
    let path = format!(
        "/api/timeseries/?user_id={user},{}&min_version=1",
        Uuid::new_v4()
    );
    let response = app.get(&path).await;
    assert_problem(&response, 422, "invalid_parameters");
    assert!(
        response.faults()[0].starts_with("min_version "),
        "{}",
        response.text
    );
    // The same user given twice is one user.
    let _ = app
        .get(&format!(
            "/api/timeseries/?user_id={user},{user}&min_version=1"
        ))
        .await
        .expect(200);
}
