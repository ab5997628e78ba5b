//! Responses to oversized bad input stay small, regardless of the fault and its length.

use reqwest::Method;
use serde_json::{Map, Value, json};
use time_series_testkit::{Backend, Response};
use uuid::Uuid;

use crate::bad_requests::Case;
use crate::common::{START, encode, point, score, session};
use crate::on_both_servers;

/// Maximum number of errors in a response.
const MAX_ERRORS: usize = 100;
/// Maximum length of an error, in bytes.
const MAX_ERROR: usize = 1_000;
/// Maximum length of a detail, in bytes.
const MAX_DETAIL: usize = 500;
/// Maximum length of a response, in bytes.
const MAX_RESPONSE: usize = 128 * 1024;

on_both_servers![
    a_long_path_is_not_echoed,
    long_and_many_parameters_are_not_echoed,
    long_and_many_headers_are_not_echoed,
    a_bad_session_gets_a_small_response,
    a_bad_metric_type_gets_a_small_response,
    a_bad_bulk_body_gets_a_small_verdict_per_line,
    an_expensive_schema_or_value_is_rejected_at_once,
];

/// Checks that a response is a problem within the bounds.
#[track_caller]
fn assert_small(response: &Response, label: &str) {
    assert!(
        response.text.len() <= MAX_RESPONSE,
        "{label}: {} bytes",
        response.text.len()
    );
    assert!(
        response.status.is_client_error(),
        "{label}: {} {}",
        response.status,
        response.text
    );
    assert_small_problem(&response.json(), label);
}

#[track_caller]
fn assert_small_problem(problem: &Value, label: &str) {
    let errors = problem["errors"].as_array().cloned().unwrap_or_default();
    assert!(
        errors.len() <= MAX_ERRORS,
        "{label}: {} errors",
        errors.len()
    );
    for error in errors.iter().map(Value::to_string) {
        let length = error.len();
        assert!(length <= MAX_ERROR, "{label}: {length} bytes: {error}");
    }
    let detail = problem["detail"].as_str().expect("a detail");
    assert!(
        detail.len() <= MAX_DETAIL,
        "{label}: {} bytes of detail",
        detail.len()
    );
}

/// Texts that grow when they are escaped.
fn long_texts(length: usize) -> [String; 3] {
    [
        "x".repeat(length),
        "\u{1}\"\\".repeat(length / 3),
        "é/~".repeat(length / 4),
    ]
}

async fn a_long_path_is_not_echoed(backend: Backend) {
    let case = Case::new(backend).await;
    for text in long_texts(10_000) {
        let name = encode(&text);
        for path in
            ["/", "/api/sessions/", "/api/metrictypes/"].map(|before| format!("{before}{name}/"))
        {
            assert_small(&case.app.get(&path).await, &path[..20]);
            assert_small(
                &case.app.request(Method::DELETE, &path, None, &[]).await,
                &path[..20],
            );
            assert_small(&case.app.put(&path, &json!({})).await, &path[..20]);
        }
        let method = Method::from_bytes(&[b'X'; 2_000]).expect("a method");
        assert_small(
            &case.app.request(method, "/schema/", None, &[]).await,
            "a long method",
        );
    }
}

async fn long_and_many_parameters_are_not_echoed(backend: Backend) {
    let case = Case::new(backend).await;
    let user = format!("user_id={}", case.user);
    let id = Uuid::new_v4();
    let paths = [
        "/api/timeseries/",
        "/api/points/",
        "/api/latest/",
        "/api/catalog/",
        "/api/sessions/",
        "/api/metrictypes/",
        "/health/live",
        "/health/ready",
    ];
    let paths = paths
        .map(str::to_owned)
        .into_iter()
        .chain([format!("/api/sessions/{id}/points/")]);
    for path in paths {
        for text in long_texts(6_000) {
            let text = encode(&text);
            let known = [
                "series",
                "session_id",
                "interval",
                "start_time",
                "end_time",
                "agg_func",
                "tz",
                "week_start",
                "where",
                "fill",
                "align",
                "group_by",
                "over",
                "format",
                "limit",
                "cursor",
                "max_points",
                "min_version",
                "user_id",
                "order",
            ];
            let all: Vec<String> = known
                .iter()
                .map(|name| format!("{name}={}", &text[..1_500]))
                .collect();
            for query in [
                format!("{text}=1"),
                all.join("&"),
                format!("{user}&series={text}"),
                format!("{user}&where={text}"),
            ] {
                let response = case.app.get(&format!("{path}?{query}")).await;
                assert_small(&response, &format!("{path} {}", &query[..20]));
            }
        }
        let many = |count: usize| vec!["u=1"; count].join("&");
        for query in [many(1_000), many(14_000)] {
            assert_small(&case.app.get(&format!("{path}?{query}")).await, &path);
        }
    }
}

