//! Schemas: rejected schemas, derived channels, and validation of values.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use time_series_testkit::{Backend, Response, TestApp};
use uuid::Uuid;

use crate::common::{START, assert_problem, assert_rows, get_timeseries, point, session, store};
use crate::metric_types::JANUARY;
use crate::on_both_servers;

on_both_servers![
    an_invalid_schema_is_rejected_with_a_pointer,
    an_external_reference_is_rejected,
    a_reference_within_the_document_is_resolved,
    every_numeric_leaf_is_a_channel,
    nested_leaves_stay_nested_in_results,
    the_default_dialect_of_schemas_is_draft_7,
    leaves_behind_every_reference_are_channels,
    two_leaves_of_one_name_are_rejected,
    a_name_that_a_url_cannot_contain_is_rejected,
    an_invalid_pattern_is_rejected_with_a_reason,
];

async fn create(app: &TestApp, series: &str, schema: &Value) -> Response {
    app.post(
        "/api/metrictypes/",
        &json!({"series": series, "schema": schema}),
    )
    .await
}

async fn an_invalid_schema_is_rejected_with_a_pointer(backend: Backend) {
    let app = TestApp::start(backend).await;
    let cases = [
        (json!(5), "/schema"),
        (json!("number"), "/schema"),
        (json!([]), "/schema"),
        (json!(null), "/schema"),
        (json!({"type": "numbr"}), "/schema/type"),
        (json!({"type": 5}), "/schema/type"),
        (
            json!({"properties": {"r": {"type": 5}}}),
            "/schema/properties/r/type",
        ),
        (
            json!({"properties": {"a/b": {"minimum": "0"}}}),
            "/schema/properties/a~1b/minimum",
        ),
        (json!({"properties": []}), "/schema/properties"),
        (json!({"required": "r"}), "/schema/required"),
        (
            json!({"type": "string", "minLength": -1}),
            "/schema/minLength",
        ),
        (json!({"type": "string", "pattern": "("}), "/schema/pattern"),
    ];
    for (schema, pointer) in cases {
        let response = create(&app, "x", &schema).await;
        assert_eq!(response.status.as_u16(), 422, "{schema}: {}", response.text);
        assert_problem(&response, 422, "invalid_metric_type");
        assert!(
            response.faults()[0].starts_with(&format!("{pointer} ")),
            "{schema}: {}",
            response.text
        );
    }
    // A change is validated in the same way.
    app.metric_type("x", &json!({"type": "number"})).await;
    let response = app
        .put("/api/metrictypes/x/", &json!({"schema": {"type": "numbr"}}))
        .await;
    assert_problem(&response, 422, "invalid_metric_type");
    assert!(
        response.faults()[0].starts_with("/schema/type "),
        "{}",
        response.text
    );
}

async fn an_external_reference_is_rejected(backend: Backend) {
    let app = TestApp::start(backend).await;
    let own = format!("{}/schema/", app.url);
    let places = [
        "http://example.com/schema.json",
        "https://json-schema.org/draft/2020-12/schema#/none",
        "file:///etc/passwd",
        "other.json",
        "other.json#/definitions/x",
        "//example.com/x",
        &own,
    ];
    for place in places {
        for schema in [
            json!({"$ref": place}),
            json!({"properties": {"a": {"items": {"$ref": place}}}}),
        ] {
            let response = create(&app, "x", &schema).await;
            assert_eq!(response.status.as_u16(), 422, "{schema}: {}", response.text);
            assert_problem(&response, 422, "invalid_metric_type");
            assert!(
                response.faults()[0].starts_with("/schema"),
                "{}",
                response.text
            );
        }
    }
    let dangling = create(
        &app,
        "x",
        &json!({"properties": {"a": {"$ref": "#/definitions/none"}}}),
    )
    .await;
    assert_problem(&dangling, 422, "invalid_metric_type");
    assert_problem(
        &app.get("/api/metrictypes/x/").await,
        404,
        "metric_type_not_found",
    );
}

