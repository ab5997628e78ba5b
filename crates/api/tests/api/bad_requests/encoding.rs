//! The encoding of query parameters: valid and invalid spellings.

use time_series_testkit::{Backend, TestApp};
use uuid::Uuid;

use super::parameters::assert_names;
use crate::common::{START, assert_problem, get_timeseries, score, store};
use crate::on_both_servers;

on_both_servers![
    invalid_percent_encoding_is_rejected,
    a_series_that_is_not_a_text_is_rejected,
    every_spelling_of_a_valid_parameter_is_accepted,
];

async fn invalid_percent_encoding_is_rejected(backend: Backend) {
    let app = TestApp::seeded(backend).await;
    // A plus is a space; bytes that are not UTF-8 are rejected.
    assert_names(
        &app.timeseries(Uuid::new_v4(), "start_time=2025-01-01T00:00:00+01:00")
            .await,
        "start_time",
    );
    let bad = ["tz=%C3%28", "%FF=1", "interval=%FF", "tz=%00"];
    for query in bad {
        let response = app.timeseries(Uuid::new_v4(), query).await;
        assert!(
            matches!(response.status.as_u16(), 400 | 422),
            "{query}: {} {}",
            response.status,
            response.text
        );
        assert_problem(&response, response.status.as_u16(), &response.code());
    }
}

async fn a_series_that_is_not_a_text_is_rejected(backend: Backend) {
    let app = TestApp::seeded(backend).await;
    for query in ["series=%FF", "series=session.*%C3"] {
        let response = app.timeseries(Uuid::new_v4(), query).await;
        assert!(
            matches!(response.status.as_u16(), 400 | 422),
            "{query}: {} {}",
            response.status,
            response.text
        );
        assert_problem(&response, response.status.as_u16(), &response.code());
    }
    // U+0000 is text: an expression that matches no name, or a rejection, but never a failure.
    assert!(
        !app.timeseries(Uuid::new_v4(), "series=%00")
            .await
            .status
            .is_server_error()
    );
}

async fn every_spelling_of_a_valid_parameter_is_accepted(backend: Backend) {
    let app = TestApp::seeded(backend).await;
    let user = Uuid::new_v4();
    let _ = store(&app, user, START, &[score(START, 1.0)]).await;
    let good: [(&str, &[&str]); 5] = [
        (
            "interval",
            &[
                "min", "minute", "hour", "day", "week", "month", "quarter", "year", "30s", "15m",
                "6h", "1d", "2w", "3mo", "1y", "all",
            ],
        ),
        (
            "tz",
            &["UTC", "Europe/Berlin", "Asia/Kathmandu", "America/New_York"],
        ),
        (
            "week_start",
            &[
                "monday",
                "tuesday",
                "wednesday",
                "thursday",
                "friday",
                "saturday",
                "sunday",
            ],
        ),
        (
            "agg_func",
            &[
                "avg",
                "min",
                "max",
                "count",
                "sum",
                "first",
                "last",
                "stddev",
                "avg,min,max,count,sum,first,last,stddev",
            ],
        ),
        ("series_mode", &["exact", "glob", "regex"]),
    ];
    for (parameter, values) in good {
        for value in values {
            let range = [
                ("start_time", "2024-12-30"),
                ("end_time", "2025-01-06T00:00:00+00:00"),
                ("series", "session.gut_health_score"),
            ];
            let response = get_timeseries(
                &app,
                user,
                &[range.as_slice(), &[(parameter, value)]].concat(),
            )
            .await;
            assert_eq!(
                response.status.as_u16(),
                200,
                "{parameter}={value}: {}",
                response.text
            );
            assert_eq!(
                response.metadata().count,
                1,
                "{parameter}={value}: {}",
                response.text
            );
        }
    }
}
