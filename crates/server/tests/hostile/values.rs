//! Small schemas and values that are expensive to check.

use serde_json::json;
use uuid::Uuid;

use crate::client::post;
use crate::service::{Service, WellBehavedUser};

#[tokio::test]
async fn schema_bombs_are_rejected_on_definition_or_use() {
    let service = Service::start(&[]).await;
    let good = WellBehavedUser::start(&service);
    let branch = |more: serde_json::Value| {
        let mut branch =
            json!({"type": "object", "required": ["a"], "properties": {"a": {"$ref": "#"}}});
        branch
            .as_object_mut()
            .expect("an object")
            .extend(more.as_object().cloned().unwrap_or_default());
        branch
    };
    for (number, keyword) in ["anyOf", "oneOf"].into_iter().enumerate() {
        let schema = json!({keyword: [branch(json!({})), branch(json!({"minProperties": 1}))]});
        let series = format!("bomb{number}");
        let body = json!({"series": series, "schema": schema}).to_string();
        let reply = post(&service, 2, "/api/metrictypes/", body.as_bytes()).await;
        if reply.status == 422 {
            continue;
        }
        assert_eq!(reply.status, 201, "{}", reply.text());
        for depth in [18, 30, 60] {
            let value = format!("{}\"x\"{}", "{\"a\":".repeat(depth), "}".repeat(depth));
            let body = format!(
                r#"{{"user_id":"{}","data":[{{"series":"{series}","time":"2025-01-01T00:00:00Z","value":{value}}}]}}"#,
                Uuid::new_v4()
            );
            let reply = post(&service, 2, "/api/sessions/", body.as_bytes()).await;
            assert_eq!(reply.status, 422, "{}", reply.text());
        }
    }
    let mut chain = json!({"type": "string"});
    let mut definitions = serde_json::Map::new();
    for n in 0..22 {
        definitions.insert(format!("d{n}"), chain);
        let next = json!({"$ref": format!("#/definitions/d{n}")});
        chain = json!({"anyOf": [next, next]});
    }
    chain["definitions"] = definitions.into();
    let body = json!({"series": "chain", "schema": chain}).to_string();
    assert_eq!(
        post(&service, 2, "/api/metrictypes/", body.as_bytes())
            .await
            .status,
        422
    );
    good.stop().await;
    service.check().await;
}

#[tokio::test]
async fn nested_values_are_stored_and_read_one_at_a_time() {
    let service = Service::start(&[]).await;
    let good = WellBehavedUser::start(&service);
    let user = Uuid::new_v4();
    let value = format!("[{}1]", "[],".repeat(100_000));
    let point = |n: usize| {
        format!(r#"{{"series":"any","time":"2025-01-01T00:00:{n:02}Z","value":{value}}}"#)
    };
    let body = format!(
        r#"{{"user_id":"{user}","data":[{}]}}"#,
        (0..40).map(point).collect::<Vec<_>>().join(",")
    );
    let reply = post(&service, 2, "/api/sessions/", body.as_bytes()).await;
    assert_eq!(reply.status, 201, "{}", reply.text());
    let reply = crate::client::get(
        &service,
        2,
        &format!("/api/points/?user_id={user}&format=ndjson"),
    )
    .await;
    assert!(
        reply.status == 200 && reply.bytes.len() > 12_000_000,
        "{} {}",
        reply.status,
        reply.bytes.len()
    );
    good.stop().await;
    service.check().await;
}

#[tokio::test]
async fn sparse_leaves_take_no_memory() {
    let service = Service::start(&[]).await;
    let properties: serde_json::Map<_, _> = (0..256)
        .map(|n| (format!("l{n}"), json!({"type": "number"})))
        .collect();
    service
        .metric_type("wide", &json!({"type": "object", "properties": properties}))
        .await;
    let good = WellBehavedUser::start(&service);
    let values = vec!["1.1"; 200_000].join(",");
    let body = format!(
        r#"{{"user_id":"{}","data":[{{"series":"wide","times":{{"start":"2025-01-01T00:00:00Z","step":"100ms"}},"values":{{"l7":[{values}]}}}}]}}"#,
        Uuid::new_v4()
    );
    let reply = post(&service, 2, "/api/sessions/", body.as_bytes()).await;
    assert_eq!(reply.status, 422, "{}", reply.text());
    good.stop().await;
    service.check().await;
}
