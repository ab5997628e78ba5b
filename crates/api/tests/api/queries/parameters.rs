//! Invalid parameters of the aggregate query: each is named, with the valid values.

use serde_json::json;
use time_series_testkit::{Backend, Response, TestApp};
use uuid::Uuid;

use crate::common::{SCORE, START, assert_problem, assert_rows, score, store};
use crate::on_both_servers;
use crate::queries::JANUARY;
use crate::queries::support::{Pairs, get, january};

on_both_servers![
    an_invalid_keyword_is_named_with_the_valid_ones,
    an_invalid_number_is_named,
    an_invalid_condition_is_named,
    parameters_that_exclude_each_other_are_named,
    an_unknown_function_is_named,
    a_repeated_parameter_is_rejected,
    all_faults_are_reported_together,
    valid_spellings_are_accepted,
];

/// Checks a rejection that names this parameter and whose message contains all the words.
#[track_caller]
pub(crate) fn assert_named(response: &Response, parameters: &[&str], words: &[&str], label: &str) {
    assert_eq!(response.status.as_u16(), 422, "{label}: {}", response.text);
    assert_problem(response, 422, "invalid_parameters");
    let faults = response.faults();
    let named = |fault: &String| {
        parameters
            .iter()
            .any(|name| fault.starts_with(&format!("{name} ")))
    };
    assert!(
        !faults.is_empty() && faults.iter().all(named),
        "{label} must name {parameters:?}: {}",
        response.text
    );
    for error in response.json()["errors"].as_array().expect("errors") {
        let message = error["message"].as_str().unwrap_or_default();
        assert!(
            message.len() > 10,
            "{label} must list the valid values: {message:?}"
        );
        assert!(
            words.iter().all(|word| message.contains(word)),
            "{label} must contain {words:?}: {message:?}"
        );
    }
}

async fn rejected(app: &TestApp, parameters: &Pairs<'_>, named: &[&str], words: &[&str]) {
    let user = Uuid::new_v4().to_string();
    let all = [&[("user_id", &*user)], &JANUARY[..], parameters].concat();
    let response = get(app, "/api/timeseries/", &all).await;
    assert_named(&response, named, words, &format!("{parameters:?}"));
}

async fn an_invalid_keyword_is_named_with_the_valid_ones(backend: Backend) {
    let app = TestApp::seeded(backend).await;
    let wrong: [(&str, &[&str], &[&str]); 9] = [
        (
            "fill",
            &["", "forward", "0", "NULL,zero"],
            &["none", "null", "zero", "previous", "linear"],
        ),
        (
            "align",
            &["", "start", "sessions"],
            &["calendar", "session"],
        ),
        (
            "group_by",
            &["", "nonsense", "series", "session,user"],
            &["session", "user"],
        ),
        ("accuracy", &["", "maybe", "0.99"], &["exact", "approx"]),
        ("explain", &["", "maybe", "2"], &["true"]),
        (
            "format",
            &["", "xml", "xlsx", "json,csv"],
            &["json", "csv", "ndjson", "arrow", "parquet"],
        ),
        ("shape", &["", "round", "columns"], &["nested", "flat"]),
        ("layout", &["", "diagonal", "flat"], &["rows", "columns"]),
        (
            "over",
            &["", "time_avg", "average", "median,", "median,time_avg"],
            &[],
        ),
    ];
    for (parameter, values, words) in wrong {
        for value in values {
            rejected(
                &app,
                &[(parameter, value), ("interval", "day")],
                &[parameter],
                words,
            )
            .await;
        }
    }
}

async fn an_invalid_number_is_named(backend: Backend) {
    let app = TestApp::seeded(backend).await;
    for value in ["", "-1", "1.5", "x", "99999999999999999999999"] {
        rejected(&app, &[("min_version", value)], &["min_version"], &[]).await;
    }
    for value in [
        "",
        "7",
        "-7d",
        "0d",
        "1mo",
        "1y",
        "7 days or so",
        "1.5h",
        "99999999999999999999w",
    ] {
        let query = [
            ("fill", "previous"),
            ("fill_lookback", value),
            ("interval", "day"),
        ];
        rejected(&app, &query, &["fill_lookback"], &[]).await;
    }
}

async fn an_invalid_condition_is_named(backend: Backend) {
    let app = TestApp::seeded(backend).await;
    let wrong = [
        "",
        "value",
        "value>",
        "value>>1",
        "value=>1",
        "=3",
        "3",
        "r<abc",
        "r<",
        "value=1,",
        ",value=1",
        "value=1,,r=2",
        "value==1",
        "value<>1",
        "value~1",
        "value>NaN",
        "value<inf",
        "value=1;r=2",
        "value>1 or r=2",
        "value>1e999",
        "value>'1'",
        "value in 1",
    ];
    for condition in wrong {
        rejected(&app, &[("where", condition)], &["where"], &[]).await;
    }
}

