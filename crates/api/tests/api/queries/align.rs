//! `align=session`: time relative to the start of each session.

use serde_json::{Value, json};
use time_series_testkit::{Backend, TestApp};
use uuid::Uuid;

use crate::common::{COLOR, SCORE, START, get_timeseries, point, score, store};
use crate::on_both_servers;
use crate::queries::JANUARY;
use crate::queries::support::{assert_buckets, assert_results, at, january};

on_both_servers![
    buckets_are_offsets_from_the_start,
    labels_combine_seconds_to_minutes_and_hours_but_not_days,
    offsets_before_the_start_are_negative,
    the_range_does_not_move_offsets,
    without_a_start_the_window_begins_at_the_first_point_of_all_series,
    range_and_condition_do_not_move_the_first_point,
    daylight_saving_does_not_matter,
    rows_of_groups_have_offsets,
    gaps_between_the_least_and_the_greatest_offset_are_filled,
    ranks_and_averages_over_time,
];

const MINUTES: [(&str, &str); 2] = [("align", "session"), ("interval", "5m")];

fn with<'a>(more: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    [&MINUTES, more].concat()
}

/// Two sessions. The first starts at 10:00 on 1 January: 1 three minutes before the start,
/// 2 and 4 in the first five minutes, 8 after 91 minutes.
/// The second starts at 22:00 on 3 January: 5 at once.
/// another at 22:00 on the third: 5 at once.
async fn two_sessions(backend: Backend) -> (TestApp, Uuid) {
    let app = TestApp::seeded(backend).await;
    let user = Uuid::new_v4();
    let start = 36_000;
    let data = [(-180, 1.0), (0, 2.0), (299, 4.0), (91 * 60, 8.0)]
        .map(|(offset, v)| score(&at(start + offset), v));
    let _ = store(&app, user, &at(start), &data).await;
    let start = 2 * 86_400 + 79_200;
    let _ = store(&app, user, &at(start), &[score(&at(start), 5.0)]).await;
    (app, user)
}

async fn buckets_are_offsets_from_the_start(backend: Backend) {
    let (app, user) = two_sessions(backend).await;
    let expected = [
        ("-PT5M", json!(1)),
        ("PT0S", json!(11.0 / 3.0)),
        ("PT1H30M", json!(8)),
    ];
    assert_buckets(&january(&app, user, &MINUTES).await, SCORE, &expected);
    let expected = [
        ("-PT5M", json!(1)),
        ("PT0S", json!(3)),
        ("PT1H30M", json!(1)),
    ];
    assert_buckets(
        &january(&app, user, &with(&[("agg_func", "count")])).await,
        SCORE,
        &expected,
    );
    let hours = [
        ("align", "session"),
        ("interval", "hour"),
        ("agg_func", "sum"),
    ];
    let expected = [("-PT1H", json!(1)), ("PT0S", json!(11)), ("PT1H", json!(8))];
    assert_buckets(&january(&app, user, &hours).await, SCORE, &expected);
}

async fn labels_combine_seconds_to_minutes_and_hours_but_not_days(backend: Backend) {
    let app = TestApp::seeded(backend).await;
    let user = Uuid::new_v4();
    let offsets = [
        0,
        30,
        60,
        90,
        3_600,
        3_630,
        3_660,
        5_430,
        86_400,
        100_000,
        30 * 86_400,
    ];
    let data: Vec<_> = offsets
        .iter()
        .map(|offset| score(&at(*offset), 1.0))
        .collect();
    let _ = store(&app, user, START, &data).await;
    let labels = [
        "PT0S",
        "PT30S",
        "PT1M",
        "PT1M30S",
        "PT1H",
        "PT1H30S",
        "PT1H1M",
        "PT1H30M30S",
        "PT24H",
        "PT27H46M30S",
        "PT720H",
    ];
    let parameters = [
        ("align", "session"),
        ("interval", "30s"),
        ("agg_func", "count"),
    ];
    let expected: Vec<_> = labels.iter().map(|label| (*label, json!(1))).collect();
    assert_buckets(&january(&app, user, &parameters).await, SCORE, &expected);
}

