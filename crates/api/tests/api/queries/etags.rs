//! `ETag` and `If-None-Match`: an unchanged response is not sent again, a changed one is.

use reqwest::Method;
use serde_json::json;
use time_series_testkit::{Backend, Response, TestApp, redis_url};
use uuid::Uuid;

use crate::common::{COLOR, SCORE, START, from_now, point, score, session, store};
use crate::on_both_servers;
use crate::queries::support::{Pairs, get_with, header};

on_both_servers![
    an_unchanged_response_is_a_304,
    if_none_match_accepts_lists_and_weak_etags,
    every_change_of_the_users_data_changes_the_etag,
    a_changed_metric_type_changes_the_etag,
    a_write_without_effect_keeps_the_etag,
    other_users_do_not_affect_the_etag,
    another_query_has_another_etag,
    a_query_until_now_is_never_a_304,
    responses_without_data_have_etags,
    each_encoding_has_its_own_etag,
    head_returns_the_headers_of_get,
    if_none_match_star_matches_every_response,
    responses_are_cacheable_privately_only,
];

const FIXED: [(&str, &str); 3] = [
    ("start_time", "2025-01-01"),
    ("end_time", "2025-02-01"),
    ("interval", "day"),
];

/// A user with two sessions, and every path that reads them.
struct Case {
    app: TestApp,
    user: Uuid,
    sessions: [Uuid; 2],
}

impl Case {
    async fn new(backend: Backend) -> Self {
        Self::on(TestApp::seeded(backend).await).await
    }

    async fn on(app: TestApp) -> Self {
        let user = Uuid::new_v4();
        let one = store(&app, user, START, &[score(START, 1.0)]).await;
        let two = store(&app, user, START, &[score(START, 2.0)]).await;
        Self {
            app,
            user,
            sessions: [one, two],
        }
    }

    fn paths(&self) -> [(String, Vec<(&'static str, &'static str)>); 5] {
        let user = self.user;
        [
            (format!("/api/timeseries/?user_id={user}&"), FIXED.to_vec()),
            (format!("/api/points/?user_id={user}&"), Vec::new()),
            (
                format!("/api/sessions/{}/points/?", self.sessions[0]),
                Vec::new(),
            ),
            (format!("/api/latest/?user_id={user}&"), Vec::new()),
            (format!("/api/catalog/?user_id={user}&"), Vec::new()),
        ]
    }

    /// GET of a path to which more parameters can be appended.
    async fn read(&self, path: &str, parameters: &Pairs<'_>, headers: &Pairs<'_>) -> Response {
        let pairs: Vec<_> = parameters
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let path = format!("{path}{}", pairs.join("&"));
        self.app
            .request(
                Method::GET,
                path.trim_end_matches(['?', '&']),
                None,
                headers,
            )
            .await
    }

    /// The same request without decompressing the body.
    async fn raw(
        &self,
        path: &str,
        parameters: &Pairs<'_>,
        headers: &Pairs<'_>,
    ) -> reqwest::Response {
        let pairs: Vec<_> = parameters
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let url = format!("{}{path}{}", self.app.url, pairs.join("&"));
        let client = reqwest::Client::new();
        let request = client.get(url.trim_end_matches(['?', '&']));
        let request = headers.iter().fold(request, |request, (name, value)| {
            request.header(*name, *value)
        });
        request.send().await.expect("a response")
    }

    /// Returns the tags of all paths, each verified to produce a 304.
    async fn tags(&self) -> Vec<String> {
        let mut tags = Vec::new();
        for (path, parameters) in self.paths() {
            let response = self.read(&path, &parameters, &[]).await.expect(200);
            let tag = header(&response, "etag");
            assert!(
                tag.len() > 2 && tag.starts_with('"') && tag.ends_with('"'),
                "a strong etag: {path} {tag:?}"
            );
            let again = self
                .read(&path, &parameters, &[("if-none-match", &tag)])
                .await;
            assert_eq!(again.status.as_u16(), 304, "{path}: {}", again.text);
            assert_eq!(
                (again.text.as_str(), header(&again, "etag")),
                ("", tag.clone()),
                "{path}"
            );
            tags.push(tag);
        }
        tags
    }

    /// Checks that the old tags of all paths are stale, and returns the new ones.
    async fn assert_stale(&self, old: &[String], label: &str) -> Vec<String> {
        for ((path, parameters), tag) in self.paths().iter().zip(old) {
            let response = self.read(path, parameters, &[("if-none-match", tag)]).await;
            assert_eq!(response.status.as_u16(), 200, "{path} after {label}");
            assert_ne!(header(&response, "etag"), *tag, "{path} after {label}");
        }
        self.tags().await
    }
}

