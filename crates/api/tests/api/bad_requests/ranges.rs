//! Time ranges of queries: empty, reversed or too long.

use time_series_testkit::{Backend, TestApp};
use uuid::Uuid;

use crate::common::{START, assert_problem, assert_rows, get_timeseries, score, store};
use crate::on_both_servers;

on_both_servers![
    an_empty_or_reversed_range_is_rejected,
    a_year_by_the_minute_is_accepted_for_few_points,
    a_range_of_all_times_succeeds_or_is_rejected,
];

async fn an_empty_or_reversed_range_is_rejected(backend: Backend) {
    let app = TestApp::seeded(backend).await;
    let user = Uuid::new_v4();
    let ranges = [
        ("2025-01-02T00:00:00Z", "2025-01-02T00:00:00Z"),
        ("2025-01-02", "2025-01-01"),
        ("2025-01-02", "2025-01-02"),
        ("2025-01-01T00:00:00Z", "2025-01-01T01:00:00+02:00"),
    ];
    for (start, end) in ranges {
        let response =
            get_timeseries(&app, user, &[("start_time", start), ("end_time", end)]).await;
        assert_problem(&response, 422, "invalid_parameters");
        let named = response
            .faults()
            .iter()
            .any(|f| f.starts_with("start_time ") || f.starts_with("end_time "));
        assert!(named, "{}", response.text);
    }
    // The default end is now.
    assert_problem(
        &get_timeseries(&app, user, &[("start_time", "2200-01-01")]).await,
        422,
        "invalid_parameters",
    );
}

async fn a_year_by_the_minute_is_accepted_for_few_points(backend: Backend) {
    let app = TestApp::seeded(backend).await;
    let user = Uuid::new_v4();
    let _ = store(
        &app,
        user,
        START,
        &[score(START, 1.0), score("2025-01-31T23:59:59Z", 2.0)],
    )
    .await;
    let year = [
        ("start_time", "2024-06-01"),
        ("end_time", "2025-06-01"),
        ("interval", "min"),
        ("agg_func", "sum"),
    ];
    let series = crate::common::SCORE;
    let expected = [
        (START, series, serde_json::json!(1)),
        ("2025-01-31T23:59:00Z", series, serde_json::json!(2)),
    ];
    assert_rows(&get_timeseries(&app, user, &year).await, &expected);
}

async fn a_range_of_all_times_succeeds_or_is_rejected(backend: Backend) {
    let app = TestApp::seeded(backend).await;
    let user = Uuid::new_v4();
    let _ = store(&app, user, START, &[score(START, 1.0)]).await;
    for (start, end) in [
        ("0001-01-01", "9999-12-31"),
        ("0000-01-01T00:00:00Z", "9999-12-31T23:59:59Z"),
        ("9999-12-31", "9999-12-31T23:59:59Z"),
    ] {
        for interval in [
            "30s",
            "min",
            "week",
            "year",
            "9999y",
            "4294967295d",
            "9223372036854775807s",
            "all",
        ] {
            for tz in ["UTC", "Pacific/Kiritimati", "Pacific/Pago_Pago"] {
                let request_parameters = [
                    ("start_time", start),
                    ("end_time", end),
                    ("interval", interval),
                    ("tz", tz),
                ];
                let response = get_timeseries(&app, user, &request_parameters).await;
                match response.status.as_u16() {
                    200 => assert_eq!(
                        response.json()["results"].as_array().map(Vec::len),
                        Some(usize::from(start < "9")),
                        "{request_parameters:?}"
                    ),
                    _ => assert_problem(&response, 422, "invalid_parameters"),
                }
            }
        }
    }
}
