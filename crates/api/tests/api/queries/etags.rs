//! `ETag` and `If-None-Match`: an unchanged response is not sent again, a changed one is.

use reqwest::Method;
use time_series_testkit::{Backend, Response, TestApp};
use uuid::Uuid;

use crate::common::{START, from_now, score, store};
use crate::on_both_servers;
use crate::queries::support::{Pairs, get_with, header};

on_both_servers![
    an_unchanged_response_is_a_304,
    if_none_match_accepts_lists_and_weak_etags,
    another_query_has_another_etag,
    a_query_until_now_is_never_a_304,
    responses_without_data_have_etags,
];

const FIXED: [(&str, &str); 3] = [
    ("start_time", "2025-01-01"),
    ("end_time", "2025-02-01"),
    ("interval", "day"),
];

/// A user with two sessions, and every path that reads them.
pub(super) struct Case {
    pub(super) app: TestApp,
    pub(super) user: Uuid,
    pub(super) sessions: [Uuid; 2],
}

impl Case {
    pub(super) async fn new(backend: Backend) -> Self {
        Self::on(TestApp::seeded(backend).await).await
    }

    pub(super) async fn on(app: TestApp) -> Self {
        let user = Uuid::new_v4();
        let one = store(&app, user, START, &[score(START, 1.0)]).await;
        let two = store(&app, user, START, &[score(START, 2.0)]).await;
        Self {
            app,
            user,
            sessions: [one, two],
        }
    }

    pub(super) fn paths(&self) -> [(String, Vec<(&'static str, &'static str)>); 5] {
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
    pub(super) async fn read(
        &self,
        path: &str,
        parameters: &Pairs<'_>,
        headers: &Pairs<'_>,
    ) -> Response {
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
    pub(super) async fn raw(
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
    pub(super) async fn tags(&self) -> Vec<String> {
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
    pub(super) async fn assert_stale(&self, old: &[String], label: &str) -> Vec<String> {
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
