//! CSV and NDJSON, byte by byte.

use serde_json::{Value, json};
use time_series_testkit::{Backend, TestApp};
use uuid::Uuid;

use crate::common::{SCORE, START, point, score, store};
use crate::on_both_servers;
use crate::queries::support::{
    WORDS, csv_table, january, ndjson, points, spelled_values, unordered, with_all_series,
};

on_both_servers![
    aggregates_as_ndjson,
    points_as_ndjson,
    text_results_are_complete,
    an_empty_result_has_header_and_end,
    numbers_keep_their_full_precision,
    the_end_record_can_be_omitted,
];

/// Everything that CSV must quote.
pub(super) const ODD: [&str; 7] = [
    "a,b",
    "say \"hi\"",
    "two\nlines",
    "cr\r\nlf",
    " spaces ",
    "ünï\u{1F600}",
    "#hash",
];

/// Stores 1.5 and 2.5 on the first day, 4.25 on the second.
pub(super) async fn three_scores(backend: Backend) -> (TestApp, Uuid, Uuid) {
    let app = TestApp::with(backend).start().await;
    with_all_series(&app).await;
    let user = Uuid::new_v4();
    let data = [
        score(START, 1.5),
        score("2025-01-01T00:00:01.25Z", 2.5),
        score("2025-01-02T00:00:00Z", 4.25),
    ];
    let id = store(&app, user, START, &data).await;
    (app, user, id)
}

pub(super) fn lines(text: &str) -> Vec<&str> {
    assert!(text.ends_with('\n'), "{text:?}");
    text.lines().collect()
}

async fn aggregates_as_ndjson(backend: Backend) {
    let (app, user, _) = three_scores(backend).await;
    let response = january(&app, user, &[("interval", "day"), ("format", "ndjson")])
        .await
        .expect(200);
    let (rows, end) = ndjson(&response.text);
    let row = |bucket: &str, value: f64| json!({"bucket": bucket, "series": SCORE, "value": value});
    assert_eq!(rows, [row(START, 2.0), row("2025-01-02T00:00:00Z", 4.25)]);
    assert_eq!(end, json!({"end": true, "count": 2}));
    let response = january(
        &app,
        user,
        &[("interval", "day"), ("format", "ndjson"), ("shape", "flat")],
    )
    .await
    .expect(200);
    let (rows, end) = ndjson(&response.text);
    let row = |bucket: &str, value: f64| json!({"bucket": bucket, "series": SCORE, "leaf": "value", "value": value});
    assert_eq!(rows, [row(START, 2.0), row("2025-01-02T00:00:00Z", 4.25)]);
    assert_eq!(end, json!({"end": true, "count": 2}));
}

async fn points_as_ndjson(backend: Backend) {
    let (app, user, id) = three_scores(backend).await;
    let (rows, end) = ndjson(
        &points(&app, user, &[("format", "ndjson")])
            .await
            .expect(200)
            .text,
    );
    let row = |time: &str, value: f64| json!({"session_id": id, "series": SCORE, "time": time, "value": {"value": value}});
    let all = [
        row(START, 1.5),
        row("2025-01-01T00:00:01.25Z", 2.5),
        row("2025-01-02T00:00:00Z", 4.25),
    ];
    assert_eq!(rows, all);
    assert_eq!(end, json!({"end": true, "count": 3, "next_cursor": null}));
    let (rows, end) = ndjson(
        &points(&app, user, &[("format", "ndjson"), ("limit", "2")])
            .await
            .expect(200)
            .text,
    );
    assert_eq!((rows.as_slice(), &end["count"]), (&all[..2], &json!(2)));
    let cursor = end["next_cursor"].as_str().expect("more to come");
    let (rows, end) = ndjson(
        &points(&app, user, &[("format", "ndjson"), ("cursor", cursor)])
            .await
            .expect(200)
            .text,
    );
    assert_eq!(rows, all[2..]);
    assert_eq!(end, json!({"end": true, "count": 1, "next_cursor": null}));
}

/// A text result is in its own column or in `value`, as text or as JSON, and always complete.
async fn text_results_are_complete(backend: Backend) {
    let (app, _, _) = three_scores(backend).await;
    for odd in ODD {
        let user = Uuid::new_v4();
        let _ = store(&app, user, START, &[point(WORDS, START, &json!(odd))]).await;
        let parameters = [("series", WORDS), ("agg_func", "last"), ("interval", "all")];
        let response = january(&app, user, &parameters).await.expect(200);
        assert_eq!(response.rows()[0].value, odd);
        let flat = january(
            &app,
            user,
            &[parameters.as_slice(), &[("shape", "flat")]].concat(),
        )
        .await
        .expect(200);
        let row = json!({"bucket": START, "series": WORDS, "leaf": null, "value": odd});
        assert_eq!(unordered(&crate::common::results(&flat)), unordered(&[row]));
        let table = january(
            &app,
            user,
            &[parameters.as_slice(), &[("format", "csv")]].concat(),
        )
        .await
        .expect(200);
        let (_, rows, _) = csv_table(&table.text);
        assert_eq!(rows.len(), 1, "{}", table.text);
        assert_eq!(rows[0]["leaf"], "", "{}", table.text);
        let cells = ["value_text", "value"]
            .iter()
            .filter_map(|name| rows[0].get(*name)?.as_str());
        let whole =
            |cell: &str| cell == odd || serde_json::from_str::<Value>(cell).is_ok_and(|v| v == odd);
        assert!(cells.clone().any(whole), "{odd:?}: {}", table.text);
    }
}

