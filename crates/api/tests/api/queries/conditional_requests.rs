//! `ETag` with encodings, `HEAD`, `If-None-Match: *` and `Cache-Control`.

use reqwest::Method;
use time_series_testkit::Backend;

use super::etags::Case;
use crate::on_both_servers;
use crate::queries::support::header;

on_both_servers![
    each_encoding_has_its_own_etag,
    head_returns_the_headers_of_get,
    if_none_match_star_matches_every_response,
    responses_are_cacheable_privately_only,
];

async fn each_encoding_has_its_own_etag(backend: Backend) {
    let case = Case::new(backend).await;
    for (path, parameters) in case.paths() {
        let as_floats = header(
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
                format!("{}-{encoding}\"", as_floats.trim_end_matches('"')),
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
