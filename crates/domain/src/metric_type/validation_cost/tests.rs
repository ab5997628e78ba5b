//! Costs of the kinds of schemas that multiply the work of the validator.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::limits::{MAX_PATTERNS, MAX_SCALAR_STEPS};
use super::{CostError, MAX_SESSION_STEPS, MAX_VALUE_STEPS, ValidationCost};
use crate::Json;

fn nested(levels: usize, open: &str, inner: &str, close: &str) -> Json {
    Json::parse(&format!(
        "{}{inner}{}",
        open.repeat(levels),
        close.repeat(levels)
    ))
    .expect("JSON")
}

fn objects(levels: usize) -> Json {
    nested(levels, r#"{"a":"#, "\"x\"", "}")
}

/// Definitions 0 to `length`, each of which applies the next one twice.
fn chain(length: usize, keyword: &str) -> Value {
    let mut definitions = serde_json::Map::new();
    for at in 0..length {
        let next = json!({"$ref": format!("#/definitions/{}", at + 1)});
        definitions.insert(at.to_string(), json!({keyword: [next, next]}));
    }
    definitions.insert(length.to_string(), json!({"type": "number"}));
    json!({"$ref": "#/definitions/0", "definitions": definitions})
}

/// Schemas that apply themselves twice to the same part of a value.
fn doubling_schemas() -> Vec<(&'static str, Value)> {
    let a = |more: Value| {
        let mut schema =
            json!({"type": "object", "required": ["a"], "properties": {"a": {"$ref": "#"}}});
        schema
            .as_object_mut()
            .expect("an object")
            .extend(more.as_object().expect("an object").clone());
        schema
    };
    vec![
        (
            "anyOf",
            json!({"anyOf": [a(json!({})), a(json!({"minProperties": 1}))]}),
        ),
        (
            "oneOf",
            json!({"oneOf": [a(json!({})), a(json!({"minProperties": 1}))]}),
        ),
        (
            "allOf",
            json!({"allOf": [a(json!({})), a(json!({"minProperties": 1}))]}),
        ),
        (
            "not",
            json!({"not": a(json!({})), "properties": {"a": {"$ref": "#"}}}),
        ),
        (
            "if",
            json!({"if": a(json!({})), "then": a(json!({})), "else": a(json!({}))}),
        ),
        (
            "dependencies",
            json!({"dependencies": {"a": a(json!({}))}, "properties": {"a": {"$ref": "#"}}}),
        ),
        (
            "patternProperties",
            json!({"patternProperties": {"a": {"$ref": "#"}, "^a": {"$ref": "#"}}}),
        ),
        (
            "additionalProperties",
            json!({"additionalProperties": {"anyOf": [{"$ref": "#"}, {"$ref": "#", "title": "b"}]}}),
        ),
        (
            "definitions",
            json!({
                "anyOf": [{"$ref": "#/definitions/b"}, {"$ref": "#/definitions/c"}],
                "definitions": {
                    "b": {"properties": {"a": {"$ref": "#"}}, "required": ["a"]},
                    "c": {"properties": {"a": {"$ref": "#"}}, "maxProperties": 1}
                }
            }),
        ),
        (
            "$dynamicRef",
            json!({
                "$schema": "https://json-schema.org/draft/2020-12/schema",
                "$dynamicAnchor": "n",
                "anyOf": [
                    {"properties": {"a": {"$dynamicRef": "#n"}}, "required": ["a"]},
                    {"properties": {"a": {"$dynamicRef": "#n"}}, "minProperties": 1}
                ]
            }),
        ),
        (
            "unevaluatedProperties",
            json!({
                "$schema": "https://json-schema.org/draft/2020-12/schema",
                "anyOf": [{"properties": {"a": {"$ref": "#"}}, "required": ["a"]}],
                "unevaluatedProperties": false
            }),
        ),
    ]
}

#[test]
fn branches_multiply_the_cost_per_level() {
    for (name, schema) in doubling_schemas() {
        assert_eq!(ValidationCost::check(&schema), Ok(()), "{name}");
        let cost = ValidationCost::of(&schema);
        let of = |levels| cost.estimate(&objects(levels)).steps;
        assert!(of(3) < MAX_VALUE_STEPS, "{name}: flat values are validated");
        assert!(of(20) > 1 << 20, "{name}: {}", of(20));
        assert!(of(40) > MAX_VALUE_STEPS, "{name}: {}", of(40));
    }
}

#[test]
fn branches_multiply_through_arrays() {
    let cost = ValidationCost::of(&json!({"anyOf": [
        {"type": "array", "items": {"$ref": "#"}},
        {"type": ["array", "number"], "items": {"$ref": "#"}, "minItems": 1}
    ]}));
    assert!(cost.estimate(&nested(30, "[", "1", "]")).steps > MAX_VALUE_STEPS);
}

#[test]
fn branches_that_exclude_each_other_do_not_multiply() {
    let json = json!({"anyOf": [
        {"type": ["string", "number", "boolean", "null"]},
        {"type": "array", "items": {"$ref": "#"}},
        {"type": "object", "additionalProperties": {"$ref": "#"}}
    ]});
    let kind = |kind: &str| {
        json!({
            "type": "object", "required": ["kind"],
            "properties": {"kind": {"const": kind}, "a": {"$ref": "#"}, "b": {"type": "array", "items": {"$ref": "#"}}}
        })
    };
    let tree = json!({"oneOf": [kind("sum"), kind("product"), kind("minus"), kind("value")]});
    for schema in [json, tree] {
        assert_eq!(ValidationCost::check(&schema), Ok(()));
        let steps = ValidationCost::of(&schema).estimate(&objects(63)).steps;
        assert!(steps < 20_000, "{steps}");
    }
}

#[test]
fn a_chain_that_multiplies_within_one_value_is_rejected() {
    for keyword in ["anyOf", "oneOf", "allOf"] {
        assert_eq!(
            ValidationCost::check(&chain(8, keyword)),
            Ok(()),
            "{keyword}"
        );
        assert_eq!(
            ValidationCost::check(&chain(22, keyword)),
            Err(CostError::Steps {
                limit: MAX_SCALAR_STEPS,
                levels: 1
            }),
            "{keyword}"
        );
        let below = json!({"properties": {"a": chain(22, keyword)["$ref"]}, "definitions": chain(22, keyword)["definitions"]});
        let below = json!({"properties": {"a": {"$ref": below["properties"]["a"]}}, "definitions": below["definitions"]});
        assert_eq!(
            ValidationCost::check(&below),
            Err(CostError::Steps {
                limit: MAX_VALUE_STEPS,
                levels: 2
            }),
            "{keyword}"
        );
    }
}

#[test]
fn endless_references_are_rejected() {
    let endless = [
        json!({"$ref": "#"}),
        json!({"anyOf": [{"$ref": "#"}, {"type": "number"}]}),
        json!({"allOf": [{"$ref": "#/definitions/a"}], "definitions": {"a": {"not": {"$ref": "#/definitions/a"}}}}),
        json!({"$ref": "#/definitions/a", "definitions": {
            "a": {"$ref": "#/definitions/b"}, "b": {"anyOf": [{"$ref": "#/definitions/a"}]}
        }}),
    ];
    for schema in endless {
        assert_eq!(
            ValidationCost::check(&schema),
            Err(CostError::Endless),
            "{schema}"
        );
        assert_eq!(
            ValidationCost::of(&schema).estimate(&objects(1)).steps,
            u64::MAX,
            "{schema}"
        );
    }
}

#[test]
fn long_chains_of_references_are_rejected() {
    let mut definitions = serde_json::Map::new();
    for at in 0..2_000 {
        definitions.insert(
            at.to_string(),
            json!({"$ref": format!("#/definitions/{}", at + 1)}),
        );
    }
    definitions.insert("2000".to_owned(), json!({"type": "number"}));
    let schema = json!({"$ref": "#/definitions/0", "definitions": definitions});
    assert_eq!(ValidationCost::check(&schema), Err(CostError::Nesting));
}

#[test]
fn many_or_long_patterns_are_rejected() {
    let many = |count: usize, text: &str| {
        let patterns = (0..count)
            .map(|at| (format!("{text}{at}"), json!({})))
            .collect::<serde_json::Map<_, _>>();
        json!({"patternProperties": patterns})
    };
    assert_eq!(ValidationCost::check(&many(MAX_PATTERNS, "a")), Ok(()));
    assert_eq!(
        ValidationCost::check(&many(MAX_PATTERNS + 1, "a")),
        Err(CostError::Patterns)
    );
    assert_eq!(
        ValidationCost::check(&many(20, &"a".repeat(1_000))),
        Err(CostError::Patterns)
    );
    assert_eq!(
        ValidationCost::check(&json!({"pattern": "(a{1000}){100}"})),
        Err(CostError::Patterns)
    );
}

#[test]
fn patterns_multiply_the_cost_of_text() {
    let text = |length: usize| Json::String("a".repeat(length));
    let plain = ValidationCost::of(&json!({"type": "string"}));
    let matched = ValidationCost::of(&json!({"type": "string", "pattern": "^(a|b)*a(a|b){500}$"}));
    assert!(plain.estimate(&text(1 << 20)).steps < 1_000);
    assert!(matched.estimate(&text(1_000)).steps < MAX_VALUE_STEPS);
    assert!(matched.estimate(&text(1 << 20)).steps > MAX_VALUE_STEPS);
}

#[test]
fn nested_unevaluated_properties_are_rejected() {
    let mut schema = json!({"type": "object"});
    for _ in 0..30 {
        schema = json!({"allOf": [schema], "unevaluatedProperties": false});
    }
    schema["$schema"] = json!("https://json-schema.org/draft/2020-12/schema");
    assert!(matches!(
        ValidationCost::check(&schema),
        Err(CostError::Compilation | CostError::Steps { .. })
    ));
    let mut definitions = serde_json::Map::new();
    for at in 0..30 {
        let next = json!({"$ref": format!("#/$defs/{}", at + 1)});
        definitions.insert(at.to_string(), json!({"allOf": [next, next]}));
    }
    definitions.insert("30".to_owned(), json!({"properties": {"a": {}}}));
    let schema = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "properties": {"b": {"$ref": "#/$defs/0", "unevaluatedProperties": false}},
        "$defs": definitions
    });
    assert!(ValidationCost::check(&schema).is_err());
}