async fn a_reference_within_the_document_is_resolved(backend: Backend) {
    let app = TestApp::start(backend).await;
    let level = json!({"type": "number", "minimum": 0, "maximum": 255});
    let schema = json!({
        "definitions": {"level": level},
        "type": "object",
        "properties": {"r": {"$ref": "#/definitions/level"}, "g": {"$ref": "#/definitions/level"}},
        "required": ["r"],
    });
    let created = create(&app, "color", &schema).await.expect(201).json();
    assert_eq!(
        created["channels"].as_array().map(Vec::len),
        Some(2),
        "/g and /r: {created}"
    );
    let user = Uuid::new_v4();
    let bad = session(
        user,
        Uuid::new_v4(),
        START,
        &[point("color", START, &json!({"r": 256}))],
    );
    let response = app.post("/api/sessions/", &bad).await;
    assert_problem(&response, 422, "invalid_session");
    assert_eq!(response.faults(), ["/data/0/value/r schema_violation"]);
    let _ = store(
        &app,
        user,
        START,
        &[
            point("color", START, &json!({"r": 1, "g": 3})),
            point("color", START, &json!({"r": 2})),
        ],
    )
    .await;
    assert_rows(
        &get_timeseries(&app, user, &JANUARY).await,
        &[(START, "color", json!({"r": 1.5, "g": 3}))],
    );
    // A recursive schema is valid.
    let tree = json!({"type": "object", "properties": {"size": {"type": "number"}, "child": {"$ref": "#"}}});
    let created = create(&app, "tree", &tree).await.expect(201).json();
    assert!(
        created["channels"]
            .as_array()
            .is_some_and(|all| all.contains(&json!("/size"))),
        "{created}"
    );
}

async fn every_numeric_leaf_is_a_channel(backend: Backend) {
    let app = TestApp::start(backend).await;
    let number = json!({"type": "number"});
    let cases: [(Value, &[&str]); 9] = [
        (number.clone(), &[""]),
        (json!({"type": "integer", "minimum": 0}), &[""]),
        (json!({"type": ["number", "null"]}), &[""]),
        (
            json!({"type": "object", "properties": {"value": number}}),
            &["/value"],
        ),
        (
            json!({"type": "object", "properties": {"r": number, "b": {"type": "integer"}, "name": {"type": "string"}}}),
            &["/b", "/r"],
        ),
        (
            json!({"type": "object", "properties": {"pos": {"type": "object", "properties": {"x": number, "y": number}}, "ok": {"type": "boolean"}}}),
            &["/pos/x", "/pos/y"],
        ),
        (
            json!({"type": "object", "properties": {"a/b": number, "c~d": number}}),
            &["/a~1b", "/c~0d"],
        ),
        (json!({"type": "string"}), &[]),
        (
            json!({"type": "object", "properties": {"value": {"enum": ["a", "b"]}}}),
            &[],
        ),
    ];
    for (i, (schema, expected)) in cases.iter().enumerate() {
        let created = create(&app, &format!("s{i}"), schema)
            .await
            .expect(201)
            .json();
        let channels: BTreeSet<_> = created["channels"]
            .as_array()
            .expect("channels")
            .iter()
            .filter_map(Value::as_str)
            .collect();
        assert_eq!(channels, expected.iter().copied().collect(), "{schema}");
    }
}

async fn nested_leaves_stay_nested_in_results(backend: Backend) {
    let app = TestApp::start(backend).await;
    let number = json!({"type": "number"});
    let pos = json!({"type": "object", "properties": {"x": number, "y": number}});
    app.metric_type(
        "place",
        &json!({"type": "object", "properties": {"pos": pos, "speed": number, "note": {"type": "string"}}}),
    )
    .await;
    app.metric_type("bare", &json!({"type": ["number", "null"]}))
        .await;
    let user = Uuid::new_v4();
    let data = [
        point(
            "place",
            START,
            &json!({"pos": {"x": 1, "y": -1}, "speed": 10, "note": "a"}),
        ),
        point(
            "place",
            START,
            &json!({"pos": {"x": 3}, "note": "b", "undeclared": 5}),
        ),
        point("bare", START, &json!(4)),
        point("bare", START, &json!(null)),
    ];
    let _ = store(&app, user, START, &data).await;
    let place = json!({"pos": {"x": 2, "y": -1}, "speed": 10});
    assert_rows(
        &get_timeseries(&app, user, &JANUARY).await,
        &[(START, "bare", json!(4)), (START, "place", place)],
    );
    let several = [("agg_func", "max,count"), ("series", "place")];
    let both = json!({"max": {"pos": {"x": 3, "y": -1}, "speed": 10}, "count": {"pos": {"x": 2, "y": 1}, "speed": 1}});
    assert_rows(
        &get_timeseries(&app, user, &[JANUARY.as_slice(), &several].concat()).await,
        &[(START, "place", both)],
    );
}