async fn an_unchanged_response_is_a_304(backend: Backend) {
    let case = Case::new(backend).await;
    let first = case.tags().await;
    assert_eq!(case.tags().await, first, "nothing changed");
    for (path, parameters) in case.paths() {
        let response = case
            .read(&path, &parameters, &[("if-none-match", "\"another\"")])
            .await;
        assert_eq!(response.status.as_u16(), 200, "{path}");
    }
}

async fn if_none_match_accepts_lists_and_weak_etags(backend: Backend) {
    let case = Case::new(backend).await;
    for ((path, parameters), tag) in case.paths().iter().zip(case.tags().await) {
        for list in [
            format!("\"a\", {tag}"),
            format!("{tag},\"b,c\""),
            format!("W/{tag}"),
            format!("\"x\", W/{tag}"),
        ] {
            let response = case
                .read(path, parameters, &[("if-none-match", &list)])
                .await;
            assert_eq!(
                response.status.as_u16(),
                304,
                "RFC 9110, 13.1.2: {path} {list}"
            );
        }
    }
}

async fn every_change_of_the_users_data_changes_the_etag(backend: Backend) {
    changes(Case::new(backend).await).await;
}

/// The same with a result cache.
#[tokio::test]
async fn every_change_changes_the_etag_of_a_cached_response() {
    changes(Case::on(seeded(TestApp::with(Backend::Plain).cache().start().await).await).await)
        .await;
    changes(
        Case::on(
            seeded(
                TestApp::with(Backend::Plain)
                    .redis(&redis_url())
                    .start()
                    .await,
            )
            .await,
        )
        .await,
    )
    .await;
}

async fn seeded(app: TestApp) -> TestApp {
    app.seed().await;
    app
}

async fn changes(case: Case) {
    let (app, user, [one, two]) = (&case.app, case.user, case.sessions);
    let tags = case.tags().await;
    let _ = store(app, user, START, &[score(START, 3.0)]).await;
    let tags = case.assert_stale(&tags, "a new session").await;
    let body = session(user, one, START, &[score(START, 4.0)]);
    let _ = app
        .post("/api/sessions/?on_conflict=replace", &body)
        .await
        .expect(200);
    let tags = case.assert_stale(&tags, "a replacement by POST").await;
    let body = session(user, one, START, &[score(START, 5.0)]);
    let _ = app
        .put(&format!("/api/sessions/{one}/"), &body)
        .await
        .expect(200);
    let tags = case.assert_stale(&tags, "a replacement by PUT").await;
    let _ = app
        .delete(&format!("/api/sessions/{two}/"))
        .await
        .expect(204);
    let tags = case.assert_stale(&tags, "a deletion").await;
    // The same points stored again are a new version.
    let _ = app
        .post(
            "/api/sessions/",
            &session(user, two, START, &[score(START, 2.0)]),
        )
        .await
        .expect(201);
    let _ = case.assert_stale(&tags, "the deleted session again").await;
}

async fn a_changed_metric_type_changes_the_etag(backend: Backend) {
    let case = Case::new(backend).await;
    let tags = case.tags().await;
    let path = format!("/api/metrictypes/{SCORE}/");
    let mut body = case.app.get(&path).await.expect(200).json();
    for member in ["channels", "created_at", "updated_at"] {
        body.as_object_mut().expect("an object").remove(member);
    }
    body["unit"] = json!("points");
    let _ = case.app.put(&path, &body).await.expect(200);
    let tags = case.assert_stale(&tags, "another unit").await;
    let number = json!({"type": "number"});
    body["schema"]["properties"]["quality"] = number;
    let _ = case.app.put(&path, &body).await.expect(200);
    let _ = case.assert_stale(&tags, "another leaf").await;
}

async fn a_write_without_effect_keeps_the_etag(backend: Backend) {
    let case = Case::new(backend).await;
    let (app, user, [one, _]) = (&case.app, case.user, case.sessions);
    let tags = case.tags().await;
    let same = session(user, one, START, &[score(START, 1.0)]);
    let _ = app.post("/api/sessions/", &same).await.expect(200);
    let _ = app
        .put(&format!("/api/sessions/{one}/"), &same)
        .await
        .expect(200);
    let other = session(user, one, START, &[score(START, 9.0)]);
    let _ = app.post("/api/sessions/", &other).await.expect(409);
    let _ = app
        .post("/api/sessions/?on_conflict=ignore", &other)
        .await
        .expect(200);
    let _ = app
        .post(
            "/api/sessions/?dry_run=true",
            &session(user, Uuid::new_v4(), START, &[]),
        )
        .await
        .expect(200);
    let _ = app
        .delete(&format!("/api/sessions/{}/", Uuid::new_v4()))
        .await
        .expect(404);
    assert_eq!(case.tags().await, tags);
}

