//! Several users in one query: permissions and results.

use reqwest::Method;
use serde_json::{Value, json};
use time_series_testkit::{Backend, Response, TestApp};
use uuid::Uuid;

use crate::common::{SCORE, START, assert_problem, assert_rows, score, store};
use crate::on_both_servers;
use crate::queries::parameters::assert_named;
use crate::queries::support::{header, metadata};

on_both_servers![
    without_a_token_several_users_are_unauthorized,
    the_token_permits_queries_of_several_users,
    without_a_configured_token_anyone_may_query_several_users,
    one_user_needs_no_token,
    several_users_are_merged,
    the_version_of_several_users_is_the_sum,
    one_bad_user_is_named,
    points_require_one_user,
];

const TOKEN: &str = "a-token of some length/=";

/// Three users with the values 1, 2 and 4 in their only session.
async fn three_users(app: &TestApp) -> [Uuid; 3] {
    let users = [Uuid::new_v4(), Uuid::new_v4(), Uuid::new_v4()];
    for (user, value) in users.iter().zip([1.0, 2.0, 4.0]) {
        let _ = store(app, *user, START, &[score(START, value)]).await;
    }
    users
}

/// A service with a token, which also creates the series.
async fn with_token(backend: Backend) -> TestApp {
    let app = TestApp::with(backend).admin_token(TOKEN).start().await;
    let value = json!({"type": "object", "properties": {"value": {"type": "number"}}, "required": ["value"]});
    let body = json!({"series": SCORE, "schema": value})
        .to_string()
        .into_bytes();
    let bearer = format!("Bearer {TOKEN}");
    let headers = [("authorization", &*bearer)];
    let _ = app
        .request(Method::POST, "/api/metrictypes/", Some(body), &headers)
        .await
        .expect(201);
    app
}

/// The sum over January of the users in a parameter string.
async fn sum(app: &TestApp, users: &str, authorization: Option<&str>) -> Response {
    let headers: Vec<_> = authorization
        .map(|value| ("authorization", value))
        .into_iter()
        .collect();
    let range = "start_time=2025-01-01&end_time=2025-02-01&interval=month&agg_func=sum";
    app.request(
        Method::GET,
        &format!("/api/timeseries/?{users}&{range}"),
        None,
        &headers,
    )
    .await
}

async fn without_a_token_several_users_are_unauthorized(backend: Backend) {
    let app = with_token(backend).await;
    let [one, two, _] = three_users(&app).await;
    for users in [
        format!("user_id={one},{two}"),
        format!("user_id={one}&user_id={two}"),
    ] {
        for authorization in [None, Some("Bearer wrong"), Some(TOKEN), Some("Basic YTpi")] {
            let response = sum(&app, &users, authorization).await;
            assert_eq!(
                response.status.as_u16(),
                401,
                "{authorization:?}: {}",
                response.text
            );
            assert_problem(&response, 401, "unauthorized");
            assert!(
                header(&response, "www-authenticate").starts_with("Bearer"),
                "RFC 9110, 15.5.2"
            );
            assert!(!response.text.contains(TOKEN), "the token is a secret");
        }
        let grouped = sum(&app, &format!("{users}&group_by=user"), None).await;
        assert_problem(&grouped, 401, "unauthorized");
    }
}

async fn the_token_permits_queries_of_several_users(backend: Backend) {
    let app = with_token(backend).await;
    let [one, two, _] = three_users(&app).await;
    let bearer = format!("Bearer {TOKEN}");
    for users in [
        format!("user_id={one},{two}"),
        format!("user_id={one}&user_id={two}"),
    ] {
        assert_rows(
            &sum(&app, &users, Some(&bearer)).await,
            &[(START, SCORE, json!(3))],
        );
    }
}

async fn without_a_configured_token_anyone_may_query_several_users(backend: Backend) {
    let app = TestApp::seeded(backend).await;
    let [one, two, three] = three_users(&app).await;
    assert_rows(
        &sum(&app, &format!("user_id={one},{two},{three}"), None).await,
        &[(START, SCORE, json!(7))],
    );
}

async fn one_user_needs_no_token(backend: Backend) {
    let app = with_token(backend).await;
    let [one, ..] = three_users(&app).await;
    for users in [
        format!("user_id={one}"),
        format!("user_id={one},{one}"),
        format!("user_id={one}&user_id={one}"),
    ] {
        let response = sum(&app, &users, None).await;
        assert_rows(&response, &[(START, SCORE, json!(1))]);
        assert_eq!(
            metadata(&response)["user_id"],
            json!(one),
            "one user is a string: {users}"
        );
    }
}

async fn several_users_are_merged(backend: Backend) {
    let app = TestApp::seeded(backend).await;
    let [one, two, three] = three_users(&app).await;
    let stranger = Uuid::new_v4();
    let users = format!("user_id={one},{two}&user_id={three},{one}&user_id={stranger}");
    let response = sum(&app, &users, None).await;
    assert_rows(&response, &[(START, SCORE, json!(7))]);
    let mut actual = metadata(&response)["user_id"]
        .as_array()
        .expect("an array")
        .clone();
    actual.sort_by_key(ToString::to_string);
    let mut expected = [one, two, three, stranger].map(|user| json!(user));
    expected.sort_by_key(ToString::to_string);
    assert_eq!(actual, expected);
    assert!(actual.iter().all(Value::is_string));
    // Points are merged, not averages of users.
    let _ = store(&app, one, START, &[score(START, 1.0), score(START, 1.0)]).await;
    let path = format!(
        "/api/timeseries/?user_id={one},{three}&start_time=2025-01-01&end_time=2025-02-01&interval=month\
         &agg_func=avg,count,median,first,last"
    );
    let merged = json!({"avg": 1.75, "count": 4, "median": 1, "first": 1, "last": 4});
    assert_rows(&app.get(&path).await, &[(START, SCORE, merged)]);
}

async fn the_version_of_several_users_is_the_sum(backend: Backend) {
    let app = TestApp::seeded(backend).await;
    let [one, two, three] = three_users(&app).await;
    let _ = store(&app, one, START, &[]).await;
    let users = format!("user_id={one},{two},{three},{}", Uuid::new_v4());
    assert_eq!(metadata(&sum(&app, &users, None).await)["version"], 4);
}

async fn one_bad_user_is_named(backend: Backend) {
    let app = TestApp::seeded(backend).await;
    let [one, ..] = three_users(&app).await;
    for users in [
        format!("user_id={one},me"),
        format!("user_id={one},"),
        format!("user_id={one}&user_id=me"),
    ] {
        assert_named(&sum(&app, &users, None).await, &["user_id"], &[], &users);
    }
}

async fn points_require_one_user(backend: Backend) {
    let app = TestApp::seeded(backend).await;
    let [one, two, _] = three_users(&app).await;
    for path in ["/api/points/", "/api/latest/", "/api/catalog/"] {
        for users in [
            format!("user_id={one},{two}"),
            format!("user_id={one}&user_id={two}"),
            String::new(),
        ] {
            let response = app.get(&format!("{path}?{users}")).await;
            assert_named(&response, &["user_id"], &[], &format!("{path}?{users}"));
        }
    }
}