async fn offsets_before_the_start_are_negative(backend: Backend) {
    let app = TestApp::seeded(backend).await;
    let user = Uuid::new_v4();
    let start = 5 * 86_400;
    let offsets = [-86_400, -5_400, -91, -90, -1, 0, 89];
    let data: Vec<_> = (1_i32..)
        .zip(offsets)
        .map(|(i, offset)| score(&at(start + offset), f64::from(i)))
        .collect();
    let _ = store(&app, user, &at(start), &data).await;
    let parameters = [
        ("align", "session"),
        ("interval", "90s"),
        ("agg_func", "max,count"),
    ];
    let cell = |max: i32, count: i32| json!({"max": max, "count": count});
    let expected = [
        ("-PT24H", cell(1, 1)),
        ("-PT1H30M", cell(2, 1)),
        ("-PT3M", cell(3, 1)),
        ("-PT1M30S", cell(5, 2)),
        ("PT0S", cell(7, 2)),
    ];
    assert_buckets(&january(&app, user, &parameters).await, SCORE, &expected);
}

async fn the_range_does_not_move_offsets(backend: Backend) {
    let (app, user) = two_sessions(backend).await;
    let late = at(36_000 + 100);
    let parameters = [&[("start_time", &*late), JANUARY[1]], &MINUTES[..]].concat();
    let expected = [("PT0S", json!(4.5)), ("PT1H30M", json!(8))];
    assert_buckets(
        &get_timeseries(&app, user, &parameters).await,
        SCORE,
        &expected,
    );
}

async fn without_a_start_the_window_begins_at_the_first_point_of_all_series(backend: Backend) {
    let app = TestApp::seeded(backend).await;
    let user = Uuid::new_v4();
    let rgb = json!({"r": 1, "g": 2, "b": 3});
    let data = [
        score(&at(420), 7.0),
        point(COLOR, &at(0), &rgb),
        score(&at(600), 10.0),
    ];
    let _ = app
        .post("/api/sessions/", &json!({"user_id": user, "data": data}))
        .await
        .expect(201);
    let row = |bucket: &str, series: &str, value: &Value| json!({"bucket": bucket, "series": series, "value": value});
    let (five, ten) = (
        row("PT5M", SCORE, &json!(7)),
        row("PT10M", SCORE, &json!(10)),
    );
    let expected = [five.clone(), ten.clone(), row("PT0S", COLOR, &rgb)];
    assert_results(&january(&app, user, &MINUTES).await, &expected);
    assert_results(
        &january(&app, user, &with(&[("series", SCORE)])).await,
        &[five, ten],
    );
}

async fn range_and_condition_do_not_move_the_first_point(backend: Backend) {
    let app = TestApp::seeded(backend).await;
    let user = Uuid::new_v4();
    let data = [score(&at(-86_400 * 2), 1.0), score(&at(86_400 * 3), 2.0)];
    let _ = app
        .post("/api/sessions/", &json!({"user_id": user, "data": data}))
        .await
        .expect(201);
    let expected = [("PT120H", json!(2))];
    assert_buckets(&january(&app, user, &MINUTES).await, SCORE, &expected);
    let parameters = [
        &[("start_time", "2024-12-01"), JANUARY[1]],
        &*with(&[("where", "value>1")]),
    ]
    .concat();
    assert_buckets(
        &get_timeseries(&app, user, &parameters).await,
        SCORE,
        &expected,
    );
}

/// Between the sessions, clocks go forward in Berlin and New York.
async fn daylight_saving_does_not_matter(backend: Backend) {
    let app = TestApp::seeded(backend).await;
    let user = Uuid::new_v4();
    let start = "2025-03-29T12:00:00+01:00";
    let _ = store(
        &app,
        user,
        start,
        &[score(start, 1.0), score("2025-03-30T12:00:00+02:00", 2.0)],
    )
    .await;
    let parameters = [
        ("start_time", "2025-03-01"),
        ("end_time", "2025-04-01"),
        ("align", "session"),
        ("interval", "hour"),
    ];
    assert_buckets(
        &get_timeseries(&app, user, &parameters).await,
        SCORE,
        &[("PT0S", json!(1)), ("PT23H", json!(2))],
    );
}

async fn rows_of_groups_have_offsets(backend: Backend) {
    let (app, user) = two_sessions(backend).await;
    let response = january(
        &app,
        user,
        &with(&[("group_by", "session"), ("where", "value>=4")]),
    )
    .await;
    let rows = crate::common::results(&response);
    let actual: Vec<_> = rows
        .iter()
        .map(|row| (row["bucket"].clone(), row["value"].as_f64()))
        .collect();
    let (zero, late) = (json!("PT0S"), json!("PT1H30M"));
    // Rows of one bucket are ordered by session, whose ids are random.
    assert!(
        actual
            == [
                (zero.clone(), Some(4.0)),
                (zero.clone(), Some(5.0)),
                (late.clone(), Some(8.0))
            ]
            || actual
                == [
                    (zero.clone(), Some(5.0)),
                    (zero, Some(4.0)),
                    (late, Some(8.0))
                ],
        "{}",
        response.text
    );
    assert!(
        rows.iter()
            .all(|row| row["user_id"] == json!(user) && row["session_id"].is_string())
    );
    let response = january(&app, user, &with(&[("group_by", "user")])).await;
    let row = |bucket: &str, value: f64| json!({"bucket": bucket, "series": SCORE, "user_id": user, "value": value});
    assert_results(
        &response,
        &[
            row("-PT5M", 1.0),
            row("PT0S", 11.0 / 3.0),
            row("PT1H30M", 8.0),
        ],
    );
}