async fn parameters_that_exclude_each_other_are_named(backend: Backend) {
    let app = TestApp::seeded(backend).await;
    let axis = ("align", "session");
    let minutes = ("interval", "5m");
    let lookback = ("fill_lookback", "7d");
    rejected(&app, &[lookback], &["fill_lookback", "fill"], &["fill"]).await;
    rejected(
        &app,
        &[lookback, ("fill", "none")],
        &["fill_lookback", "fill"],
        &["fill"],
    )
    .await;
    rejected(&app, &[axis], &["align", "interval"], &["interval"]).await;
    rejected(
        &app,
        &[axis, minutes, ("tz", "Europe/Berlin")],
        &["align", "tz"],
        &["tz"],
    )
    .await;
    rejected(
        &app,
        &[axis, minutes, ("week_start", "sunday")],
        &["align", "week_start"],
        &["week_start"],
    )
    .await;
    for interval in ["day", "1d", "week", "2w", "month", "quarter", "year", "all"] {
        rejected(
            &app,
            &[axis, ("interval", interval)],
            &["align", "interval"],
            &["interval"],
        )
        .await;
    }
    let filled = [axis, minutes, ("fill", "previous"), lookback];
    rejected(
        &app,
        &filled,
        &["align", "fill_lookback"],
        &["fill_lookback"],
    )
    .await;
}

async fn an_unknown_function_is_named(backend: Backend) {
    let app = TestApp::seeded(backend).await;
    for function in [
        "p101",
        "p-1",
        "p9x",
        "p",
        "p100.1",
        "pp90",
        "p9,9",
        "percentile",
        "time-avg",
        "avg,p101",
        "mode2",
    ] {
        rejected(&app, &[("agg_func", function)], &["agg_func"], &[]).await;
        rejected(
            &app,
            &[("over", function), ("interval", "day")],
            &["over"],
            &[],
        )
        .await;
    }
}

async fn a_repeated_parameter_is_rejected(backend: Backend) {
    let app = TestApp::seeded(backend).await;
    let twice = [
        ("fill", "null"),
        ("align", "calendar"),
        ("group_by", "user"),
        ("where", "value>1"),
        ("format", "json"),
        ("shape", "flat"),
        ("layout", "rows"),
        ("accuracy", "exact"),
        ("explain", "true"),
        ("min_version", "0"),
    ];
    for pair in twice {
        rejected(&app, &[pair, pair, ("interval", "day")], &[pair.0], &[]).await;
    }
}

async fn all_faults_are_reported_together(backend: Backend) {
    let app = TestApp::seeded(backend).await;
    let names = [
        "accuracy",
        "agg_func",
        "align",
        "explain",
        "fill",
        "format",
        "group_by",
        "layout",
        "min_version",
        "over",
    ];
    let names = names.into_iter().chain(["shape", "where"]);
    let pairs: Vec<_> = names.clone().map(|name| (name, "%")).collect();
    let user = Uuid::new_v4().to_string();
    let response = get(
        &app,
        "/api/timeseries/",
        &[&[("user_id", &*user)], pairs.as_slice()].concat(),
    )
    .await;
    assert_problem(&response, 422, "invalid_parameters");
    let mut actual: Vec<_> = response
        .faults()
        .iter()
        .map(|fault| fault.split(' ').next().unwrap_or_default().to_owned())
        .collect();
    actual.sort();
    assert_eq!(actual, names.collect::<Vec<_>>(), "{}", response.text);
}

async fn valid_spellings_are_accepted(backend: Backend) {
    let app = TestApp::seeded(backend).await;
    let user = Uuid::new_v4();
    let _ = store(&app, user, START, &[score(START, 2.0)]).await;
    let good: [(&str, &[&str]); 9] = [
        (
            "agg_func",
            &[
                "median", "p0", "p100", "p99.9", "p5.25", "mode", "distinct", "range", "time_avg",
            ],
        ),
        (
            "over",
            &[
                "avg", "min", "max", "count", "sum", "first", "last", "median", "p90", "mode",
                "distinct", "range",
            ],
        ),
        (
            "where",
            &[
                "value=2",
                "value != 3",
                " value<1e2 ",
                "value>=-2.5,value<=2",
                "value > 0 , value < 3",
            ],
        ),
        ("group_by", &["session", "user"]),
        ("align", &["calendar"]),
        ("accuracy", &["exact", "approx"]),
        ("explain", &["true", "false"]),
        ("min_version", &["0", "1"]),
        ("fill", &["none"]),
    ];
    for (parameter, values) in good {
        for value in values {
            let response = january(&app, user, &[(parameter, value), ("interval", "month")]).await;
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
    for lookback in ["30s", "30m", "90min", "12h", "7d", "2w"] {
        let query = [
            ("fill", "previous"),
            ("fill_lookback", lookback),
            ("interval", "month"),
        ];
        let _ = january(&app, user, &query).await.expect(200);
    }
    let query = [("agg_func", "p99.90,median,p50.0"), ("interval", "month")];
    let expected = json!({"p99.9": 2, "median": 2, "p50": 2});
    assert_rows(
        &january(&app, user, &query).await,
        &[(START, SCORE, expected)],
    );
}
