//! Schemas: what is refused, which channels they make, and that they are kept to.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use time_series_testkit::{Answer, Backend, TestApp};
use uuid::Uuid;

use crate::common::{START, ask, assert_problem, assert_rows, point, session, store};
use crate::metric_types::JANUARY;
use crate::on_both_servers;

on_both_servers![
    a_schema_that_is_none_is_refused_at_its_place,
    a_reference_to_elsewhere_is_refused,
    a_reference_inside_the_document_is_followed,
    every_numeric_leaf_is_a_channel,
    nested_leaves_stay_nested_in_answers,
    a_schema_is_draft_7_unless_it_says_otherwise,
    leaves_behind_any_reference_are_channels,
    two_leaves_of_one_name_are_refused,
    a_name_that_no_url_can_hold_is_refused,
    a_pattern_that_is_not_taken_says_why,
];

async fn create(app: &TestApp, series: &str, schema: &Value) -> Answer {
    app.post(
        "/api/metrictypes/",
        &json!({"series": series, "schema": schema}),
    )
    .await
}

async fn a_schema_that_is_none_is_refused_at_its_place(backend: Backend) {
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
        let answer = create(&app, "x", &schema).await;
        assert_eq!(answer.status.as_u16(), 422, "{schema}: {}", answer.text);
        assert_problem(&answer, 422, "invalid_metric_type");
        assert!(
            answer.faults()[0].starts_with(&format!("{pointer} ")),
            "{schema}: {}",
            answer.text
        );
    }
    // A change is checked alike.
    app.metric_type("x", &json!({"type": "number"})).await;
    let answer = app
        .put("/api/metrictypes/x/", &json!({"schema": {"type": "numbr"}}))
        .await;
    assert_problem(&answer, 422, "invalid_metric_type");
    assert!(
        answer.faults()[0].starts_with("/schema/type "),
        "{}",
        answer.text
    );
}

async fn a_reference_to_elsewhere_is_refused(backend: Backend) {
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
            let answer = create(&app, "x", &schema).await;
            assert_eq!(answer.status.as_u16(), 422, "{schema}: {}", answer.text);
            assert_problem(&answer, 422, "invalid_metric_type");
            assert!(answer.faults()[0].starts_with("/schema"), "{}", answer.text);
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

async fn a_reference_inside_the_document_is_followed(backend: Backend) {
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
    let answer = app.post("/api/sessions/", &bad).await;
    assert_problem(&answer, 422, "invalid_session");
    assert_eq!(answer.faults(), ["/data/0/value/r schema_violation"]);
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
        &ask(&app, user, &JANUARY).await,
        &[(START, "color", json!({"r": 1.5, "g": 3}))],
    );
    // One that refers to itself has an end.
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

async fn nested_leaves_stay_nested_in_answers(backend: Backend) {
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
        &ask(&app, user, &JANUARY).await,
        &[(START, "bare", json!(4)), (START, "place", place)],
    );
    let several = [("agg_func", "max,count"), ("series", "place")];
    let both = json!({"max": {"pos": {"x": 3, "y": -1}, "speed": 10}, "count": {"pos": {"x": 2, "y": 1}, "speed": 1}});
    assert_rows(
        &ask(&app, user, &[JANUARY.as_slice(), &several].concat()).await,
        &[(START, "place", both)],
    );
}

async fn a_schema_is_draft_7_unless_it_says_otherwise(backend: Backend) {
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
            &[point(series, START, &json!(["no boolean"]))],
        );
        let answer = app.post("/api/sessions/", &body).await;
        assert_eq!(answer.status.as_u16(), status, "{series}: {}", answer.text);
    }
    let unknown = create(
        &app,
        "x",
        &json!({"$schema": "http://example.com/my-own-schema", "type": "number"}),
    )
    .await;
    assert_problem(&unknown, 422, "invalid_metric_type");
}

async fn leaves_behind_any_reference_are_channels(backend: Backend) {
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
    let answer = ask(&app, user, &JANUARY).await;
    assert_rows(&answer, &[(START, "bundled", value)]);
}

async fn two_leaves_of_one_name_are_refused(backend: Backend) {
    let app = TestApp::start(backend).await;
    let number = json!({"type": "number"});
    let twice =
        json!({"properties": {"heart.rate": number, "heart": {"properties": {"rate": number}}}});
    let answer = create(&app, "twice", &twice).await;
    assert_problem(&answer, 422, "invalid_metric_type");
    assert!(answer.text.contains("heart.rate"), "{}", answer.text);
    // With a text beside it, only one of them is a leaf that a row could be about.
    let once = json!({"properties": {"heart.rate": number, "heart": {"properties": {"rate": {"type": "string"}}}}});
    let _ = create(&app, "once", &once).await.expect(201);
}

async fn a_name_that_no_url_can_hold_is_refused(backend: Backend) {
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

async fn a_pattern_that_is_not_taken_says_why(backend: Backend) {
    let app = TestApp::start(backend).await;
    for pattern in ["(?=a)b", "(?!a)b", "(a)\\1"] {
        let answer = create(&app, "x", &json!({"type": "string", "pattern": pattern})).await;
        assert_problem(&answer, 422, "invalid_metric_type");
        assert!(answer.text.contains("lookaround"), "{}", answer.text);
    }
}
