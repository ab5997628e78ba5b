//! Rules of columns with one array per leaf: storage as points, and pointers of errors.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::super::{EncodedSession, SessionDraft, ValidSession};
use super::*;
use crate::channel::{Channel, ChannelId};
use crate::metric_type::{Catalogue, SeriesName, ValueSchema};
use crate::model::AppendTarget;
use crate::{MetricTypeId, TimeRules, Timestamp};

const IDS: &str = r#""user_id":"8b0e7a52-6a3f-4a8c-9d0a-0d6a7c1f2b3e","session_id":"8b0e7a52-6a3f-4a8c-9d0a-0d6a7c1f2b3f""#;

fn catalogue() -> Catalogue {
    let number = json!({"type": ["number", "null"]});
    let position = json!({"type": "object", "properties": {"lat": number, "lng": number, "name": {"type": "string"}},
        "additionalProperties": false});
    let schema = json!({"type": "object", "properties": {"r": number, "position": position, "heart.rate": number},
        "additionalProperties": false});
    let schema = ValueSchema::parse(schema).expect("a schema");
    let channel = |(position, pointer)| Channel {
        id: ChannelId(position),
        pointer,
    };
    let metric_type = MetricType {
        id: MetricTypeId(1),
        series: SeriesName::parse("s").expect("a name"),
        channels: (0..)
            .zip(schema.numeric_leaves().to_vec())
            .map(channel)
            .collect(),
        schema: Arc::new(schema),
        description: String::new(),
        unit: String::new(),
        generation: 1,
        schema_generation: 1,
        created_at: Timestamp::EPOCH,
        updated_at: Timestamp::EPOCH,
    };
    Catalogue::new(1, [metric_type])
}

/// Encodes a session with these entries, or returns the pointers of its errors.
fn encode(entries: &[Value]) -> Result<String, Vec<String>> {
    let entries: Vec<String> = entries.iter().map(Value::to_string).collect();
    let body = format!("{{{IDS},\"data\":[{}]}}", entries.join(","));
    let now = Timestamp::parse_rfc3339("2025-02-01T00:00:00Z").expect("a time");
    let draft = SessionDraft::from_json(body.as_bytes()).expect("an object");
    let valid = ValidSession::check(
        draft,
        &catalogue(),
        &TimeRules::default(),
        now,
        AppendTarget::Alone,
    );
    match valid {
        Ok(valid) => Ok(format!("{:?}", EncodedSession::encode(valid))),
        Err(errors) => Err(errors.listed().iter().map(|e| e.pointer.clone()).collect()),
    }
}

fn columns(values: &Value, points: usize) -> Value {
    let times: Vec<String> = (0..points).map(time).collect();
    json!({"series": "s", "times": times, "values": values})
}

fn time(second: usize) -> String {
    format!("2025-01-01T00:00:{second:02}Z")
}

fn column<'a>(values: &'a [Value], pointer: &'a str) -> Vec<&'a Value> {
    values
        .iter()
        .map(|value| value.pointer(pointer).expect("each value has each leaf"))
        .collect()
}

proptest! {
    #[test]
    fn every_form_of_columns_is_stored_like_points(
        rows in prop::collection::vec((0..9_i32, 0..99_i32, prop::option::of(0..9_i32), "[a-z]{0,3}"), 1..20),
        has_text in any::<bool>(),
    ) {
        let value = |(r, lat, lng, name): &(i32, i32, Option<i32>, String)| {
            let mut position = json!({"lat": lat, "lng": lng});
            if has_text {
                position["name"] = json!(name);
            }
            json!({"r": r, "position": position, "heart.rate": r + 1})
        };
        let values: Vec<Value> = rows.iter().map(value).collect();
        let point = |(second, value)| json!({"series": "s", "time": time(second), "value": value});
        let points: Vec<Value> = values.iter().enumerate().map(point).collect();
        let expected = encode(&points);
        prop_assert!(expected.is_ok(), "{expected:?}");
        let of = |pointer| column(&values, pointer);
        let mut position = json!({"lat": of("/position/lat"), "lng": of("/position/lng")});
        let mut dotted = json!({"r": of("/r"), "heart.rate": of("/heart.rate"), "position.lat": of("/position/lat"),
            "position.lng": of("/position/lng")});
        if has_text {
            position["name"] = json!(of("/position/name"));
            dotted["position.name"] = json!(of("/position/name"));
        }
        let nested = json!({"r": of("/r"), "heart.rate": of("/heart.rate"), "position": position});
        let mixed = json!({"r": of("/r"), "heart.rate": of("/heart.rate"), "position.lat": of("/position/lat"),
            "position": {"lng": of("/position/lng")}});
        for form in [json!(values), nested, dotted].into_iter().chain((!has_text).then_some(mixed)) {
            prop_assert_eq!(&encode(&[columns(&form, values.len())]), &expected, "{}", form);
        }
    }

    #[test]
    fn columns_of_objects_are_stored_like_points(rows in prop::collection::vec((0..9_i32, 0..9_i32, any::<bool>()), 1..20)) {
        let value = |(r, rate, is_reversed): &(i32, i32, bool)| {
            let (r, rate) = (json!(r).to_string(), json!(rate).to_string());
            if *is_reversed { format!(r#"{{"heart.rate":{rate},"r":{r}}}"#) } else { format!(r#"{{"r":{r},"heart.rate":{rate}}}"#) }
        };
        let values: Vec<Box<RawValue>> =
            rows.iter().map(|row| RawValue::from_string(value(row)).expect("JSON")).collect();
        let value = |text: &RawValue| serde_json::from_str::<Value>(text.get()).expect("JSON");
        let point = |second: usize| json!({"series": "s", "time": time(second), "value": value(&values[second])});
        let points: Vec<Value> = (0..values.len()).map(point).collect();
        let as_columns = columns(&values.iter().map(|raw| value(raw)).collect(), values.len());
        prop_assert_eq!(encode(&[as_columns]), encode(&points));
    }
}

#[test]
fn errors_point_to_the_leaf_as_it_was_sent() {
    let errors = |values: Value| encode(&[columns(&values, 1)]).expect_err("errors");
    assert_eq!(
        errors(json!({"position.lat": ["x"]})),
        ["/data/0/values/position.lat/0"]
    );
    assert_eq!(
        errors(json!({"position": {"lat": ["x"]}})),
        ["/data/0/values/position/lat/0"]
    );
    assert_eq!(
        errors(json!({"position": {"lat": 1}})),
        ["/data/0/values/position/lat"]
    );
    assert_eq!(errors(json!({"position": {}})), ["/data/0/values/position"]);
    assert_eq!(
        errors(json!({"position": {"lat": [1]}, "r": [1, 2]})),
        ["/data/0/values/r"]
    );
    let twice = json!({"position": {"lat": [1]}, "position.lat": [2]});
    assert_eq!(errors(twice)[0], "/data/0/values/position.lat");
    assert_eq!(
        errors(json!({"position": [{}], "position.lat": [2]}))[0],
        "/data/0/values/position.lat"
    );
}

#[test]
fn leaves_nested_too_deep_are_an_error() {
    let deep = (0..70).fold(json!([1]), |inner, _| json!({"a": inner}));
    let errors = encode(&[columns(&deep, 1)]).expect_err("errors");
    assert_eq!(
        errors,
        [format!("/data/0/values{}", "/a".repeat(MAX_DEPTH))]
    );
}