async fn the_default_dialect_of_schemas_is_draft_7(backend: Backend) {
    let app = TestApp::start(backend).await;
    let pair = json!({"type": "array", "prefixItems": [{"type": "boolean"}]});
    let mut new = pair.clone();
    new["$schema"] = json!("https://json-schema.org/draft/2020-12/schema");
    let mut old = pair.clone();
    old["$schema"] = json!("http://json-schema.org/draft-07/schema#");
    for (series, schema, status) in [
        ("unsaid", &pair, 201),
        ("old", &old, 201),
        ("new", &new, 422),
    ] {
        app.metric_type(series, schema).await;
        let body = session(
            Uuid::new_v4(),
            Uuid::new_v4(),
            START,
            &[point(series, START, &json!(["not a boolean"]))],
        );
        let response = app.post("/api/sessions/", &body).await;
        assert_eq!(
            response.status.as_u16(),
            status,
            "{series}: {}",
            response.text
        );
    }
    let unknown = create(
        &app,
        "x",
        &json!({"$schema": "http://example.com/my-own-schema", "type": "number"}),
    )
    .await;
    assert_problem(&unknown, 422, "invalid_metric_type");
}

async fn leaves_behind_every_reference_are_channels(backend: Backend) {
    let app = TestApp::start(backend).await;
    let schema = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "https://example.com/recording.json",
        "type": "object",
        "properties": {
            "identified": {"$ref": "unit.json"},
            "anchored": {"$ref": "#level"},
            "escaped": {"$ref": "#/$defs/per%20cent%25"},
            "inner": {"$ref": "box.json"}
        },
        "$defs": {
            "unit": {"$id": "unit.json", "properties": {"value": {"type": "number"}}},
            "level": {"$anchor": "level", "type": "integer"},
            "per cent%": {"type": "number"},
            "leaf": {"type": "string"},
            "box": {"$id": "box.json", "$ref": "#/$defs/leaf", "$defs": {"leaf": {"type": "number"}}}
        }
    });
    let created = create(&app, "bundled", &schema).await.expect(201);
    let mut channels: Vec<String> =
        serde_json::from_value(created.json()["channels"].clone()).expect("a list of pointers");
    channels.sort();
    assert_eq!(
        channels,
        ["/anchored", "/escaped", "/identified/value", "/inner"]
    );
    let user = Uuid::new_v4();
    let value = json!({"identified": {"value": 1}, "anchored": 2, "escaped": 3, "inner": 4});
    let _ = store(&app, user, START, &[point("bundled", START, &value)]).await;
    let response = get_timeseries(&app, user, &JANUARY).await;
    assert_rows(&response, &[(START, "bundled", value)]);
}

async fn two_leaves_of_one_name_are_rejected(backend: Backend) {
    let app = TestApp::start(backend).await;
    let number = json!({"type": "number"});
    let twice =
        json!({"properties": {"heart.rate": number, "heart": {"properties": {"rate": number}}}});
    let response = create(&app, "twice", &twice).await;
    assert_problem(&response, 422, "invalid_metric_type");
    assert!(response.text.contains("heart.rate"), "{}", response.text);
    // With a text beside it, only one of the two is a leaf that a row can describe.
    let once = json!({"properties": {"heart.rate": number, "heart": {"properties": {"rate": {"type": "string"}}}}});
    let _ = create(&app, "once", &once).await.expect(201);
}

async fn a_name_that_a_url_cannot_contain_is_rejected(backend: Backend) {
    let app = TestApp::start(backend).await;
    for name in [".", ".."] {
        assert_problem(
            &create(&app, name, &json!({"type": "number"})).await,
            422,
            "invalid_metric_type",
        );
    }
    for name in ["...", ".a", "a."] {
        let _ = create(&app, name, &json!({"type": "number"}))
            .await
            .expect(201);
    }
}

async fn an_invalid_pattern_is_rejected_with_a_reason(backend: Backend) {
    let app = TestApp::start(backend).await;
    for pattern in ["(?=a)b", "(?!a)b", "(a)\\1"] {
        let response = create(&app, "x", &json!({"type": "string", "pattern": pattern})).await;
        assert_problem(&response, 422, "invalid_metric_type");
        assert!(response.text.contains("lookaround"), "{}", response.text);
    }
}