async fn an_empty_result_has_header_and_end(backend: Backend) {
    let (app, _, _) = three_scores(backend).await;
    let user = Uuid::new_v4();
    let response = january(&app, user, &[("format", "csv")]).await.expect(200);
    assert_eq!(lines(&response.text), ["bucket,series,leaf,value"]);
    let response = january(&app, user, &[("format", "ndjson")])
        .await
        .expect(200);
    assert_eq!(
        ndjson(&response.text),
        (Vec::new(), json!({"end": true, "count": 0}))
    );
    let response = points(&app, user, &[("format", "csv")]).await.expect(200);
    assert_eq!(
        lines(&response.text),
        ["time,series,session_id,leaf,value,text", "# end of 0 rows"]
    );
    let response = points(&app, user, &[("format", "ndjson")])
        .await
        .expect(200);
    assert_eq!(
        ndjson(&response.text),
        (
            Vec::new(),
            json!({"end": true, "count": 0, "next_cursor": null})
        )
    );
}

async fn numbers_keep_their_full_precision(backend: Backend) {
    let (app, _, _) = three_scores(backend).await;
    let user = Uuid::new_v4();
    let exact = [
        0.1 + 0.2,
        5e-324,
        -1.797e-300,
        9.999_999_999_999_999e139,
        9_007_199_254_740_992.0,
        1.0 / 3.0,
    ];
    let data: Vec<_> = (0..)
        .zip(exact)
        .map(|(i, v)| score(&crate::queries::support::at(86_400 * i), v))
        .collect();
    let _ = store(&app, user, START, &data).await;
    let bits = |all: &[f64]| all.iter().map(|v| v.to_bits()).collect::<Vec<_>>();
    let cells = |text: &str| -> Vec<f64> {
        let (_, rows, _) = csv_table(text);
        rows.iter()
            .map(|row| {
                row["value"]
                    .as_str()
                    .expect("a cell")
                    .parse()
                    .expect("a number")
            })
            .collect()
    };
    let day = [("interval", "day"), ("agg_func", "last")];
    for format in ["json", "ndjson"] {
        let more = [("format", format)];
        let response = january(&app, user, &[day.as_slice(), &more].concat())
            .await
            .expect(200);
        assert_eq!(
            bits(&spelled_values(&response.text)),
            bits(&exact),
            "{}",
            response.text
        );
        let response = points(&app, user, &more).await.expect(200);
        assert_eq!(
            bits(&spelled_values(&response.text)),
            bits(&exact),
            "{}",
            response.text
        );
    }
    let response = january(&app, user, &[day.as_slice(), &[("format", "csv")]].concat())
        .await
        .expect(200);
    assert_eq!(
        bits(&cells(&response.text)),
        bits(&exact),
        "{}",
        response.text
    );
    let response = points(&app, user, &[("format", "csv")]).await.expect(200);
    assert_eq!(
        bits(&cells(&response.text)),
        bits(&exact),
        "{}",
        response.text
    );
}

async fn the_end_record_can_be_omitted(backend: Backend) {
    let (app, user, _) = three_scores(backend).await;
    for format in ["ndjson", "csv"] {
        let all = points(&app, user, &[("format", format)]).await.expect(200);
        let bare = points(&app, user, &[("format", format), ("end", "none")])
            .await
            .expect(200);
        let record = points(&app, user, &[("format", format), ("end", "record")])
            .await
            .expect(200);
        assert_eq!(record.text, all.text, "the default");
        let (rows, last) = all
            .text
            .trim_end()
            .rsplit_once('\n')
            .expect("several lines");
        assert_eq!(bare.text.trim_end(), rows.trim_end(), "{format}");
        assert!(last.contains("end"), "{last}");
    }
    for shape in ["nested", "flat"] {
        let parameters = [("interval", "day"), ("format", "ndjson"), ("shape", shape)];
        let all = january(&app, user, &parameters).await.expect(200);
        let bare = january(
            &app,
            user,
            &[parameters.as_slice(), &[("end", "none")]].concat(),
        )
        .await
        .expect(200);
        let (rows, _) = all
            .text
            .trim_end()
            .rsplit_once('\n')
            .expect("several lines");
        assert_eq!(bare.text.trim_end(), rows, "{shape}");
        assert_ne!(
            all.headers["etag"], bare.headers["etag"],
            "the responses differ"
        );
    }
}