#[test]
fn a_meta_schema_counts_as_branching() {
    let cost = ValidationCost::of(&json!({"$ref": "http://json-schema.org/draft-07/schema#"}));
    assert!(cost.estimate(&objects(3)).steps < MAX_VALUE_STEPS);
    assert!(cost.estimate(&objects(12)).steps > MAX_VALUE_STEPS);
}

#[test]
fn a_million_ordinary_points_are_within_the_budget_of_a_session() {
    let cost = ValidationCost::of(&json!({
        "type": "object", "required": ["r", "g", "b", "name"],
        "properties": {
            "r": {"type": "number", "minimum": 0, "maximum": 255}, "g": {"type": "number"}, "b": {"type": "number"},
            "name": {"type": "string", "maxLength": 100}, "id": {"type": "string", "format": "uuid"},
            "state": {"enum": ["on", "off", null]}, "tags": {"type": "array", "items": {"type": "string"}}
        }
    }));
    let value = r#"{"r":1,"g":2,"b":3,"name":"a name of some length","id":"8b0e7a52-6a3f-4a8c-9d0a-0d6a7c1f2b3e","state":"on","tags":["a","b"]}"#;
    let steps = cost.estimate(&Json::parse(value).expect("JSON")).steps;
    assert!(steps * 1_000_000 < MAX_SESSION_STEPS, "{steps}");
}

fn value() -> impl Strategy<Value = Json> {
    let leaf = prop_oneof![
        Just(Json::Null),
        any::<bool>().prop_map(Json::Bool),
        "[a-c]{0,40}".prop_map(Json::String),
    ];
    leaf.prop_recursive(6, 40, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Json::Array),
            prop::collection::btree_map("[a-c]", inner, 0..3).prop_map(Json::Object),
        ]
    })
}

proptest! {
    #[test]
    fn a_value_costs_more_than_its_parts(value in value(), more in value()) {
        for (name, schema) in doubling_schemas() {
            let cost = ValidationCost::of(&schema);
            let of = |value: &Json| cost.estimate(value).steps;
            let pair = Json::Array(vec![value.clone(), more.clone()]);
            let wide = Json::Array(vec![value.clone(), more.clone(), value.clone()]);
            prop_assert!(of(&wide) > of(&pair), "{}: wider", name);
            let deeper = Json::Object([("a".to_owned(), value.clone())].into_iter().collect());
            prop_assert!(of(&deeper) > of(&value), "{}: deeper", name);
        }
    }
}
