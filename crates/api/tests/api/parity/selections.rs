//! Selections of series and sessions, as the original README documents them.

use serde_json::json;
use time_series_testkit::{Backend, TestApp};
use uuid::Uuid;

use super::{color, january};
use crate::common::{
    COLOR, COUNT, SCORE, START, assert_rows, get_timeseries, point, score, series_of, store,
};
use crate::on_both_servers;

on_both_servers![
    series_takes_names_separated_by_commas,
    series_takes_regular_expressions,
    a_star_matches_anything_in_the_whole_name,
    session_id_narrows_a_query,
];

/// Stores one point in each of these series and checks the series that each selection returns.
async fn assert_selected(backend: Backend, selections: &[(&str, &[&str])]) {
    let app = TestApp::seeded(backend).await;
    let user = Uuid::new_v4();
    let value = json!({"value": 1});
    for other in [
        "other.session.urine.color",
        "session.urine.color.extra",
        "sessionXurine.color",
    ] {
        app.metric_type(
            other,
            &json!({"type": "object", "properties": {"value": {"type": "number"}}}),
        )
        .await;
        let _ = store(&app, user, START, &[point(other, START, &value)]).await;
    }
    let mine = [
        score(START, 1.0),
        point(COUNT, START, &value),
        color(START, [1.0, 2.0, 3.0]),
    ];
    let _ = store(&app, user, START, &mine).await;
    for (selection, expected) in selections {
        let response = get_timeseries(&app, user, &january(&[("series", selection)]))
            .await
            .expect(200);
        assert_eq!(series_of(&response), *expected, "series={selection}");
    }
}

async fn series_takes_names_separated_by_commas(backend: Backend) {
    assert_selected(
        backend,
        &[
            (SCORE, &[SCORE]),
            (
                "session.urine.color,session.gut_health_score",
                &[SCORE, COLOR],
            ),
        ],
    )
    .await;
}

async fn series_takes_regular_expressions(backend: Backend) {
    let urine: &[&str] = &[COLOR, "session.urine.color.extra", COUNT];
    assert_selected(
        backend,
        &[
            (r"^session\.urine\..*", urine),
            (r"night|gut", &[SCORE, COUNT]),
            (r"u{1,2}rine\.night", &[COUNT]), // the comma belongs to the expression
            (r"^session.urine\.color$", &[COLOR, "sessionXurine.color"]),
            (
                r"^(session\.urine\.night_count|session\.gut_health_score)$",
                &[SCORE, COUNT],
            ),
        ],
    )
    .await;
}

async fn a_star_matches_anything_in_the_whole_name(backend: Backend) {
    let all = [
        "other.session.urine.color",
        SCORE,
        COLOR,
        "session.urine.color.extra",
        COUNT,
        "sessionXurine.color",
    ];
    assert_selected(
        backend,
        &[
            (
                "session.urine.*",
                &[COLOR, "session.urine.color.extra", COUNT],
            ),
            ("*.urine.color", &["other.session.urine.color", COLOR]),
            (
                "*urine.color",
                &["other.session.urine.color", COLOR, "sessionXurine.color"],
            ),
            ("session.*.night_count,session.gut*", &[SCORE, COUNT]),
            ("*", &all),
        ],
    )
    .await;
}

async fn session_id_narrows_a_query(backend: Backend) {
    let app = TestApp::seeded(backend).await;
    let user = Uuid::new_v4();
    let one = store(&app, user, START, &[score(START, 1.0)])
        .await
        .to_string();
    let _ = store(&app, user, START, &[score(START, 5.0)]).await;
    let narrowed = january(&[("session_id", &one), ("interval", "month")]);
    assert_rows(
        &get_timeseries(&app, user, &narrowed).await,
        &[(START, SCORE, json!(1))],
    );
    let strange = Uuid::new_v4().to_string();
    assert_rows(
        &get_timeseries(&app, user, &january(&[("session_id", &strange)])).await,
        &[],
    );
}
