//! `where`: points that fail the condition are removed before any other step.

use serde_json::{Value, json};
use time_series_testkit::{Backend, TestApp};
use uuid::Uuid;

use crate::common::{COLOR, NOTE, SCORE, START, assert_rows, point, results, score, store};
use crate::on_both_servers;
use crate::queries::support::{BARE, at, january, skipped, with_all_series};

on_both_servers![
    each_operator_compares,
    conditions_of_several_leaves_are_combined_with_and,
    the_leaf_of_a_bare_number_is_value,
    nested_leaves_are_dotted,
    a_point_without_the_leaf_fails,
    series_without_the_leaf_are_listed_as_skipped,
    conditions_ignore_the_sign_of_zero,
    removed_points_count_nowhere,
    conditions_remove_points_within_days,
];

const MONTH: (&str, &str) = ("interval", "month");

/// Stores five colours: r rises from 0 by 50, g falls from 40 by 10, b is 1, 2, 1, 2, 1.
async fn five_colors(backend: Backend) -> (TestApp, Uuid) {
    let app = TestApp::with(backend).start().await;
    with_all_series(&app).await;
    let user = Uuid::new_v4();
    let data: Vec<_> = (0..5)
        .map(|i| {
            point(
                COLOR,
                &at(i),
                &json!({"r": 50 * i, "g": 40 - 10 * i, "b": 1 + i % 2}),
            )
        })
        .collect();
    let _ = store(&app, user, START, &data).await;
    (app, user)
}

async fn each_operator_compares(backend: Backend) {
    let (app, user) = five_colors(backend).await;
    let cases = [
        ("r=100", 100),
        ("r!=100", 400),
        ("r<100", 50),
        ("r<=100", 150),
        ("r>100", 350),
        ("r>=100", 450),
        ("r>=1e2", 450),
        ("r > 99.5", 450),
        ("r>-1", 500),
    ];
    for (condition, sum) in cases {
        let response = january(
            &app,
            user,
            &[MONTH, ("where", condition), ("agg_func", "sum")],
        )
        .await
        .expect(200);
        let value = &results(&response)[0]["value"]["r"];
        assert_eq!(
            value.as_f64(),
            Some(f64::from(sum)),
            "{condition}: {}",
            response.text
        );
    }
    assert_rows(
        &january(&app, user, &[MONTH, ("where", "r>200")]).await,
        &[],
    );
}

async fn conditions_of_several_leaves_are_combined_with_and(backend: Backend) {
    let (app, user) = five_colors(backend).await;
    // (50, 30, 2) and (150, 10, 2) remain.
    let parameters = [
        MONTH,
        ("where", "r>=50, b=2,g<=30,r<200"),
        ("agg_func", "min,max,count,median"),
    ];
    let leaves = |r: f64, g: f64, b: f64| json!({"r": r, "g": g, "b": b});
    let expected = json!({
        "min": leaves(50.0, 10.0, 2.0),
        "max": leaves(150.0, 30.0, 2.0),
        "count": leaves(2.0, 2.0, 2.0),
        "median": leaves(100.0, 20.0, 2.0)
    });
    assert_rows(
        &january(&app, user, &parameters).await,
        &[(START, COLOR, expected)],
    );
    assert_rows(
        &january(&app, user, &[MONTH, ("where", "r>100,r<100")]).await,
        &[],
    );
}

async fn the_leaf_of_a_bare_number_is_value(backend: Backend) {
    let (app, _) = five_colors(backend).await;
    let user = Uuid::new_v4();
    let data = [
        point(BARE, START, &json!(1)),
        point(BARE, START, &json!(3)),
        score(START, 5.0),
        score(START, 2.0),
    ];
    let _ = store(&app, user, START, &data).await;
    let response = january(&app, user, &[MONTH, ("where", "value>=3")]).await;
    assert_rows(
        &response,
        &[(START, BARE, json!(3)), (START, SCORE, json!(5))],
    );
}

async fn nested_leaves_are_dotted(backend: Backend) {
    let app = TestApp::start(backend).await;
    let place =
        json!({"type": "object", "properties": {"x": {"type": "number"}, "y": {"type": "number"}}});
    app.metric_type(
        "pose",
        &json!({"type": "object", "properties": {"pos": place}}),
    )
    .await;
    let user = Uuid::new_v4();
    let pose = |i: i64, x: i64, y: i64| point("pose", &at(i), &json!({"pos": {"x": x, "y": y}}));
    let _ = store(
        &app,
        user,
        START,
        &[pose(0, 1, 10), pose(1, 2, 20), pose(2, 3, 30)],
    )
    .await;
    let response = january(&app, user, &[MONTH, ("where", "pos.x>=2,pos.y!=30")]).await;
    assert_rows(
        &response,
        &[(START, "pose", json!({"pos": {"x": 2, "y": 20}}))],
    );
    for unknown in ["x>1", "pos>1", "pos.z>1", "pos.x.y>1"] {
        let response = january(&app, user, &[MONTH, ("where", unknown)]).await;
        assert_rows(&response, &[]);
        assert_eq!(skipped(&response), ["pose"], "{unknown}");
    }
}

