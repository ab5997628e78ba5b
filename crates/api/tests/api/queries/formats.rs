//! The format of a response: by parameter, by header, and unacceptable formats.

use serde_json::json;
use time_series_testkit::{Backend, TestApp};
use uuid::Uuid;

use crate::common::{START, assert_problem, results, score, store};
use crate::on_both_servers;
use crate::queries::JANUARY;
use crate::queries::support::{Pairs, get, get_with, header};

on_both_servers![
    a_parameter_selects_the_format,
    the_accept_header_selects_the_format,
    the_parameter_overrides_the_header,
    every_media_type_is_read_as_json,
    quality_values_decide_between_formats,
    an_unsupported_format_is_not_acceptable,
    latest_and_catalog_support_text_formats_only,
    a_problem_is_json_in_every_format,
    every_text_format_has_the_same_rows,
];

/// Each format and its media type.
const FORMATS: [(&str, &str); 5] = [
    ("json", "application/json"),
    ("csv", "text/csv"),
    ("ndjson", "application/x-ndjson"),
    ("arrow", "application/vnd.apache.arrow.stream"),
    ("parquet", "application/vnd.apache.parquet"),
];

/// A user with one session, and the paths that read it.
struct Case {
    app: TestApp,
    user: String,
    session: String,
}

impl Case {
    async fn new(backend: Backend) -> Self {
        let app = TestApp::seeded(backend).await;
        let user = Uuid::new_v4();
        let data = [score(START, 1.5), score("2025-01-02T00:00:00Z", 2.5)];
        let session = store(&app, user, START, &data).await;
        Self {
            app,
            user: user.to_string(),
            session: format!("/api/sessions/{session}/points/"),
        }
    }

    /// The paths that support all formats, with their required parameters.
    fn paths(&self) -> [(&str, Vec<(&str, &str)>); 3] {
        let user = ("user_id", &*self.user);
        let week = [user, JANUARY[0], JANUARY[1]].to_vec();
        [
            ("/api/timeseries/", week),
            ("/api/points/", vec![user]),
            (&*self.session, Vec::new()),
        ]
    }
}

fn with<'a>(parameters: &Pairs<'a>, more: &Pairs<'a>) -> Vec<(&'a str, &'a str)> {
    [parameters, more].concat()
}

async fn a_parameter_selects_the_format(backend: Backend) {
    let case = Case::new(backend).await;
    for (path, parameters) in case.paths() {
        for (format, media_type) in FORMATS {
            let response = get(&case.app, path, &with(&parameters, &[("format", format)])).await;
            assert_eq!(
                response.status.as_u16(),
                200,
                "{path} {format}: {}",
                response.text
            );
            let sent = header(&response, "content-type");
            assert!(sent.starts_with(media_type), "{path} {format}: {sent}");
        }
        let response = get(&case.app, path, &parameters).await;
        assert!(
            header(&response, "content-type").starts_with("application/json"),
            "JSON is the default of {path}"
        );
    }
}

async fn the_accept_header_selects_the_format(backend: Backend) {
    let case = Case::new(backend).await;
    for (path, parameters) in case.paths() {
        for (_, media_type) in FORMATS {
            let response = get_with(&case.app, path, &parameters, &[("accept", media_type)]).await;
            assert_eq!(
                response.status.as_u16(),
                200,
                "{path} {media_type}: {}",
                response.text
            );
            let sent = header(&response, "content-type");
            assert!(sent.starts_with(media_type), "{path} {media_type}: {sent}");
        }
    }
}

async fn the_parameter_overrides_the_header(backend: Backend) {
    let case = Case::new(backend).await;
    for (path, parameters) in case.paths() {
        let csv = with(&parameters, &[("format", "csv")]);
        let response = get_with(&case.app, path, &csv, &[("accept", "application/json")])
            .await
            .expect(200);
        assert!(
            header(&response, "content-type").starts_with("text/csv"),
            "{path}"
        );
    }
}

async fn every_media_type_is_read_as_json(backend: Backend) {
    let case = Case::new(backend).await;
    for (path, parameters) in case.paths() {
        for accept in [
            "*/*",
            "application/*",
            "text/html, */*;q=0.1",
            "APPLICATION/JSON",
            "text/html,application/json",
        ] {
            let response = get_with(&case.app, path, &parameters, &[("accept", accept)]).await;
            assert_eq!(
                response.status.as_u16(),
                200,
                "{path} {accept}: {}",
                response.text
            );
            assert!(
                header(&response, "content-type").starts_with("application/json"),
                "{path} {accept}"
            );
        }
    }
}

