//! Values that break their schema or cannot be stored.

use time_series_testkit::Backend;

use crate::bad_requests::Case;
use crate::common::{COLOR, NOTE, SCORE, points_of};
use crate::on_both_servers;

on_both_servers![
    a_value_that_breaks_its_schema_is_rejected_with_a_pointer,
    nul_is_rejected_in_text_and_keys,
    a_lone_surrogate_is_rejected,
    a_repeated_key_header_is_rejected,
    nesting_deeper_than_64_is_rejected,
    numbers_beyond_1e140_are_rejected_everywhere,
    an_integer_one_beyond_1e140_is_rejected,
    numbers_up_to_1e140_are_accepted_however_small,
];

async fn a_value_that_breaks_its_schema_is_rejected_with_a_pointer(backend: Backend) {
    let case = Case::new(backend).await;
    let strict = serde_json::json!({
        "type": "object",
        "properties": {
            "a/b": {"type": "number", "minimum": 0},
            "list": {"type": "array", "items": {"type": "integer"}},
            "mood": {"enum": ["good", "bad"]},
        },
        "additionalProperties": false,
    });
    case.app.metric_type("strict", &strict).await;
    let cases: [(&str, &str, &[&str]); 9] = [
        (SCORE, r#"{"value": "high"}"#, &["/data/1/value/value"]),
        (SCORE, r#"{"value": null}"#, &["/data/1/value/value"]),
        (SCORE, "7", &["/data/1/value"]),
        (SCORE, "null", &["/data/1/value"]),
        (
            COLOR,
            r#"{"r": "1", "g": true, "b": 3}"#,
            &["/data/1/value/r", "/data/1/value/g"],
        ),
        (NOTE, r#"{"value": 5}"#, &["/data/1/value/value"]),
        ("strict", r#"{"a/b": -1}"#, &["/data/1/value/a~1b"]),
        (
            "strict",
            r#"{"list": [1, 2.5, 3, "4"]}"#,
            &["/data/1/value/list/1", "/data/1/value/list/3"],
        ),
        ("strict", r#"{"mood": "so so"}"#, &["/data/1/value/mood"]),
    ];
    for (series, value, pointers) in cases {
        let faults: Vec<_> = pointers
            .iter()
            .map(|p| format!("{p} schema_violation"))
            .collect();
        let faults: Vec<_> = faults.iter().map(String::as_str).collect();
        let _ = case
            .assert_rejected(&case.with_value(series, value), &faults)
            .await;
    }
    // A missing or additional member is reported at the object or at the member.
    for (series, value, names) in [
        (COLOR, r#"{"r": 1, "g": 2}"#, "b"),
        (SCORE, "{}", "value"),
        ("strict", r#"{"extra": 1}"#, "extra"),
    ] {
        let response = case.post(&case.with_value(series, value)).await.expect(422);
        let fault = &response.json()["errors"][0];
        assert!(
            fault["pointer"]
                .as_str()
                .is_some_and(|p| p.starts_with("/data/1/value")),
            "{fault}"
        );
        assert_eq!(fault["code"], "schema_violation", "{fault}");
        assert!(fault["message"].to_string().contains(names), "{fault}");
        case.assert_nothing_stored().await;
    }
}

/// Checks that all faults have this code and are at the value or inside it.
async fn assert_faults_inside(case: &Case, series: &str, value: &str, code: &str) {
    let response = case.post(&case.with_value(series, value)).await;
    assert_eq!(response.status.as_u16(), 422, "{value}: {}", response.text);
    let faults = response.faults();
    assert!(
        faults.len() == 1 && faults[0].starts_with("/data/1/value") && faults[0].ends_with(code),
        "{value}: {}",
        response.text
    );
    case.assert_nothing_stored().await;
}

async fn nul_is_rejected_in_text_and_keys(backend: Backend) {
    let case = Case::new(backend).await;
    let _ = case
        .assert_rejected(
            &case.with_value(NOTE, r#"{"value": "a\u0000b"}"#),
            &["/data/1/value/value nul_character"],
        )
        .await;
    let _ = case
        .assert_rejected(
            &case.with_value("any", r#"[1, {"x": ["\u0000"]}]"#),
            &["/data/1/value/1/x/0 nul_character"],
        )
        .await;
    assert_faults_inside(
        &case,
        SCORE,
        r#"{"value": 1, "note": "\u0000"}"#,
        "nul_character",
    )
    .await;
    assert_faults_inside(&case, "any", r#"{"a\u0000": 1}"#, "nul_character").await;
    let response = case
        .post(&case.with_value(r"session.urine\u0000", "1"))
        .await;
    assert!(
        matches!(response.status.as_u16(), 400 | 422),
        "NUL in the name of a series: {}",
        response.text
    );
    case.assert_nothing_stored().await;
    let _ = case
        .post(&case.with_value(NOTE, r#"{"value": "\\u0000 \u0001 \u007f"}"#))
        .await
        .expect(201);
}

async fn a_lone_surrogate_is_rejected(backend: Backend) {
    let case = Case::new(backend).await;
    for text in [
        r"\ud800",
        r"\udc00",
        r"a\ud83dz",
        r"\ud83d\ud83d",
        r"\udc00\ud800",
    ] {
        let value = format!(r#"{{"value": "{text}"}}"#);
        let _ = case
            .assert_rejected(
                &case.with_value(NOTE, &value),
                &["/data/1/value/value invalid_string"],
            )
            .await;
        assert_faults_inside(
            &case,
            "any",
            &format!(r#"{{"{text}": 1}}"#),
            "invalid_string",
        )
        .await;
    }
    let _ = case
        .post(&case.with_value(NOTE, r#"{"value": "\ud83d\ude00"}"#))
        .await
        .expect(201);
}

async fn a_repeated_key_header_is_rejected(backend: Backend) {
    let case = Case::new(backend).await;
    assert_faults_inside(&case, SCORE, r#"{"value": 1, "value": 2}"#, "duplicate_key").await;
    assert_faults_inside(&case, SCORE, r#"{"value": 1, "value": 1}"#, "duplicate_key").await;
    assert_faults_inside(
        &case,
        SCORE,
        r#"{"value": 1, "v\u0061lue": 1}"#,
        "duplicate_key",
    )
    .await;
    assert_faults_inside(
        &case,
        "any",
        r#"{"a": [{"b": 1, "c": 2, "b": null}]}"#,
        "duplicate_key",
    )
    .await;
    let _ = case
        .post(&case.with_value("any", r#"{"a": {"b": 1}, "b": {"b": 1}, "B": 1}"#))
        .await
        .expect(201);
}

async fn nesting_deeper_than_64_is_rejected(backend: Backend) {
    let case = Case::new(backend).await;
    let arrays = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
    let objects = |depth: usize| "{\"a\":".repeat(depth) + "1" + &"}".repeat(depth);
    for value in [
        arrays(70),
        objects(70),
        arrays(1000),
        objects(1000),
        arrays(100_000),
    ] {
        assert_faults_inside(&case, "any", &value, "too_deep").await;
    }
    for value in [arrays(60), objects(60)] {
        let _ = case.post(&case.with_value("any", &value)).await.expect(201);
    }
}

async fn numbers_beyond_1e140_are_rejected_everywhere(backend: Backend) {
    let case = Case::new(backend).await;
    let (integer, digits) = (format!("1{}", "0".repeat(141)), "9".repeat(5000));
    for number in [
        "1.0000000000000002e140",
        "-1e141",
        "1e308",
        "1e400",
        "-1e99999999999999999999",
        &integer,
        &digits,
    ] {
        let _ = case
            .assert_rejected(
                &case.with_value(SCORE, &format!(r#"{{"value": {number}}}"#)),
                &["/data/1/value/value number_out_of_range"],
            )
            .await;
        let more = format!(r#"{{"value": 1, "more": [0, {{"x": {number}}}]}}"#);
        let _ = case
            .assert_rejected(
                &case.with_value(SCORE, &more),
                &["/data/1/value/more/1/x number_out_of_range"],
            )
            .await;
        let _ = case
            .assert_rejected(
                &case.with_value("any", number),
                &["/data/1/value number_out_of_range"],
            )
            .await;
    }
}

async fn an_integer_one_beyond_1e140_is_rejected(backend: Backend) {
    let case = Case::new(backend).await;
    for sign in ["", "-"] {
        let value = format!(r#"{{"value": {sign}1{}1}}"#, "0".repeat(139));
        let _ = case
            .assert_rejected(
                &case.with_value(SCORE, &value),
                &["/data/1/value/value number_out_of_range"],
            )
            .await;
    }
}

async fn numbers_up_to_1e140_are_accepted_however_small(backend: Backend) {
    let case = Case::new(backend).await;
    let (limit, digits) = (
        format!("1{}", "0".repeat(140)),
        "-".to_owned() + &"9".repeat(140),
    );
    let numbers = [
        "1e140",
        "-1e140",
        &limit,
        &digits,
        "5e-324",
        "1e-320",
        "-0.0",
        "1e-400",
        "0e999",
        "9007199254740993",
        "0.1e141",
    ];
    for number in numbers {
        let response = case
            .post(&case.with_value(SCORE, &format!(r#"{{"value": {number}}}"#)))
            .await;
        assert_eq!(response.status.as_u16(), 201, "{number}: {}", response.text);
    }
    assert_eq!(
        points_of(&case.app, case.user).await,
        2 * numbers.len() as u64
    );
}
