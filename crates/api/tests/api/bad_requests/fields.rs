//! Members of sessions and points that are missing, unknown, duplicated or of the wrong type.

use serde_json::{Value, json};
use time_series_testkit::Backend;
use uuid::Uuid;

use crate::bad_requests::Case;
use crate::common::{COLOR, SCORE, START, assert_problem, point, score};
use crate::on_both_servers;

on_both_servers![
    a_missing_member_is_named,
    an_unknown_member_is_named,
    a_duplicate_member_is_rejected,
    a_member_of_the_wrong_type_is_named,
    ids_that_are_not_uuids_are_rejected,
    an_unknown_series_is_rejected_with_similar_names,
    all_faults_are_reported_together,
    a_hundred_faults_are_listed_and_all_are_counted,
    a_fault_names_its_point_and_series,
];

async fn a_missing_member_is_named(backend: Backend) {
    let case = Case::new(backend).await;
    for (member, fault) in [
        ("user_id", "/user_id missing_field"),
        ("data", "/data missing_field"),
    ] {
        let mut body = case.body(&[score(START, 1.0)]);
        body.as_object_mut().expect("an object").remove(member);
        let _ = case.assert_rejected(&body.to_string(), &[fault]).await;
    }
    for member in ["series", "time", "value"] {
        let mut body = case.body(&[score(START, 1.0), score(START, 2.0)]);
        body["data"][1]
            .as_object_mut()
            .expect("an object")
            .remove(member);
        let _ = case
            .assert_rejected(
                &body.to_string(),
                &[&format!("/data/1/{member} missing_field")],
            )
            .await;
    }
    let _ = case
        .assert_rejected("{}", &["/user_id missing_field", "/data missing_field"])
        .await;
    let empty = [
        "/data/0/series missing_field",
        "/data/0/time missing_field",
        "/data/0/value missing_field",
    ];
    let _ = case
        .assert_rejected(&case.body(&[json!({})]).to_string(), &empty)
        .await;
}

async fn an_unknown_member_is_named(backend: Backend) {
    let case = Case::new(backend).await;
    let mut body = case.body(&[score(START, 1.0)]);
    body["sesion_id"] = json!(Uuid::new_v4());
    let _ = case
        .assert_rejected(&body.to_string(), &["/sesion_id unknown_field"])
        .await;
    let mut body = case.body(&[score(START, 1.0)]);
    body["data"][0]["unit"] = json!("bpm");
    body["data"][0]["a/b~c"] = json!({"deep": [1]});
    let _ = case
        .assert_rejected(
            &body.to_string(),
            &[
                "/data/0/unit unknown_field",
                "/data/0/a~1b~0c unknown_field",
            ],
        )
        .await;
}

async fn a_duplicate_member_is_rejected(backend: Backend) {
    let case = Case::new(backend).await;
    let body = case.body(&[score(START, 1.0)]).to_string();
    let members = [
        (
            "\"user_id\":",
            format!("\"user_id\":\"{}\",", case.user),
            "/user_id duplicate_key",
        ),
        (
            "\"start_ts\":",
            format!("\"start_ts\":\"{START}\","),
            "/start_ts duplicate_key",
        ),
        (
            "\"data\":",
            "\"data\":[],".to_owned(),
            "/data duplicate_key",
        ),
        (
            "\"series\":",
            format!("\"series\":\"{SCORE}\","),
            "/data/0/series duplicate_key",
        ),
        (
            "\"time\":",
            format!("\"time\":\"{START}\","),
            "/data/0/time duplicate_key",
        ),
        (
            "\"value\":{",
            "\"value\":{\"value\":1.0},".to_owned(),
            "/data/0/value duplicate_key",
        ),
    ];
    for (member, before, fault) in members {
        let _ = case
            .assert_rejected(&body.replacen(member, &(before + member), 1), &[fault])
            .await;
    }
}

async fn a_member_of_the_wrong_type_is_named(backend: Backend) {
    let case = Case::new(backend).await;
    for wrong in [json!(7), json!(true), json!({}), json!({"data": []})] {
        let mut body = case.body(&[score(START, 1.0)]);
        body["data"] = wrong.clone();
        let _ = case
            .assert_rejected(&body.to_string(), &["/data invalid_type"])
            .await;
        // A number is neither a text nor a UUID.
        for (member, own) in [
            ("user_id", "invalid_uuid"),
            ("session_id", "invalid_uuid"),
            ("start_ts", "invalid_time"),
        ] {
            let mut body = case.body(&[score(START, 1.0)]);
            body[member] = wrong.clone();
            let response = case.post(&body.to_string()).await;
            assert_problem(&response, 422, "invalid_session");
            let either = [
                format!("/{member} invalid_type"),
                format!("/{member} {own}"),
            ];
            assert!(
                either.contains(&response.faults()[0]) && response.faults().len() == 1,
                "{}",
                response.text
            );
            case.assert_nothing_stored().await;
        }
    }
    let _ = case
        .assert_rejected(
            &case.body(&[]).to_string().replace("[]", "\"[]\""),
            &["/data invalid_type"],
        )
        .await;
    for wrong in [json!(7), Value::Null, json!([]), json!("point")] {
        let _ = case
            .assert_rejected(
                &case.body(&[score(START, 1.0), wrong]).to_string(),
                &["/data/1 invalid_type"],
            )
            .await;
    }
    for member in ["series", "time"] {
        for wrong in [json!(1_735_689_600), Value::Null, json!([START])] {
            let mut body = case.body(&[score(START, 1.0)]);
            body["data"][0][member] = wrong;
            let faults = case.post(&body.to_string()).await.expect(422).faults();
            let either = [
                format!("/data/0/{member} invalid_type"),
                format!("/data/0/{member} invalid_time"),
            ];
            assert!(
                either.contains(&faults[0]) && faults.len() == 1,
                "{faults:?}"
            );
            case.assert_nothing_stored().await;
        }
    }
}

