//! Accepted values are returned unchanged.

use serde_json::{Value, json};
use time_series_testkit::{Backend, TestApp};
use uuid::Uuid;

use crate::common::{START, as_floats, results, score, store};
use crate::on_both_servers;
use crate::queries::support::{at, csv_table, metadata, ndjson, points, spelled_values};

on_both_servers![
    odd_values_come_back,
    long_integers_keep_all_digits,
    zero_keeps_its_sign,
    undeclared_zero_keeps_its_sign,
    doubles_round_trip_bit_for_bit,
    no_point_is_lost_in_flat_rows,
    nulls_are_kept_between_numbers,
];

/// Posts points of the series `pose` whose values are given as text.
async fn with_values(backend: Backend, values: &[&str]) -> (TestApp, Uuid) {
    let app = TestApp::start(backend).await;
    let (number, nullable) = (
        json!({"type": "number"}),
        json!({"type": ["number", "null"]}),
    );
    let place = json!({"type": "object", "properties": {"x": number, "y": number}});
    let schema = json!({"type": "object", "properties": {"value": nullable, "pos": place}});
    app.metric_type("pose", &schema).await;
    let user = Uuid::new_v4();
    let data = (0..)
        .zip(values)
        .map(|(i, v)| format!(r#"{{"series":"pose","time":"{}","value":{v}}}"#, at(i)));
    let data = data.collect::<Vec<_>>().join(",");
    let body = format!(r#"{{"user_id":"{user}","start_ts":"{START}","data":[{data}]}}"#);
    let _ = app.post_text("/api/sessions/", &body).await.expect(201);
    (app, user)
}

const ODD: [&str; 14] = [
    r#"{"value": 1.5, "pos": {"x": 1, "y": -2.25}, "note": "left, \"odd\"\n", "tags": [1, null, {"deep": [[]]}]}"#,
    r#"{"value": null}"#,
    r"{}",
    r#"{"pos": {}}"#,
    r#"{"pos": {"x": 0.1}}"#,
    r#"{"pos": {"z": "deep", "y": 3}}"#,
    r#"{"value": null, "pos": {"x": 1}, "note": null}"#,
    r#"{"only": "undeclared", "": "empty key", "a/b~c": "odd key", "a.b": "dotted key"}"#,
    r#"{"pos.x": 5, "value": 2}"#,
    r#"{"note": "ünï\u0001\u007f\ud83d\ude00 \\ / \t"}"#,
    r#"{"flags": [true, false], "value": 0}"#,
    r#"{"value": -1e-7, "exact": 1e-320}"#,
    r#"{"value": 123456.789, "again": 123456.789}"#,
    r#"{"nested": {"value": 1, "pos": {"x": [1.5]}}}"#,
];

fn parsed() -> Vec<Value> {
    ODD.map(|text| as_floats(&serde_json::from_str(text).expect(text)))
        .to_vec()
}

async fn odd_values_come_back(backend: Backend) {
    let (app, user) = with_values(backend, &ODD).await;
    let response = points(&app, user, &[]).await.expect(200);
    let values: Vec<_> = results(&response)
        .iter()
        .map(|row| as_floats(&row["value"]))
        .collect();
    assert_eq!(values, parsed());
    let lines = points(&app, user, &[("format", "ndjson"), ("order", "desc")])
        .await
        .expect(200);
    let values: Vec<_> = ndjson(&lines.text)
        .0
        .iter()
        .rev()
        .map(|row| as_floats(&row["value"]))
        .collect();
    assert_eq!(values, parsed());
}

async fn long_integers_keep_all_digits(backend: Backend) {
    let digits = [
        "98765432109876543210",
        "-12345678901234567890123",
        "9007199254740993",
        "18446744073709551617",
    ];
    let values: Vec<_> = digits
        .iter()
        .map(|d| format!(r#"{{"value": {d}, "extra": [{d}]}}"#))
        .collect();
    let (app, user) = with_values(
        backend,
        &values.iter().map(String::as_str).collect::<Vec<_>>(),
    )
    .await;
    for format in ["json", "ndjson"] {
        let text = points(&app, user, &[("format", format)])
            .await
            .expect(200)
            .text;
        for digits in digits {
            assert_eq!(text.matches(digits).count(), 2, "{digits} in {text}");
        }
    }
    // In flat rows the leaf is the nearest double, and the text has all digits.
    let (_, rows, _) = csv_table(
        &points(&app, user, &[("format", "csv")])
            .await
            .expect(200)
            .text,
    );
    let texts: Vec<_> = rows
        .iter()
        .map(|row| row["text"].as_str().unwrap_or_default())
        .collect();
    for digits in digits {
        assert_eq!(
            texts
                .iter()
                .map(|text| text.matches(digits).count())
                .sum::<usize>(),
            2,
            "{digits} in {texts:?}"
        );
    }
    let leaves = rows.iter().filter(|row| row["leaf"] == "value");
    let leaves: Vec<f64> = leaves
        .map(|row| {
            row["value"]
                .as_str()
                .expect("a cell")
                .parse()
                .expect("a number")
        })
        .collect();
    assert_eq!(
        leaves,
        digits.map(|digits| digits.parse::<f64>().expect("a number"))
    );
}

async fn zero_keeps_its_sign(backend: Backend) {
    let values = [
        r#"{"value": -0.0}"#,
        r#"{"value": 0.0}"#,
        r#"{"value": -0.0, "x": 1}"#,
    ];
    let (app, user) = with_values(backend, &values).await;
    let response = points(&app, user, &[]).await.expect(200);
    let signs: Vec<_> = spelled_values(&response.text)
        .iter()
        .map(|value| value.is_sign_negative())
        .collect();
    assert_eq!(signs, [true, false, true], "{}", response.text);
}

async fn undeclared_zero_keeps_its_sign(backend: Backend) {
    let (app, user) = with_values(backend, &[r#"{"x": -0.0, "all": [-0.0]}"#]).await;
    let response = points(&app, user, &[]).await.expect(200);
    let value = &results(&response)[0]["value"];
    for number in [&value["x"], &value["all"][0]] {
        assert!(
            number.as_f64().is_some_and(f64::is_sign_negative),
            "{}",
            response.text
        );
    }
}

async fn doubles_round_trip_bit_for_bit(backend: Backend) {
    let app = TestApp::seeded(backend).await;
    let user = Uuid::new_v4();
    // Series that need few bits per value, and one that does not.
    let small = (0..100).map(f64::from);
    let cents = (0..100).map(|i| f64::from(i * 37) / 100.0);
    let odd = [
        0.1 + 0.2,
        5e-324,
        2.225_073_858_507_201_4e-308,
        -1e139,
        1.0 / 3.0,
        f64::EPSILON,
        1e-5,
        -0.0,
    ];
    let sent: Vec<f64> = small.chain(cents).chain(odd).collect();
    let data: Vec<_> = (0..)
        .zip(&sent)
        .map(|(i, value)| score(&at(i), *value))
        .collect();
    let _ = store(&app, user, START, &data).await;
    let bits = |all: &[f64]| all.iter().map(|value| value.to_bits()).collect::<Vec<_>>();
    let response = points(&app, user, &[]).await.expect(200);
    assert_eq!(bits(&spelled_values(&response.text)), bits(&sent));
}

/// The leaves of each point of a flat response, and its parsed text.
async fn no_point_is_lost_in_flat_rows(backend: Backend) {
    let (app, user) = with_values(backend, &ODD).await;
    let response = points(&app, user, &[("format", "csv")]).await.expect(200);
    let (_, rows, end) = csv_table(&response.text);
    assert_eq!(end, Some(format!("# end of {} rows", rows.len())));
    for (i, value) in (0..).zip(parsed()) {
        let mine: Vec<_> = rows.iter().filter(|row| row["time"] == at(i)).collect();
        assert!(!mine.is_empty(), "a point without a row: {value}");
        let mut leaves = Vec::new();
        let mut rest = Vec::new();
        for row in mine {
            let cell = |name: &str| row[name].as_str().unwrap_or_default();
            if cell("leaf").is_empty() {
                assert_eq!(cell("value"), "", "{value}");
                rest.push(
                    serde_json::from_str::<Value>(cell("text"))
                        .unwrap_or_else(|e| panic!("{e}: {row:?}")),
                );
            } else {
                assert_eq!(cell("text"), "", "{value}");
                leaves.push((
                    cell("leaf").to_owned(),
                    cell("value").parse::<f64>().expect("a number"),
                ));
            }
        }
        let declared = [
            ("value", "/value"),
            ("pos.x", "/pos/x"),
            ("pos.y", "/pos/y"),
        ];
        let expected = declared.iter().filter_map(|(leaf, pointer)| {
            Some(((*leaf).to_owned(), value.pointer(pointer)?.as_f64()?))
        });
        let mut expected: Vec<_> = expected.collect();
        expected.sort_by(|a, b| a.0.cmp(&b.0));
        leaves.sort_by(|a, b| a.0.cmp(&b.0));
        assert_eq!(leaves, expected, "{value}");
        assert!(
            rest.len() <= 1 && (!rest.is_empty() || !leaves.is_empty()),
            "{value}: {rest:?}"
        );
        for name in [
            "note", "tags", "only", "", "a/b~c", "flags", "exact", "again", "nested", "pos.x",
        ] {
            if let Some(undeclared) = value.get(name) {
                assert_eq!(
                    rest.first()
                        .and_then(|r| r.get(name))
                        .map(as_floats)
                        .as_ref(),
                    Some(undeclared),
                    "{value}"
                );
            }
        }
    }
}

async fn nulls_are_kept_between_numbers(backend: Backend) {
    let values = [
        r#"{"value":1}"#,
        r#"{"value":null}"#,
        r#"{"value":3}"#,
        r#"{"value":null}"#,
    ];
    let (app, user) = with_values(backend, &values).await;
    let response = points(&app, user, &[]).await.expect(200);
    let actual: Vec<_> = results(&response)
        .iter()
        .map(|row| row["value"]["value"].as_f64())
        .collect();
    assert_eq!(actual, [Some(1.0), None, Some(3.0), None]);
    assert!(
        results(&response)
            .iter()
            .all(|row| row["value"].get("value").is_some()),
        "null is not absent"
    );
    assert_eq!(metadata(&response)["count"], 4);
}
