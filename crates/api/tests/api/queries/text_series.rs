//! Numeric functions of series whose values are texts.

use serde_json::json;
use time_series_testkit::{Backend, TestApp};
use uuid::Uuid;

use crate::common::{NOTE, SCORE, START, assert_rows, point, score, store};
use crate::on_both_servers;
use crate::queries::support::{BARE, WORDS, january, skipped, with_all_series};

on_both_servers![
    a_numeric_function_of_a_named_text_series_is_rejected,
    a_numeric_function_skips_text_series_that_match_a_pattern,
];

async fn with_texts(backend: Backend) -> (TestApp, Uuid) {
    let app = TestApp::with(backend).start().await;
    with_all_series(&app).await;
    let user = Uuid::new_v4();
    let data = [
        point(NOTE, START, &json!({"value": "b"})),
        point(WORDS, START, &json!("a")),
        point(BARE, START, &json!(3)),
        score(START, 4.0),
    ];
    let _ = store(&app, user, START, &data).await;
    (app, user)
}

async fn a_numeric_function_of_a_named_text_series_is_rejected(backend: Backend) {
    let (app, user) = with_texts(backend).await;
    for series in [NOTE, "session.gut_health_score,words"] {
        for function in ["p90", "median", "range", "time_avg", "mode,p90"] {
            let response = january(&app, user, &[("series", series), ("agg_func", function)]).await;
            assert_eq!(
                response.status.as_u16(),
                422,
                "{function} of {series}: {}",
                response.text
            );
            assert!(
                response.faults()[0].ends_with(" no_numbers"),
                "{function} of {series}: {}",
                response.text
            );
        }
        let query = [
            ("series", series),
            ("agg_func", "mode,distinct"),
            ("interval", "month"),
        ];
        let _ = january(&app, user, &query).await.expect(200);
    }
}

async fn a_numeric_function_skips_text_series_that_match_a_pattern(backend: Backend) {
    let (app, user) = with_texts(backend).await;
    for function in ["p90", "median", "time_avg"] {
        for pattern in [None, Some("*"), Some("o|e")] {
            let pattern: Vec<_> = pattern.map(|p| ("series", p)).into_iter().collect();
            let query = [
                &[("agg_func", function), ("interval", "month")],
                pattern.as_slice(),
            ]
            .concat();
            let response = january(&app, user, &query).await;
            assert_rows(
                &response,
                &[(START, BARE, json!(3)), (START, SCORE, json!(4))],
            );
            assert_eq!(skipped(&response), [NOTE, WORDS], "{function}");
        }
    }
}
