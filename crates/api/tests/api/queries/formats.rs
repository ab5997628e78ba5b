//! Which form an answer has: by parameter, by header, and what no form meets.

use serde_json::json;
use time_series_testkit::{Backend, TestApp};
use uuid::Uuid;

use crate::common::{START, assert_problem, results, score, store};
use crate::on_both_servers;
use crate::queries::JANUARY;
use crate::queries::support::{Pairs, get, get_with, header};

on_both_servers![
    a_parameter_chooses_the_form,
    the_accept_header_chooses_the_form,
    the_parameter_counts_more_than_the_header,
    any_media_type_is_json,
    quality_decides_among_several,
    what_no_form_meets_is_not_acceptable,
    latest_and_catalog_have_the_text_forms_only,
    a_problem_is_json_whatever_was_asked,
    the_same_rows_in_every_text_form,
];

/// Each form and its media type.
const FORMS: [(&str, &str); 5] = [
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

    /// The paths that answer in all forms, with what they need.
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

async fn a_parameter_chooses_the_form(backend: Backend) {
    let case = Case::new(backend).await;
    for (path, parameters) in case.paths() {
        for (form, media_type) in FORMS {
            let answer = get(&case.app, path, &with(&parameters, &[("format", form)])).await;
            assert_eq!(
                answer.status.as_u16(),
                200,
                "{path} {form}: {}",
                answer.text
            );
            let sent = header(&answer, "content-type");
            assert!(sent.starts_with(media_type), "{path} {form}: {sent}");
        }
        let answer = get(&case.app, path, &parameters).await;
        assert!(
            header(&answer, "content-type").starts_with("application/json"),
            "JSON is the default of {path}"
        );
    }
}

async fn the_accept_header_chooses_the_form(backend: Backend) {
    let case = Case::new(backend).await;
    for (path, parameters) in case.paths() {
        for (_, media_type) in FORMS {
            let answer = get_with(&case.app, path, &parameters, &[("accept", media_type)]).await;
            assert_eq!(
                answer.status.as_u16(),
                200,
                "{path} {media_type}: {}",
                answer.text
            );
            let sent = header(&answer, "content-type");
            assert!(sent.starts_with(media_type), "{path} {media_type}: {sent}");
        }
    }
}

async fn the_parameter_counts_more_than_the_header(backend: Backend) {
    let case = Case::new(backend).await;
    for (path, parameters) in case.paths() {
        let csv = with(&parameters, &[("format", "csv")]);
        let answer = get_with(&case.app, path, &csv, &[("accept", "application/json")])
            .await
            .expect(200);
        assert!(
            header(&answer, "content-type").starts_with("text/csv"),
            "{path}"
        );
    }
}

async fn any_media_type_is_json(backend: Backend) {
    let case = Case::new(backend).await;
    for (path, parameters) in case.paths() {
        for accept in [
            "*/*",
            "application/*",
            "text/html, */*;q=0.1",
            "APPLICATION/JSON",
            "text/html,application/json",
        ] {
            let answer = get_with(&case.app, path, &parameters, &[("accept", accept)]).await;
            assert_eq!(
                answer.status.as_u16(),
                200,
                "{path} {accept}: {}",
                answer.text
            );
            assert!(
                header(&answer, "content-type").starts_with("application/json"),
                "{path} {accept}"
            );
        }
    }
}

async fn quality_decides_among_several(backend: Backend) {
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
            let answer = get_with(&case.app, path, &parameters, &[("accept", accept)])
                .await
                .expect(200);
            let sent = header(&answer, "content-type");
            assert!(
                sent.starts_with(media_type),
                "RFC 9110, 12.5.1: {path} {accept}: {sent}"
            );
        }
    }
}

async fn what_no_form_meets_is_not_acceptable(backend: Backend) {
    let case = Case::new(backend).await;
    for (path, parameters) in case.paths() {
        for accept in ["text/html", "application/xml, image/*", "application/jsonx"] {
            let answer = get_with(&case.app, path, &parameters, &[("accept", accept)]).await;
            assert_eq!(
                answer.status.as_u16(),
                406,
                "{path} {accept}: {}",
                answer.text
            );
            assert_problem(&answer, 406, "not_acceptable");
            assert!(
                answer.text.contains("text/csv"),
                "it says what there is: {}",
                answer.text
            );
        }
    }
}

async fn latest_and_catalog_have_the_text_forms_only(backend: Backend) {
    let case = Case::new(backend).await;
    let user = ("user_id", &*case.user);
    for path in ["/api/latest/", "/api/catalog/"] {
        for (form, media_type) in &FORMS[..3] {
            let by_parameter = get(&case.app, path, &[user, ("format", form)])
                .await
                .expect(200);
            let by_header = get_with(&case.app, path, &[user], &[("accept", media_type)])
                .await
                .expect(200);
            for answer in [by_parameter, by_header] {
                let sent = header(&answer, "content-type");
                assert!(sent.starts_with(media_type), "{path} {form}: {sent}");
                assert!(
                    answer.text.contains("session.gut_health_score"),
                    "{path} {form}: {}",
                    answer.text
                );
            }
        }
        for (form, media_type) in &FORMS[3..] {
            let answer = get(&case.app, path, &[user, ("format", form)]).await;
            assert_problem(&answer, 422, "invalid_parameters");
            assert!(answer.faults()[0].starts_with("format "), "{}", answer.text);
            let answer = get_with(&case.app, path, &[user], &[("accept", media_type)]).await;
            assert_problem(&answer, 406, "not_acceptable");
        }
    }
}

async fn a_problem_is_json_whatever_was_asked(backend: Backend) {
    let case = Case::new(backend).await;
    for (form, media_type) in FORMS {
        let asked = [
            ("user_id", &*case.user),
            ("format", form),
            ("interval", "fortnight"),
        ];
        assert_problem(
            &get(&case.app, "/api/timeseries/", &asked).await,
            422,
            "invalid_parameters",
        );
        let asked = [("user_id", &*case.user), ("order", "sideways")];
        let answer = get_with(&case.app, "/api/points/", &asked, &[("accept", media_type)]).await;
        assert_problem(&answer, 422, "invalid_parameters");
        let strange = format!("/api/sessions/{}/points/", Uuid::new_v4());
        assert_problem(
            &get(&case.app, &strange, &[("format", form)]).await,
            404,
            "session_not_found",
        );
    }
}

async fn the_same_rows_in_every_text_form(backend: Backend) {
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
