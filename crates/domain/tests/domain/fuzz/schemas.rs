//! Random schemas that are recursive and multiply their work, against random nested values.

use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use serde_json::{Map, Value, json};
use time_series_domain::metric_type::{MetricTypeDefinition, StepBudget, ViolationKind};
use time_series_domain::{Json, SeriesName};

/// Maximum time of one schema with its values before it counts as endless; far above the normal
/// time on a busy machine.
const TIME_LIMIT: Duration = Duration::from_mins(1);
/// Maximum length of the message about a value.
const MAX_MESSAGE: usize = 1_000;

#[test]
fn schemas_are_rejected_or_validate_in_bounded_work() {
    let seconds = std::env::var("FUZZ_SECONDS")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(2);
    let end = Instant::now() + Duration::from_secs(seconds);
    let mut runner = TestRunner::deterministic();
    let cases = (document(), prop::collection::vec(value(), 6));
    let (mut rejected, mut accepted, mut too_costly) = (0_u64, 0_u64, 0_u64);
    while Instant::now() < end {
        let (schema, values) = cases.new_tree(&mut runner).expect("a case").current();
        let shown = schema.to_string();
        match with_timeout(move || validate(schema, &values)) {
            Some(None) => rejected += 1,
            Some(Some(costly)) => {
                accepted += 1;
                too_costly += costly;
            }
            None => panic!("no result within {TIME_LIMIT:?}: {shown}"),
        }
    }
    assert!(
        accepted > 0 && rejected > 0,
        "both occur: {accepted} accepted, {rejected} rejected"
    );
    println!("{rejected} schemas rejected, {accepted} accepted, {too_costly} values too costly");
}

/// Runs a case on a thread of its own; `None` if it does not end.
fn with_timeout<T: Send + 'static>(case: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    let (sender, receiver) = channel();
    // As small as the stacks of the service's threads.
    let thread = std::thread::Builder::new()
        .stack_size(2 << 20)
        .spawn(move || drop(sender.send(case())));
    let thread = thread.expect("a thread");
    match receiver.recv_timeout(TIME_LIMIT) {
        Ok(done) => {
            thread.join().expect("the test thread has ended");
            Some(done)
        }
        Err(RecvTimeoutError::Timeout) => None,
        Err(RecvTimeoutError::Disconnected) => {
            thread.join().expect("the case holds");
            None
        }
    }
}

/// Validates values: `None` if the schema is rejected, otherwise the number of values that are too
/// costly.
fn validate(schema: Value, values: &[Json]) -> Option<u64> {
    let series = SeriesName::parse("fuzz").expect("a name");
    let definition = match MetricTypeDefinition::new(series, schema, String::new(), String::new()) {
        Ok(definition) => definition,
        Err(e) => {
            assert!(e.to_string().len() <= 2 * MAX_MESSAGE, "{e}");
            return None;
        }
    };
    let mut too_costly = 0;
    for value in values {
        let violations = definition
            .schema
            .violations(value, &mut StepBudget::default());
        assert!(violations.len() <= 10, "{}", violations.len());
        for violation in &violations {
            assert!(
                violation.message.len() <= MAX_MESSAGE,
                "{}",
                violation.message
            );
            assert!(
                violation.pointer.to_string().len() <= MAX_MESSAGE,
                "{}",
                violation.pointer
            );
        }
        assert_eq!(
            violations.is_empty(),
            definition.schema.fits(value, &mut StepBudget::default())
        );
        too_costly += u64::from(
            violations
                .iter()
                .any(|violation| violation.kind == ViolationKind::TooCostly),
        );
    }
    Some(too_costly)
}

/// A schema document with definitions that refer to each other.
fn document() -> impl Strategy<Value = Value> {
    let draft = prop::sample::select(vec![
        "http://json-schema.org/draft-04/schema#",
        "http://json-schema.org/draft-07/schema#",
        "https://json-schema.org/draft/2019-09/schema",
        "https://json-schema.org/draft/2020-12/schema",
    ]);
    (draft, subschema(), prop::collection::vec(subschema(), 3)).prop_map(
        |(draft, mut root, definitions)| {
            let definitions: Map<String, Value> = definitions
                .into_iter()
                .enumerate()
                .map(|(at, schema)| (at.to_string(), schema))
                .collect();
            root["$schema"] = draft.into();
            root["definitions"] = definitions.into();
            root
        },
    )
}

fn subschema() -> impl Strategy<Value = Value> {
    let reference = prop::sample::select(vec![
        "#",
        "#/definitions/0",
        "#/definitions/1",
        "#/definitions/2",
        "#n",
    ]);
    let leaf = prop_oneof![
        4 => reference.prop_map(|to| json!({"$ref": to})),
        1 => Just(json!({"$dynamicRef": "#n"})),
        1 => Just(json!({"$recursiveRef": "#"})),
        2 => prop::sample::select(vec!["object", "array", "number", "string"]).prop_map(|kind| json!({"type": kind})),
        1 => prop::sample::select(vec!["^(a|b)*a(a|b){20}$", "^.*$", "[a-c]{1,200}"]).prop_map(|p| json!({"pattern": p})),
        1 => Just(json!({"enum": [1, "a", [1, {"a": [2]}], {"a": {"a": {"a": 1}}}]})),
        1 => Just(json!({"required": ["a"], "minProperties": 1, "$dynamicAnchor": "n"})),
        1 => Just(json!({"uniqueItems": true, "maxItems": 3})),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        let list = || prop::collection::vec(inner.clone(), 1..4);
        let keyword = |names: Vec<&'static str>| prop::sample::select(names);
        let one = vec![
            "not",
            "additionalProperties",
            "items",
            "contains",
            "propertyNames",
            "unevaluatedProperties",
            "unevaluatedItems",
            "contentSchema",
            "if",
            "then",
            "else",
            "additionalItems",
        ];
        let named = vec![
            "properties",
            "patternProperties",
            "dependentSchemas",
            "dependencies",
        ];
        prop_oneof![
            (
                keyword(vec!["allOf", "anyOf", "oneOf", "prefixItems"]),
                list()
            )
                .prop_map(|(word, all)| json!({word: all})),
            (keyword(one.clone()), inner.clone()).prop_map(|(word, schema)| json!({word: schema})),
            (keyword(named), list()).prop_map(|(word, all)| {
                let members: Map<String, Value> = ["a", "b", "^a"]
                    .map(str::to_owned)
                    .into_iter()
                    .zip(all)
                    .collect();
                json!({word: members})
            }),
            (
                keyword(vec!["anyOf", "oneOf"]),
                list(),
                keyword(one),
                inner.clone()
            )
                .prop_map(|(choice, all, word, schema)| json!({choice: all, word: schema})),
        ]
    })
}

/// A value, often deeply nested.
fn value() -> impl Strategy<Value = Json> {
    let scalar = prop_oneof![
        Just("1".to_owned()),
        Just("null".to_owned()),
        "[ab]{0,3000}".prop_map(|s| format!("{s:?}"))
    ];
    let layer = prop::sample::select(vec![
        ("{\"a\":", "}"),
        ("{\"b\":1,\"a\":", "}"),
        ("[", "]"),
        ("[0,", "]"),
    ]);
    (scalar, prop::collection::vec(layer, 0..60), 1..4_usize).prop_map(
        |(scalar, layers, copies)| {
            let nest =
                |inner: String, (open, close): &(&str, &str)| format!("{open}{inner}{close}");
            let nested = layers.iter().fold(scalar, nest);
            let all = vec![nested; copies].join(",");
            Json::parse(&format!("[{all}]")).expect("JSON")
        },
    )
}