async fn long_and_many_headers_are_not_echoed(backend: Backend) {
    let case = Case::new(backend).await;
    let long = "x".repeat(20_000);
    let path = format!("/api/timeseries/?user_id={}", case.user);
    for header in ["accept", "request-timeout"] {
        assert_small(
            &case
                .app
                .request(Method::GET, &path, None, &[(header, &long)])
                .await,
            header,
        );
    }
    let append = format!("/api/sessions/{}/points/", Uuid::new_v4());
    for header in ["content-encoding", "idempotency-key"] {
        let response = case
            .app
            .request(
                Method::POST,
                &append,
                Some(b"{}".to_vec()),
                &[(header, &long)],
            )
            .await;
        assert_small(&response, header);
    }
}

async fn a_bad_session_gets_a_small_response(backend: Backend) {
    let case = Case::new(backend).await;
    case.app
        .metric_type(
            "number",
            &json!({"type": "array", "items": {"type": "number"}}),
        )
        .await;
    let many_keys = |count: usize| {
        (0..count)
            .map(|at| (format!("k{at}"), json!(1)))
            .collect::<Map<_, _>>()
    };
    let mut bodies: Vec<(&str, String)> = vec![
        ("not JSON", "[".repeat(100_000)),
        (
            "many unknown members",
            Value::from(many_keys(50_000)).to_string(),
        ),
        (
            "many unknown members of a point",
            json!({"user_id": case.user, "data": [many_keys(50_000)]}).to_string(),
        ),
        (
            "many bad points",
            json!({"user_id": case.user, "data": vec![json!({}); 20_000]}).to_string(),
        ),
        (
            "one value with many faults",
            case.body(&[point("number", START, &json!(vec!["x"; 50_000]))])
                .to_string(),
        ),
    ];
    for text in long_texts(200_000) {
        let key = json!({&text: 1});
        bodies.extend([
            ("a long text for an id", json!({"user_id": text, "session_id": text, "data": []}).to_string()),
            ("a long unknown member", key.to_string()),
            ("a long member of a point", json!({"user_id": case.user, "data": [key]}).to_string()),
            ("long series", case.body(&vec![point(&text, &text, &json!(1)); 3]).to_string()),
            ("a long time", case.body(&[score(&text, 1.0)]).to_string()),
            ("a long value", case.body(&[point("number", START, &json!([text]))]).to_string()),
            ("a long key in a value", case.body(&[point("number", START, &key)]).to_string()),
            (
                "a long step",
                session(
                    case.user,
                    Uuid::new_v4(),
                    START,
                    &[json!({"series": "any", "times": {"start": START, "step": text}, "values": [1]})],
                )
                .to_string(),
            ),
            (
                "a long leaf",
                session(
                    case.user,
                    Uuid::new_v4(),
                    START,
                    &[json!({"series": "any", "times": [START], "values": {&text: [1, 2]}})],
                )
                .to_string(),
            ),
        ]);
    }
    for (label, body) in bodies {
        assert_small(&case.post(&body).await, label);
        let path = format!("/api/sessions/{}/", Uuid::new_v4());
        assert_small(
            &case
                .app
                .request(Method::PUT, &path, Some(body.clone().into()), &[])
                .await,
            label,
        );
        assert_small(
            &case
                .app
                .request(
                    Method::POST,
                    &format!("{path}points/"),
                    Some(body.into()),
                    &[],
                )
                .await,
            label,
        );
    }
    case.assert_nothing_stored().await;
}