async fn a_point_without_the_leaf_fails(backend: Backend) {
    let app = TestApp::start(backend).await;
    let number = json!({"type": ["number", "null"]});
    app.metric_type(
        "pair",
        &json!({"type": "object", "properties": {"a": number, "b": number}}),
    )
    .await;
    let user = Uuid::new_v4();
    let values = [
        json!({"a": 1, "b": 1}),
        json!({"b": 2}),
        json!({"a": null, "b": 4}),
        json!({"a": 8}),
    ];
    let data: Vec<_> = (0..)
        .zip(&values)
        .map(|(i, value)| point("pair", &at(i), value))
        .collect();
    let _ = store(&app, user, START, &data).await;
    let sum = async |condition| {
        january(
            &app,
            user,
            &[MONTH, ("agg_func", "sum"), ("where", condition)],
        )
        .await
    };
    for condition in ["a!=5", "a>=1", "a<100"] {
        assert_rows(
            &sum(condition).await,
            &[(START, "pair", json!({"a": 9, "b": 1}))],
        );
    }
    assert_rows(&sum("b>1").await, &[(START, "pair", json!({"b": 6}))]);
    assert_rows(&sum("a=8").await, &[(START, "pair", json!({"a": 8}))]);
}

async fn series_without_the_leaf_are_listed_as_skipped(backend: Backend) {
    let (app, user) = five_colors(backend).await;
    let data = [
        score(START, 1.0),
        point(NOTE, START, &json!({"value": "a"})),
    ];
    let _ = store(&app, user, START, &data).await;
    let response = january(&app, user, &[MONTH, ("where", "r=0")]).await;
    assert_rows(
        &response,
        &[(START, COLOR, json!({"r": 0, "g": 40, "b": 1}))],
    );
    let left_out = skipped(&response);
    assert!(
        [SCORE, NOTE]
            .iter()
            .all(|series| left_out.contains(&(*series).to_owned())),
        "{left_out:?}"
    );
    // A text is not a number, even in the leaf `value`.
    let response = january(
        &app,
        user,
        &[MONTH, ("where", "value=1"), ("agg_func", "count")],
    )
    .await;
    assert_rows(&response, &[(START, SCORE, json!(1))]);
    assert!(
        skipped(&response).contains(&NOTE.to_owned()),
        "{}",
        response.text
    );
    for (series, condition) in [
        (SCORE, "r=0"),
        (NOTE, "value=1"),
        (COLOR, "value=1"),
        (COLOR, "r=0,x=1"),
    ] {
        let parameters = [
            MONTH,
            ("series", series),
            ("where", condition),
            ("agg_func", "count"),
        ];
        let response = january(&app, user, &parameters).await;
        assert_rows(&response, &[]);
        assert_eq!(skipped(&response), [series], "named exactly, {condition}");
    }
}

async fn conditions_ignore_the_sign_of_zero(backend: Backend) {
    let (app, _) = five_colors(backend).await;
    let user = Uuid::new_v4();
    let _ = store(
        &app,
        user,
        START,
        &[score(&at(0), 0.0), score(&at(1), -0.0), score(&at(2), 1.0)],
    )
    .await;
    for (condition, count) in [
        ("value=0", 2),
        ("value=-0.0", 2),
        ("value!=0", 1),
        ("value<0", 0),
        ("value>=-0", 3),
    ] {
        let response = january(
            &app,
            user,
            &[MONTH, ("where", condition), ("agg_func", "count")],
        )
        .await
        .expect(200);
        let actual = results(&response)
            .first()
            .and_then(|row| row["value"].as_u64())
            .unwrap_or_default();
        assert_eq!(actual, count, "{condition}: {}", response.text);
    }
}

async fn removed_points_count_nowhere(backend: Backend) {
    let (app, _) = five_colors(backend).await;
    let user = Uuid::new_v4();
    let values = [4.0, 100.0, 6.0, 100.0, 8.0];
    let data: Vec<_> = (0..)
        .zip(values)
        .map(|(i, value)| score(&at(i * 60), value))
        .collect();
    let _ = store(&app, user, START, &data).await;
    let functions = "avg,min,max,count,sum,first,last,median,p25,mode,distinct,range,time_avg";
    let parameters = [MONTH, ("where", "value<50"), ("agg_func", functions)];
    // 4 holds for two minutes, 6 for two.
    let expected = json!({
        "avg": 6, "min": 4, "max": 8, "count": 3, "sum": 18, "first": 4, "last": 8, "median": 6, "p25": 5,
        "mode": 4, "distinct": 3, "range": 4, "time_avg": 5
    });
    assert_rows(
        &january(&app, user, &parameters).await,
        &[(START, SCORE, expected)],
    );
}

async fn conditions_remove_points_within_days(backend: Backend) {
    let (app, _) = five_colors(backend).await;
    let user = Uuid::new_v4();
    // Three days: the condition keeps all of the first, half of the second and none of the third.
    let values = [[1, 2], [3, 30], [40, 50]];
    for (day, values) in (0..).zip(values) {
        let time = |i: usize| at(day * 86_400 + i64::try_from(i).expect("small") * 3_600);
        let data: Vec<_> = values
            .iter()
            .enumerate()
            .map(|(i, value)| score(&time(i), f64::from(*value)))
            .collect();
        let _ = store(&app, user, &at(day * 86_400), &data).await;
    }
    let day = [
        ("interval", "day"),
        ("where", "value<10"),
        ("agg_func", "sum"),
    ];
    let expected: [(&str, &str, Value); 2] = [
        (START, SCORE, json!(3)),
        ("2025-01-02T00:00:00Z", SCORE, json!(3)),
    ];
    assert_rows(&january(&app, user, &day).await, &expected);
    let all = [
        ("interval", "all"),
        ("where", "value<10"),
        ("agg_func", "sum"),
    ];
    assert_rows(
        &january(&app, user, &all).await,
        &[(START, SCORE, json!(6))],
    );
}
