//! Invalid parameters of points, latest and catalog: each is named, with the valid values.

use time_series_testkit::{Backend, TestApp};
use uuid::Uuid;

use crate::common::{START, assert_problem, score, store};
use crate::on_both_servers;
use crate::queries::parameters::assert_named;
use crate::queries::support::{Pairs, at, get, metadata, points};

on_both_servers![
    an_invalid_parameter_is_named,
    an_invalid_parameter_of_session_points_is_named,
    downsampled_points_are_not_paginated,
    unknown_and_repeated_parameters_are_rejected,
    an_empty_or_reversed_range_is_rejected,
    an_unknown_series_is_named_with_similar_ones,
    invalid_parameters_of_latest_and_catalog_are_named,
];

const WRONG: [(&str, &[&str], &[&str]); 13] = [
    (
        "order",
        &["", "sideways", "ASC,desc", "ascending"],
        &["asc", "desc"],
    ),
    (
        "limit",
        &["", "0", "-1", "1.5", "x", "100001", "99999999999999999999"],
        &["100000"],
    ),
    ("cursor", &["", "x", "AAAA"], &[]),
    (
        "max_points",
        &["", "2", "0", "-3", "x", "100001", "3.5"],
        &["3", "100000"],
    ),
    ("method", &["", "best", "LTTB,minmax"], &["lttb", "minmax"]),
    (
        "format",
        &["", "xml", "json,csv"],
        &["json", "csv", "ndjson", "arrow", "parquet"],
    ),
    ("shape", &["", "round"], &["nested", "flat"]),
    ("where", &["", "value>", "value>>1", "=3", "r<abc"], &[]),
    ("min_version", &["", "-1", "x"], &[]),
    ("start_time", &["", "yesterday", "2025-02-30"], &[]),
    (
        "end_time",
        &["", "now-1", "1735689600", "2025-06-01T00:00:00"],
        &[],
    ),
    ("series_mode", &["", "fuzzy"], &["exact", "glob", "regex"]),
    ("series", &["(", "[a-"], &[]),
];

async fn an_invalid_parameter_is_named(backend: Backend) {
    let app = TestApp::seeded(backend).await;
    let user = Uuid::new_v4();
    for (parameter, values, words) in WRONG {
        for value in values {
            let mut query = vec![(parameter, *value)];
            if parameter == "method" {
                query.push(("max_points", "10"));
            }
            let response = points(&app, user, &query).await;
            assert_named(&response, &[parameter], words, &format!("{query:?}"));
        }
    }
    for value in ["", "mine", "5a8c9f42"] {
        assert_named(
            &points(&app, user, &[("session_id", value)]).await,
            &["session_id"],
            &[],
            value,
        );
        assert_named(
            &get(&app, "/api/points/", &[("user_id", value)]).await,
            &["user_id"],
            &[],
            value,
        );
    }
    assert_named(
        &get(&app, "/api/points/", &[]).await,
        &["user_id"],
        &[],
        "no user",
    );
}

async fn an_invalid_parameter_of_session_points_is_named(backend: Backend) {
    let app = TestApp::seeded(backend).await;
    let id = store(&app, Uuid::new_v4(), START, &[score(START, 1.0)]).await;
    let path = format!("/api/sessions/{id}/points/");
    for (parameter, values, words) in WRONG {
        for value in values {
            let mut query = vec![(parameter, *value)];
            if parameter == "method" {
                query.push(("max_points", "10"));
            }
            assert_named(
                &get(&app, &path, &query).await,
                &[parameter],
                words,
                &format!("{query:?}"),
            );
        }
    }
    assert_named(
        &get(&app, &path, &[("user_id", "me")]).await,
        &["user_id"],
        &[],
        "me",
    );
}

