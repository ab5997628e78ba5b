//! The header `user-version`: which version a read shows and a write made.

use time_series_testkit::{Answer, Backend, TestApp};
use uuid::Uuid;

use crate::common::{START, ask, score, session, store};
use crate::on_both_servers;
use crate::queries::JANUARY;
use crate::queries::support::{header, metadata};

on_both_servers![
    every_write_tells_its_version,
    every_read_tells_the_version_it_shows,
    who_has_no_data_has_version_zero
];

#[track_caller]
fn version(answer: &Answer) -> u64 {
    header(answer, "user-version")
        .parse()
        .unwrap_or_else(|e| panic!("{e}: no user-version; {}", answer.text))
}

async fn every_write_tells_its_version(backend: Backend) {
    let app = TestApp::seeded(backend).await;
    let (user, one, two) = (Uuid::new_v4(), Uuid::new_v4(), Uuid::new_v4());
    let body = |id: Uuid, value: f64| session(user, id, START, &[score(START, value)]);
    let path = "/api/sessions/";
    let told = |answer: Answer, expected: u64| {
        assert_eq!(version(&answer), expected, "{}", answer.text);
        if !answer.text.is_empty() {
            assert_eq!(answer.json()["version"], expected, "{}", answer.text);
        }
    };
    told(app.post(path, &body(one, 1.0)).await.expect(201), 1);
    told(app.post(path, &body(one, 1.0)).await.expect(200), 1);
    told(
        app.post(&format!("{path}?on_conflict=replace"), &body(one, 2.0))
            .await
            .expect(200),
        2,
    );
    told(
        app.post(&format!("{path}?on_conflict=ignore"), &body(one, 3.0))
            .await
            .expect(200),
        2,
    );
    told(
        app.put(&format!("{path}{two}/"), &body(two, 1.0))
            .await
            .expect(201),
        3,
    );
    told(
        app.put(&format!("{path}{two}/"), &body(two, 2.0))
            .await
            .expect(200),
        4,
    );
    told(
        app.put(&format!("{path}{two}/"), &body(two, 2.0))
            .await
            .expect(200),
        4,
    );
    told(app.delete(&format!("{path}{one}/")).await.expect(204), 5);
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

async fn every_read_tells_the_version_it_shows(backend: Backend) {
    let app = TestApp::seeded(backend).await;
    let user = Uuid::new_v4();
    let id = store(&app, user, START, &[score(START, 1.0)]).await;
    for expected in 1..=3 {
        for path in paths(user, id) {
            let answer = app.get(&path).await.expect(200);
            assert_eq!(version(&answer), expected, "{path}");
            assert_eq!(metadata(&answer)["version"], expected, "{path}");
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

async fn who_has_no_data_has_version_zero(backend: Backend) {
    let app = TestApp::seeded(backend).await;
    let user = Uuid::new_v4();
    let _ = store(&app, Uuid::new_v4(), START, &[score(START, 1.0)]).await;
    for path in paths(user, Uuid::new_v4())
        .iter()
        .filter(|path| !path.contains("/sessions/"))
    {
        let answer = app.get(path).await.expect(200);
        assert_eq!(version(&answer), 0, "{path}");
    }
    assert_eq!(metadata(&ask(&app, user, &JANUARY).await)["version"], 0);
}