async fn other_users_do_not_affect_the_etag(backend: Backend) {
    let case = Case::new(backend).await;
    let tags = case.tags().await;
    let rgb = json!({"r": 1, "g": 2, "b": 3});
    let _ = store(
        &case.app,
        Uuid::new_v4(),
        START,
        &[score(START, 1.0), point(COLOR, START, &rgb)],
    )
    .await;
    assert_eq!(case.tags().await, tags);
}

async fn another_query_has_another_etag(backend: Backend) {
    let case = Case::new(backend).await;
    let variants: [&Pairs; 12] = [
        &[],
        &[("format", "csv")],
        &[("format", "ndjson")],
        &[("format", "arrow")],
        &[("format", "parquet")],
        &[("shape", "flat")],
        &[("layout", "columns")],
        &[("agg_func", "max")],
        &[("fill", "zero")],
        &[("where", "value%3E1")],
        &[("group_by", "session")],
        &[("tz", "Asia/Tokyo")],
    ];
    let (path, parameters) = &case.paths()[0];
    let mut tags = Vec::new();
    for variant in variants {
        let response = case
            .read(path, &[parameters, variant].concat(), &[])
            .await
            .expect(200);
        tags.push(header(&response, "etag"));
    }
    // The format counts equally if a header or a parameter chose it.
    let by_header = case
        .read(path, parameters, &[("accept", "text/csv")])
        .await
        .expect(200);
    assert_ne!(header(&by_header, "etag"), tags[0]);
    let json_tag = [("accept", "text/csv"), ("if-none-match", &*tags[0])];
    assert_eq!(
        case.read(path, parameters, &json_tag).await.status.as_u16(),
        200,
        "the etag of JSON does not match CSV"
    );
    tags.sort();
    tags.dedup();
    assert_eq!(tags.len(), variants.len(), "{tags:?}");
    for (path, parameters) in &case.paths()[1..] {
        let json = case.read(path, parameters, &[]).await.expect(200);
        let csv = case
            .read(
                path,
                &[parameters.as_slice(), &[("format", "csv")]].concat(),
                &[],
            )
            .await
            .expect(200);
        assert_ne!(header(&json, "etag"), header(&csv, "etag"), "{path}");
    }
}

async fn a_query_until_now_is_never_a_304(backend: Backend) {
    let case = Case::new(backend).await;
    let user = case.user.to_string();
    let since = from_now(-3600);
    for parameters in [
        vec![],
        vec![("start_time", "2025-01-01")],
        vec![("start_time", &*since), ("interval", "1s")],
    ] {
        let parameters = [&[("user_id", &*user)], parameters.as_slice()].concat();
        let first = get_with(&case.app, "/api/timeseries/", &parameters, &[])
            .await
            .expect(200);
        assert_eq!(header(&first, "user-version"), "2", "{parameters:?}");
        let tag = header(&first, "etag");
        let tag = if tag.is_empty() {
            "\"none\"".to_owned()
        } else {
            tag
        };
        let again = get_with(
            &case.app,
            "/api/timeseries/",
            &parameters,
            &[("if-none-match", &tag)],
        )
        .await;
        assert_eq!(again.status.as_u16(), 200, "{parameters:?}");
    }
    // A fixed end in the future is fixed.
    let end = from_now(86_400);
    let parameters = [
        ("user_id", &*user),
        ("start_time", "2025-01-01"),
        ("end_time", &*end),
    ];
    let first = get_with(&case.app, "/api/timeseries/", &parameters, &[])
        .await
        .expect(200);
    let tag = header(&first, "etag");
    let again = get_with(
        &case.app,
        "/api/timeseries/",
        &parameters,
        &[("if-none-match", &tag)],
    )
    .await;
    assert_eq!(again.status.as_u16(), 304);
}

async fn responses_without_data_have_etags(backend: Backend) {
    let case = Case::new(backend).await;
    let user = Uuid::new_v4().to_string();
    for path in [
        "/api/timeseries/",
        "/api/points/",
        "/api/latest/",
        "/api/catalog/",
    ] {
        let range: &Pairs = if path.contains("timeseries") {
            &FIXED
        } else {
            &[]
        };
        let parameters = [&[("user_id", &*user)], range].concat();
        let first = get_with(&case.app, path, &parameters, &[])
            .await
            .expect(200);
        let tag = header(&first, "etag");
        let again = get_with(&case.app, path, &parameters, &[("if-none-match", &tag)]).await;
        assert_eq!(again.status.as_u16(), 304, "{path} {tag}");
    }
    let theirs = user.parse().expect("a UUID");
    let path = format!("/api/catalog/?user_id={user}");
    let tag = header(&case.app.get(&path).await, "etag");
    let _ = store(&case.app, theirs, START, &[score(START, 1.0)]).await;
    let response = case
        .app
        .request(Method::GET, &path, None, &[("if-none-match", &tag)])
        .await;
    assert_eq!(response.status.as_u16(), 200, "now there is data");
}

