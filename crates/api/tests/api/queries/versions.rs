//! The header `user-version`: the version that a read shows or a write creates.

use time_series_testkit::{Backend, Response, TestApp};
use uuid::Uuid;

use crate::common::{START, get_timeseries, score, session, store};
use crate::on_both_servers;
use crate::queries::JANUARY;
use crate::queries::support::{header, metadata};

on_both_servers![
    every_write_reports_its_version,
    every_read_reports_its_version,
    a_user_without_data_has_version_zero
];

#[track_caller]
fn version(response: &Response) -> u64 {
    header(response, "user-version")
        .parse()
        .unwrap_or_else(|e| panic!("{e}: the header user-version is missing; {}", response.text))
}

async fn every_write_reports_its_version(backend: Backend) {
    let app = TestApp::seeded(backend).await;
    let (user, one, two) = (Uuid::new_v4(), Uuid::new_v4(), Uuid::new_v4());
    let body = |id: Uuid, value: f64| session(user, id, START, &[score(START, value)]);
    let path = "/api/sessions/";
    let assert_version = |response: Response, expected: u64| {
        assert_eq!(version(&response), expected, "{}", response.text);
        if !response.text.is_empty() {
            assert_eq!(response.json()["version"], expected, "{}", response.text);
        }
    };
    assert_version(app.post(path, &body(one, 1.0)).await.expect(201), 1);
    assert_version(app.post(path, &body(one, 1.0)).await.expect(200), 1);
    assert_version(
        app.post(&format!("{path}?on_conflict=replace"), &body(one, 2.0))
            .await
            .expect(200),
        2,
    );
    assert_version(
        app.post(&format!("{path}?on_conflict=ignore"), &body(one, 3.0))
            .await
            .expect(200),
        2,
    );
    assert_version(
        app.put(&format!("{path}{two}/"), &body(two, 1.0))
            .await
            .expect(201),
        3,
    );
    assert_version(
        app.put(&format!("{path}{two}/"), &body(two, 2.0))
            .await
            .expect(200),
        4,
    );
    assert_version(
        app.put(&format!("{path}{two}/"), &body(two, 2.0))
            .await
            .expect(200),
        4,
    );
    assert_version(app.delete(&format!("{path}{one}/")).await.expect(204), 5);
}

/// The paths that read one user's data.
fn paths(user: Uuid, id: Uuid) -> [String; 6] {
    [
        format!("/api/timeseries/?user_id={user}&start_time=2025-01-01&end_time=2025-02-01"),
        format!("/api/timeseries/?user_id={user}"),
        format!("/api/points/?user_id={user}"),
        format!("/api/sessions/{id}/points/"),
        format!("/api/latest/?user_id={user}"),
        format!("/api/catalog/?user_id={user}"),
    ]
}

async fn every_read_reports_its_version(backend: Backend) {
    let app = TestApp::seeded(backend).await;
    let user = Uuid::new_v4();
    let id = store(&app, user, START, &[score(START, 1.0)]).await;
    for expected in 1..=3 {
        for path in paths(user, id) {
            let response = app.get(&path).await.expect(200);
            assert_eq!(version(&response), expected, "{path}");
            assert_eq!(metadata(&response)["version"], expected, "{path}");
            let separator = if path.contains('?') { '&' } else { '?' };
            let csv = app
                .get(&format!("{path}{separator}format=csv"))
                .await
                .expect(200);
            assert_eq!(version(&csv), expected, "as CSV: {path}");
        }
        let _ = store(&app, user, START, &[score(START, 2.0)]).await;
    }
}

async fn a_user_without_data_has_version_zero(backend: Backend) {
    let app = TestApp::seeded(backend).await;
    let user = Uuid::new_v4();
    let _ = store(&app, Uuid::new_v4(), START, &[score(START, 1.0)]).await;
    for path in paths(user, Uuid::new_v4())
        .iter()
        .filter(|path| !path.contains("/sessions/"))
    {
        let response = app.get(path).await.expect(200);
        assert_eq!(version(&response), 0, "{path}");
    }
    assert_eq!(
        metadata(&get_timeseries(&app, user, &JANUARY).await)["version"],
        0
    );
}