async fn downsampled_points_are_not_paginated(backend: Backend) {
    let app = TestApp::seeded(backend).await;
    let user = Uuid::new_v4();
    let data: Vec<_> = (0..10).map(|i| score(&at(i), 1.0)).collect();
    let _ = store(&app, user, START, &data).await;
    let cursor =
        metadata(&points(&app, user, &[("limit", "2")]).await.expect(200))["next_cursor"].clone();
    let cursor = cursor.as_str().expect("a next page");
    let most = ("max_points", "5");
    for (name, value) in [("limit", "5"), ("cursor", cursor), ("order", "desc")] {
        let response = points(&app, user, &[most, (name, value)]).await;
        assert_named(&response, &["max_points", name], &["max_points"], name);
    }
    let _ = points(&app, user, &[most, ("order", "asc")])
        .await
        .expect(200);
}

async fn unknown_and_repeated_parameters_are_rejected(backend: Backend) {
    let app = TestApp::seeded(backend).await;
    let user = Uuid::new_v4();
    for name in ["Order", "interval", "agg_func", "fill", "tz", "x"] {
        assert_named(
            &points(&app, user, &[(name, "day")]).await,
            &[name],
            &[],
            name,
        );
    }
    for pair in [
        ("order", "asc"),
        ("limit", "5"),
        ("max_points", "5"),
        ("format", "csv"),
        ("where", "value>1"),
    ] {
        assert_named(
            &points(&app, user, &[pair, pair]).await,
            &[pair.0],
            &[],
            pair.0,
        );
    }
    let user = user.to_string();
    for path in ["/api/latest/", "/api/catalog/"] {
        for name in ["start_time", "limit", "where", "order", "x"] {
            let response = get(&app, path, &[("user_id", &*user), (name, "1")]).await;
            assert_named(&response, &[name], &[], &format!("{path} {name}"));
        }
    }
}

async fn an_empty_or_reversed_range_is_rejected(backend: Backend) {
    let app = TestApp::seeded(backend).await;
    for (start, end) in [
        ("2025-01-02", "2025-01-01"),
        ("2025-01-02", "2025-01-02T01:00:00+01:00"),
    ] {
        let response = points(
            &app,
            Uuid::new_v4(),
            &[("start_time", start), ("end_time", end)],
        )
        .await;
        assert_named(&response, &["start_time", "end_time"], &[], start);
    }
}

async fn an_unknown_series_is_named_with_similar_ones(backend: Backend) {
    let app = TestApp::seeded(backend).await;
    let user = Uuid::new_v4().to_string();
    for path in ["/api/points/", "/api/latest/", "/api/catalog/"] {
        let response = get(
            &app,
            path,
            &[("user_id", &*user), ("series", "session.urine.colour")],
        )
        .await;
        assert_named(&response, &["series"], &["session.urine.color"], path);
        let _ = get(&app, path, &[("user_id", &*user), ("series", "sleep.*")])
            .await
            .expect(200);
    }
}

async fn invalid_parameters_of_latest_and_catalog_are_named(backend: Backend) {
    let app = TestApp::seeded(backend).await;
    let user = Uuid::new_v4().to_string();
    let wrong: [(&str, &[&str], &[&str]); 4] = [
        (
            "format",
            &["", "xml", "arrow", "parquet"],
            &["json", "csv", "ndjson"],
        ),
        ("min_version", &["", "-1", "x"], &[]),
        ("series_mode", &["", "fuzzy"], &["exact", "glob", "regex"]),
        ("series", &["("], &[]),
    ];
    for path in ["/api/latest/", "/api/catalog/"] {
        for (parameter, values, words) in wrong {
            for value in values {
                let query: &Pairs = &[("user_id", &*user), (parameter, value)];
                assert_named(
                    &get(&app, path, query).await,
                    &[parameter],
                    words,
                    &format!("{path} {query:?}"),
                );
            }
        }
        assert_problem(&get(&app, path, &[]).await, 422, "invalid_parameters");
        assert_named(
            &get(&app, path, &[("user_id", "me")]).await,
            &["user_id"],
            &[],
            path,
        );
    }
}
