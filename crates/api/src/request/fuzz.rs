//! Fuzzing of query strings: no query string panics, and the size of errors is bounded.

use proptest::prelude::*;
use proptest::sample::select;
use serde_json::Value;
use time_series_testkit::fuzz;

use super::FromQuery;
use super::query_string::{names, read};
use crate::problem::Problem;

/// Maximum number of errors that a problem lists.
const MAX_ERRORS: usize = 100;
/// Maximum bytes of a problem, apart from repetitions of the query string.
const PROBLEM_BYTES: usize = 128 << 10;
/// Maximum repetitions of the query string in a problem: as a name or value, in a message, in
/// `detail`, escaped for JSON.
const REPEATS: usize = 64;

/// Valid and nearly valid values of parameters.
const VALUES: &[&str] = &[
    "",
    ",",
    "0",
    "-1",
    "3",
    "18446744073709551615",
    "18446744073709551616",
    "true",
    "d38834e0-fe46-4bf9-831d-1d5b125bdc9b",
    "D38834E0FE464BF9831D1D5B125BDC9B,d38834e0-fe46-4bf9-831d-1d5b125bdc9b",
    "00000000-0000-0000-0000-000000000000",
    "a,b",
    "session.*",
    "^a{1,2}$",
    "(a{1000}){1000}",
    "[[:alpha:]",
    "\\",
    "exact",
    "glob",
    "regex",
    "min",
    "15m",
    "1s",
    "86401s",
    "4294967296s",
    "week",
    "3mo",
    "1000y",
    "all",
    "0001-01-01",
    "1969-12-31",
    "2025-02-30",
    "2025-01-01",
    "2025-03-09",
    "9999-12-31",
    "0001-01-01T00:00:00Z",
    "9999-12-31T23:59:59.999999Z",
    "9999-12-31T23:59:59-23:59",
    "0001-01-01T00:00:00+23:59",
    "2016-12-31T23:59:60Z",
    "2025-01-01T00:00:00.1234567Z",
    "avg,p99.9,time_avg,mode",
    "p100.0000000001",
    "median",
    "sum",
    "UTC",
    "Asia/Tokyo",
    "America/New_York",
    "Pacific/Apia",
    "Etc/Unknown",
    "../../etc/passwd",
    "sunday",
    "value>=20,pos.x!=-1e308",
    "value>1e999",
    "value>>1",
    "r<NaN",
    "session",
    "user",
    "calendar",
    "null",
    "zero",
    "previous",
    "linear",
    "7d",
    "4294967295w",
    "approx",
    "json",
    "csv",
    "ndjson",
    "arrow",
    "parquet",
    "flat",
    "nested",
    "columns",
    "rows",
    "asc",
    "desc",
    "lttb",
    "minmax",
    "replace",
    "append",
    "failed",
];

/// Checks that random query strings are parsed into parameters or into a bounded problem. `then`
/// processes the parameters further.
pub(crate) fn fuzz_query_strings<T: FromQuery>(then: impl Fn(T::Parsed) -> Result<(), Problem>) {
    fuzz(query_strings(names::<T>()), |query| {
        let outcome = read::<T>(&query).and_then(|parameters| then(parameters.0));
        if let Err(problem) = outcome {
            assert_bounded(&problem, &query);
        }
    });
}

#[track_caller]
fn assert_bounded(problem: &Problem, query: &str) {
    let body = serde_json::to_value(problem.body()).expect("a document");
    let status = body["status"].as_u64().expect("a status");
    assert!(
        (400..500).contains(&status),
        "{status} for {query:?}: {body}"
    );
    let errors = body["errors"].as_array().map_or(0, Vec::len);
    assert!(errors <= MAX_ERRORS, "{errors} errors for {query:?}");
    let bytes = body.to_string().len();
    assert!(
        bytes <= PROBLEM_BYTES + REPEATS * query.len(),
        "{bytes} bytes for the {} of {query:?}",
        query.len()
    );
    assert_ne!(body["detail"], Value::from(""), "the detail is not empty");
}

/// Query strings: known parameters with likely and unlikely values, and arbitrary bytes.
fn query_strings(names: Vec<&'static str>) -> impl Strategy<Value = String> {
    let name = if names.is_empty() {
        select(&["x"][..]).boxed()
    } else {
        select(names).boxed()
    };
    let name = prop_oneof![
        9 => name.prop_map(str::to_owned),
        1 => "[a-z_]{0,6}|\\PC{0,6}".prop_map(|text| escaped(text.as_bytes())),
    ];
    let value = prop_oneof![
        6 => select(VALUES).prop_map(|text| escaped(text.as_bytes())),
        1 => select(VALUES).prop_map(str::to_owned),
        1 => (select(VALUES), any::<prop::sample::Index>(), any::<u8>()).prop_map(|(text, at, byte)| {
            let mut bytes = text.as_bytes().to_vec();
            bytes.insert(at.index(bytes.len() + 1), byte);
            escaped(&bytes)
        }),
        1 => (select(VALUES), 1..3_000_usize).prop_map(|(text, times)| escaped(text.as_bytes()).repeat(times)),
        1 => prop::collection::vec(any::<u8>(), 0..20).prop_map(|bytes| escaped(&bytes)),
    ];
    let params = prop::collection::vec((name, value), 0..8);
    let joined = params.prop_map(|params| {
        let params: Vec<String> = params
            .into_iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        params.join("&")
    });
    prop_oneof![
        8 => joined,
        1 => prop::collection::vec(any::<u8>(), 0..200).prop_map(|bytes| String::from_utf8_lossy(&bytes).into_owned()),
        1 => (prop::collection::vec(any::<u8>(), 0..3), 1..1_000_usize)
            .prop_map(|(bytes, times)| format!("{}=&", escaped(&bytes)).repeat(times)),
    ]
}

/// Percent-encodes bytes as a client does.
fn escaped(bytes: &[u8]) -> String {
    percent_encoding::percent_encode(bytes, percent_encoding::NON_ALPHANUMERIC).to_string()
}