async fn each_encoding_has_its_own_etag(backend: Backend) {
    let case = Case::new(backend).await;
    for (path, parameters) in case.paths() {
        let plain = header(
            &case
                .read(&path, &parameters, &[("accept-encoding", "identity")])
                .await
                .expect(200),
            "etag",
        );
        for encoding in ["gzip", "br", "zstd"] {
            let headers = [("accept-encoding", encoding)];
            let compressed = case.raw(&path, &parameters, &headers).await;
            assert_eq!(
                (
                    compressed.status().as_u16(),
                    &compressed.headers()["content-encoding"]
                ),
                (200, &encoding.parse().expect("a value"))
            );
            let tag = compressed.headers()["etag"]
                .to_str()
                .expect("text")
                .to_owned();
            assert_eq!(
                tag,
                format!("{}-{encoding}\"", plain.trim_end_matches('"')),
                "{path}: RFC 9110, 8.8.1"
            );
            let again = case
                .read(
                    &path,
                    &parameters,
                    &[("accept-encoding", encoding), ("if-none-match", &tag)],
                )
                .await;
            assert_eq!(
                (again.status.as_u16(), header(&again, "etag")),
                (304, tag),
                "{path}"
            );
        }
    }
}

async fn head_returns_the_headers_of_get(backend: Backend) {
    let case = Case::new(backend).await;
    let others = [
        "/api/sessions/?",
        "/api/metrictypes/?",
        "/health/live/?",
        "/schema/?",
        "/redoc/?",
        "/metrics/?",
    ];
    let user = case.user.to_string();
    let mut paths: Vec<(String, Vec<(&str, &str)>)> = case.paths().to_vec();
    paths.extend(others.map(|path| {
        (
            path.to_owned(),
            if path.contains("sessions") {
                vec![("user_id", &*user)]
            } else {
                Vec::new()
            },
        )
    }));
    for (path, parameters) in paths {
        let pairs: Vec<_> = parameters
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let url = format!("{path}{}", pairs.join("&"));
        let of = |method: Method| {
            case.app
                .request(method, url.trim_end_matches(['?', '&']), None, &[])
        };
        let (get, head) = (of(Method::GET).await, of(Method::HEAD).await);
        assert_eq!((head.status, head.text.as_str()), (get.status, ""), "{url}");
        for name in [
            "content-type",
            "etag",
            "user-version",
            "cache-control",
            "vary",
        ] {
            assert_eq!(
                head.headers.get(name),
                get.headers.get(name),
                "{name} of {url}"
            );
        }
    }
    let absent = case.app.request(Method::HEAD, "/nothing/", None, &[]).await;
    assert_eq!((absent.status.as_u16(), absent.text.as_str()), (404, ""));
    let stream = format!("/api/points/?user_id={}&format=ndjson", case.user);
    let head = case.app.request(Method::HEAD, &stream, None, &[]).await;
    assert_eq!((head.status.as_u16(), head.text.as_str()), (200, ""));
    // The connection stays usable.
    assert_eq!(case.app.get("/health/live").await.status.as_u16(), 200);
}

async fn if_none_match_star_matches_every_response(backend: Backend) {
    let case = Case::new(backend).await;
    for (path, parameters) in case.paths() {
        let response = case
            .read(&path, &parameters, &[("if-none-match", "*")])
            .await;
        assert_eq!(response.status.as_u16(), 304, "RFC 9110, 13.1.2: {path}");
    }
}

async fn responses_are_cacheable_privately_only(backend: Backend) {
    let case = Case::new(backend).await;
    for (path, parameters) in case.paths() {
        let response = case.read(&path, &parameters, &[]).await.expect(200);
        assert_eq!(
            header(&response, "cache-control"),
            "private, no-cache",
            "{path}"
        );
        let tag = header(&response, "etag");
        let known = case
            .read(&path, &parameters, &[("if-none-match", &tag)])
            .await;
        assert_eq!(
            header(&known, "cache-control"),
            "private, no-cache",
            "{path}"
        );
    }
    assert_eq!(
        header(&case.app.get("/api/timeseries/").await, "cache-control"),
        "no-store",
        "a problem"
    );
}