async fn quality_values_decide_between_formats(backend: Backend) {
    let case = Case::new(backend).await;
    let cases = [
        ("text/csv;q=0.5, application/json", "application/json"),
        ("application/json;q=0.1, text/csv", "text/csv"),
        (
            "application/x-ndjson;q=0.9, text/csv;q=0.8, image/png",
            "application/x-ndjson",
        ),
    ];
    for (path, parameters) in case.paths() {
        for (accept, media_type) in cases {
            let response = get_with(&case.app, path, &parameters, &[("accept", accept)])
                .await
                .expect(200);
            let sent = header(&response, "content-type");
            assert!(
                sent.starts_with(media_type),
                "RFC 9110, 12.5.1: {path} {accept}: {sent}"
            );
        }
    }
}

async fn an_unsupported_format_is_not_acceptable(backend: Backend) {
    let case = Case::new(backend).await;
    for (path, parameters) in case.paths() {
        for accept in ["text/html", "application/xml, image/*", "application/jsonx"] {
            let response = get_with(&case.app, path, &parameters, &[("accept", accept)]).await;
            assert_eq!(
                response.status.as_u16(),
                406,
                "{path} {accept}: {}",
                response.text
            );
            assert_problem(&response, 406, "not_acceptable");
            assert!(
                response.text.contains("text/csv"),
                "the message lists the formats: {}",
                response.text
            );
        }
    }
}

async fn latest_and_catalog_support_text_formats_only(backend: Backend) {
    let case = Case::new(backend).await;
    let user = ("user_id", &*case.user);
    for path in ["/api/latest/", "/api/catalog/"] {
        for (format, media_type) in &FORMATS[..3] {
            let by_parameter = get(&case.app, path, &[user, ("format", format)])
                .await
                .expect(200);
            let by_header = get_with(&case.app, path, &[user], &[("accept", media_type)])
                .await
                .expect(200);
            for response in [by_parameter, by_header] {
                let sent = header(&response, "content-type");
                assert!(sent.starts_with(media_type), "{path} {format}: {sent}");
                assert!(
                    response.text.contains("session.gut_health_score"),
                    "{path} {format}: {}",
                    response.text
                );
            }
        }
        for (format, media_type) in &FORMATS[3..] {
            let response = get(&case.app, path, &[user, ("format", format)]).await;
            assert_problem(&response, 422, "invalid_parameters");
            assert!(
                response.faults()[0].starts_with("format "),
                "{}",
                response.text
            );
            let response = get_with(&case.app, path, &[user], &[("accept", media_type)]).await;
            assert_problem(&response, 406, "not_acceptable");
        }
    }
}

async fn a_problem_is_json_in_every_format(backend: Backend) {
    let case = Case::new(backend).await;
    for (format, media_type) in FORMATS {
        let query = [
            ("user_id", &*case.user),
            ("format", format),
            ("interval", "fortnight"),
        ];
        assert_problem(
            &get(&case.app, "/api/timeseries/", &query).await,
            422,
            "invalid_parameters",
        );
        let query = [("user_id", &*case.user), ("order", "sideways")];
        let response = get_with(&case.app, "/api/points/", &query, &[("accept", media_type)]).await;
        assert_problem(&response, 422, "invalid_parameters");
        let strange = format!("/api/sessions/{}/points/", Uuid::new_v4());
        assert_problem(
            &get(&case.app, &strange, &[("format", format)]).await,
            404,
            "session_not_found",
        );
    }
}

async fn every_text_format_has_the_same_rows(backend: Backend) {
    let case = Case::new(backend).await;
    for (path, parameters) in case.paths() {
        let rows = results(
            &get(&case.app, path, &with(&parameters, &[("shape", "flat")]))
                .await
                .expect(200),
        );
        let lines = get(
            &case.app,
            path,
            &with(&parameters, &[("shape", "flat"), ("format", "ndjson")]),
        )
        .await;
        let (lines, end) = crate::queries::support::ndjson(&lines.expect(200).text);
        assert_eq!(rows, lines, "{path}");
        assert_eq!(end["count"], json!(rows.len()), "{path}");
        let table = get(&case.app, path, &with(&parameters, &[("format", "csv")]))
            .await
            .expect(200);
        let (columns, records, _) = crate::queries::support::csv_table(&table.text);
        assert_eq!(records.len(), rows.len(), "{path}");
        let members: Vec<_> = rows[0]
            .as_object()
            .expect("an object")
            .keys()
            .cloned()
            .collect();
        assert!(
            members.iter().all(|member| columns.contains(member)),
            "{path}: {members:?} are in {columns:?}"
        );
    }
}