async fn a_bad_metric_type_gets_a_small_response(backend: Backend) {
    let case = Case::new(backend).await;
    let many_keys: Map<String, Value> = (0..100_000)
        .map(|at| (format!("k{at}"), json!(1)))
        .collect();
    let patterns: Map<String, Value> = (0..1_000)
        .map(|at| (format!("a{at}"), json!({"type": "string"})))
        .collect();
    let mut bodies = vec![
        Value::from(many_keys.clone()),
        json!({"series": "x", "schema": many_keys}),
        json!({"series": "x", "schema": {"patternProperties": patterns}}),
        json!({"series": "x", "schema": {"required": vec!["a"; 2_000]}}),
    ];
    for text in long_texts(100_000) {
        let short: String = text.chars().take(9_000).collect();
        bodies.extend([
            json!({&text: 1}),
            json!({"series": text, "schema": {}}),
            json!({"series": "x", "schema": text, "unit": text, "description": text}),
            json!({"series": "x", "schema": {"type": short}}),
            json!({"series": "x", "schema": {"$ref": short}}),
            json!({"series": "x", "schema": {"pattern": format!("({short}")}}),
            json!({"series": "x", "schema": {"properties": {&short: {"type": 5}}}}),
        ]);
    }
    for body in bodies {
        let label = body.to_string().chars().take(60).collect::<String>();
        assert_small(&case.app.post("/api/metrictypes/", &body).await, &label);
        assert_small(&case.app.put("/api/metrictypes/any/", &body).await, &label);
    }
}

async fn a_bad_bulk_body_gets_a_small_verdict_per_line(backend: Backend) {
    let case = Case::new(backend).await;
    let bad = json!({"user_id": case.user, "data": vec![json!({}); 400]}).to_string();
    let header = format!("user_id,session_id,series,time,{}\n", "leaf,".repeat(2_000));
    let deep = format!(
        "user_id,session_id,series,time,{}\n",
        vec!["a"; 10_000].join(".")
    );
    let bodies = [
        ("application/x-ndjson", format!("{bad}\n").repeat(300)),
        (
            "text/csv",
            format!(
                "user_id,session_id,series,time,value\n{}",
                "x,y,z,never,1\n".repeat(2_000)
            ),
        ),
        ("text/csv", header),
        ("text/csv", deep),
        ("text/csv", format!("{}\n", "x".repeat(100_000))),
    ];
    for (content_type, body) in bodies {
        let response = case
            .app
            .request(
                Method::POST,
                "/api/sessions/bulk/",
                Some(body.into()),
                &[("content-type", content_type)],
            )
            .await;
        let mut listed = 0;
        for line in response.text.lines() {
            assert!(line.len() <= MAX_RESPONSE, "{} bytes", line.len());
            let line: Value = serde_json::from_str(line).expect("JSON");
            if line["detail"].is_string() {
                assert_small_problem(&line, content_type);
                listed += line["errors"].as_array().map_or(0, Vec::len);
            }
        }
        assert!(listed <= 10_000 + 300, "{listed} errors");
    }
    case.assert_nothing_stored().await;
}

async fn an_expensive_schema_or_value_is_rejected_at_once(backend: Backend) {
    let case = Case::new(backend).await;
    let mut definitions = Map::new();
    for at in 0..22 {
        let next = json!({"$ref": format!("#/definitions/{}", at + 1)});
        definitions.insert(at.to_string(), json!({"anyOf": [next, next]}));
    }
    definitions.insert("22".to_owned(), json!({"type": "number"}));
    let chain = json!({"$ref": "#/definitions/0", "definitions": definitions});
    let response = case
        .app
        .post(
            "/api/metrictypes/",
            &json!({"series": "x", "schema": chain}),
        )
        .await;
    assert_small(&response, "a chain");
    assert_eq!(response.faults(), ["/schema invalid_definition"]);

    let branch = json!({"type": "object", "required": ["a"], "properties": {"a": {"$ref": "#"}}});
    let mut other = branch.clone();
    other["minProperties"] = json!(1);
    case.app
        .metric_type("tree", &json!({"anyOf": [branch, other]}))
        .await;
    for (depth, code) in [
        (3, "schema_violation"),
        (12, "schema_violation"),
        (22, "too_costly"),
        (60, "too_costly"),
    ] {
        let value = format!("{}\"x\"{}", "{\"a\":".repeat(depth), "}".repeat(depth));
        let response = case.post(&case.with_value("tree", &value)).await;
        assert_small(&response, code);
        let faults = response.faults();
        assert!(faults[0].ends_with(code), "{depth} levels: {faults:?}");
    }
    case.assert_nothing_stored().await;
}