async fn gaps_between_the_least_and_the_greatest_offset_are_filled(backend: Backend) {
    let app = TestApp::seeded(backend).await;
    let user = Uuid::new_v4();
    let rgb = |n: i32| json!({"r": n, "g": n, "b": n});
    let data = [
        score(&at(-60), 2.0),
        score(&at(600), 8.0),
        point(COLOR, &at(300), &rgb(6)),
    ];
    let _ = store(&app, user, START, &data).await;
    let labels = ["-PT5M", "PT0S", "PT5M", "PT10M"];
    let none = json!({"r": null, "g": null, "b": null});
    let cases = [
        (
            "null",
            [json!(2), Value::Null, Value::Null, json!(8)],
            [none.clone(), none.clone(), rgb(6), none.clone()],
        ),
        (
            "zero",
            [json!(2), json!(0), json!(0), json!(8)],
            [rgb(0), rgb(0), rgb(6), rgb(0)],
        ),
        (
            "linear",
            [json!(2), json!(4), json!(6), json!(8)],
            [none.clone(), none.clone(), rgb(6), none],
        ),
    ];
    // The range begins before the session's first point.
    let range = [("start_time", "2024-12-01"), ("end_time", "2025-02-01")];
    for (fill, scores, colors) in cases {
        let parameters = [&range, &*with(&[("fill", fill), ("series", SCORE)])].concat();
        assert_buckets(
            &get_timeseries(&app, user, &parameters).await,
            SCORE,
            &labels.into_iter().zip(scores).collect::<Vec<_>>(),
        );
        let response = get_timeseries(&app, user, &[&range, &*with(&[("fill", fill)])].concat())
            .await
            .expect(200);
        let rows = crate::common::results(&response);
        let of_color: Vec<_> = rows
            .into_iter()
            .filter(|row| row["series"] == COLOR)
            .collect();
        let expected: Vec<_> = labels
            .into_iter()
            .zip(colors)
            .map(|(bucket, value)| json!({"bucket": bucket, "series": COLOR, "value": value}))
            .collect();
        let same = of_color.len() == 4
            && of_color
                .iter()
                .zip(&expected)
                .all(|(a, b)| crate::queries::support::near(a, b));
        assert!(fill == "linear" || same, "{fill}: {}", response.text);
    }
    let parameters = [
        &range,
        &*with(&[
            ("fill", "previous"),
            ("series", SCORE),
            ("agg_func", "max,count"),
        ]),
    ]
    .concat();
    let cell = |max: i32, count: i32| json!({"max": max, "count": count});
    let expected = [
        ("-PT5M", cell(2, 1)),
        ("PT0S", cell(2, 0)),
        ("PT5M", cell(2, 0)),
        ("PT10M", cell(8, 1)),
    ];
    assert_buckets(
        &get_timeseries(&app, user, &parameters).await,
        SCORE,
        &expected,
    );
}

async fn ranks_and_averages_over_time(backend: Backend) {
    let app = TestApp::seeded(backend).await;
    let user = Uuid::new_v4();
    // Held values: 10 for two minutes; 20 for four, one of them in the second bucket;
    // 0 for five in one bucket and one in another.
    for (day, points) in [
        (0, vec![(0, 10.0), (120, 20.0), (360, 0.0)]),
        (1, vec![(0, 0.0), (360, 7.0)]),
    ] {
        let data: Vec<_> = points
            .iter()
            .map(|(offset, v)| score(&at(day * 86_400 + offset), *v))
            .collect();
        let _ = store(&app, user, &at(day * 86_400), &data).await;
    }
    let parameters = with(&[("agg_func", "time_avg,median")]);
    // (10·2 + 20·3 + 0·5) / 10 and (20·1 + 0·1) / 2.
    let expected = [
        ("PT0S", json!({"time_avg": 8, "median": 10})),
        ("PT5M", json!({"time_avg": 10, "median": 3.5})),
    ];
    assert_buckets(&january(&app, user, &parameters).await, SCORE, &expected);
}