async fn ids_that_are_not_uuids_are_rejected(backend: Backend) {
    let case = Case::new(backend).await;
    for wrong in [
        "",
        "me",
        "uuid4",
        "5a8c9f42-8a55-4c1e-9a40-2b6a2f1d6c0",
        "5a8c9f42-8a55-4c1e-9a40-2b6a2f1d6c0g",
        " 5a8c9f42-8a55-4c1e-9a40-2b6a2f1d6c01",
    ] {
        for member in ["user_id", "session_id"] {
            let mut body = case.body(&[score(START, 1.0)]);
            body[member] = json!(wrong);
            let _ = case
                .assert_rejected(&body.to_string(), &[&format!("/{member} invalid_uuid")])
                .await;
        }
    }
}

async fn an_unknown_series_is_rejected_with_similar_names(backend: Backend) {
    let case = Case::new(backend).await;
    let value = json!({"r": 1, "g": 1, "b": 1});
    for (wrong, near) in [
        ("session.urine.colour", COLOR),
        ("session.Urine.color", COLOR),
        ("session.gut_helth_score", SCORE),
    ] {
        let body = case.body(&[score(START, 1.0), point(wrong, START, &value)]);
        let response = case
            .assert_rejected(&body.to_string(), &["/data/1/series unknown_series"])
            .await;
        let message = response.problem().errors[0].message.clone();
        assert!(message.contains(near), "{wrong}: {message}");
    }
    // Patterns are for queries only.
    for wrong in [
        "",
        "session.urine.*",
        "no suggestion",
        "session.urine.color ",
    ] {
        let _ = case
            .assert_rejected(
                &case.body(&[point(wrong, START, &value)]).to_string(),
                &["/data/0/series unknown_series"],
            )
            .await;
    }
}

async fn all_faults_are_reported_together(backend: Backend) {
    let case = Case::new(backend).await;
    let body = json!({
        "user_id": case.user,
        "session_id": "mine",
        "begin": START,
        "data": [
            score(START, 1.0),
            point("session.sleep", START, &json!(1)),
            point(COLOR, START, &json!({"r": "red", "g": 0, "b": []})),
            point(SCORE, "yesterday", &json!({"value": "high"})),
            score(START, 2.0),
            {"series": SCORE, "value": {"value": 3}, "quality": "good"},
        ],
    });
    let faults = [
        "/session_id invalid_uuid",
        "/begin unknown_field",
        "/data/1/series unknown_series",
        "/data/2/value/r schema_violation",
        "/data/2/value/b schema_violation",
        "/data/3/time invalid_time",
        "/data/3/value/value schema_violation",
        "/data/5/time missing_field",
        "/data/5/quality unknown_field",
    ];
    let _ = case.assert_rejected(&body.to_string(), &faults).await;
}

async fn a_hundred_faults_are_listed_and_all_are_counted(backend: Backend) {
    let case = Case::new(backend).await;
    let data: Vec<_> = (0..250)
        .map(|i| {
            if i % 2 == 0 {
                score(START, 1.0)
            } else {
                score("never", 1.0)
            }
        })
        .collect();
    let response = case.post(&case.body(&data).to_string()).await;
    assert_problem(&response, 422, "invalid_session");
    let expected: Vec<_> = (0..100)
        .map(|i| format!("/data/{}/time invalid_time", 2 * i + 1))
        .collect();
    assert_eq!(
        response.faults(),
        expected,
        "the first hundred, in their order"
    );
    assert_eq!(response.problem().total_errors, 125);
    case.assert_nothing_stored().await;
}

async fn a_fault_names_its_point_and_series(backend: Backend) {
    let case = Case::new(backend).await;
    let body = case
        .body(&[score(START, 1.0), score("never", 1.0)])
        .to_string();
    let error = case
        .assert_rejected(&body, &["/data/1/time invalid_time"])
        .await
        .json()["errors"][0]
        .clone();
    assert_eq!(
        (&error["index"], &error["series"]),
        (&json!(1), &json!(SCORE))
    );
    assert!(error["message"].as_str().is_some_and(|m| !m.is_empty()));
    let error = case
        .assert_rejected("{\"data\": []}", &["/user_id missing_field"])
        .await
        .json()["errors"][0]
        .clone();
    assert!(
        error["index"].is_null() && error["series"].is_null(),
        "the fault is not about a point: {error}"
    );
}
