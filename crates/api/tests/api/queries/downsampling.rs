//! `max_points`: a limited number of real points that represent all.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use time_series_testkit::{Backend, Response, TestApp};
use uuid::Uuid;

use crate::common::{COLOR, NOTE, SCORE, START, assert_problem, point, results, score, store};
use crate::on_both_servers;
use crate::queries::support::{at, csv_table, get, metadata, points, skipped, with_all_series};

on_both_servers![
    few_points_are_returned_unchanged,
    downsampled_points_are_real_and_weighted,
    lttb_is_the_default,
    downsampling_keeps_a_peak,
    weights_sum_to_the_number_of_selected_points,
    each_series_has_its_own_points,
    colours_have_one_aggregate_per_leaf,
    text_series_are_skipped,
    session_points_are_downsampled,
    weights_are_a_column,
];

const METHODS: [&str; 2] = ["lttb", "minmax"];

/// Stores 1,000 points over three days, in three sessions; returns the values by time.
async fn store_a_thousand(app: &TestApp, user: Uuid) -> BTreeMap<String, f64> {
    let value = |i: i64| f64::from(i32::try_from(i * 37 % 101).expect("small"));
    let all: BTreeMap<_, _> = (0..1_000).map(|i| (at(i * 250), value(i))).collect();
    for part in 0..3 {
        let mine = all.iter().enumerate().filter(|(i, _)| i % 3 == part);
        let data: Vec<_> = mine.map(|(_, (time, value))| score(time, *value)).collect();
        let _ = store(app, user, START, &data).await;
    }
    all
}

fn weights(rows: &[Value]) -> Vec<u64> {
    rows.iter()
        .map(|row| {
            row["weight"]
                .as_u64()
                .unwrap_or_else(|| panic!("no weight: {row}"))
        })
        .collect()
}

fn times(rows: &[Value]) -> Vec<&str> {
    rows.iter()
        .map(|row| row["time"].as_str().unwrap_or_default())
        .collect()
}

fn of_series(response: &Response, series: &str) -> Vec<Value> {
    results(response)
        .into_iter()
        .filter(|row| row["series"] == series)
        .collect()
}

async fn few_points_are_returned_unchanged(backend: Backend) {
    let app = TestApp::seeded(backend).await;
    let user = Uuid::new_v4();
    let data: Vec<_> = (0..5_i32)
        .map(|i| score(&at(i.into()), f64::from(i)))
        .collect();
    let id = store(&app, user, START, &data).await;
    for method in METHODS {
        for most in ["5", "6", "100000"] {
            let response = points(&app, user, &[("max_points", most), ("method", method)])
                .await
                .expect(200);
            let rows = results(&response);
            assert_eq!(
                (rows.len(), weights(&rows)),
                (5, vec![1; 5]),
                "{method} {most}"
            );
            let first = json!({"session_id": id, "series": SCORE, "time": START, "value": {"value": 0}, "weight": 1});
            assert_eq!(
                crate::common::as_floats(&rows[0]),
                crate::common::as_floats(&first)
            );
        }
    }
}

async fn downsampled_points_are_real_and_weighted(backend: Backend) {
    let app = TestApp::seeded(backend).await;
    let user = Uuid::new_v4();
    let all = store_a_thousand(&app, user).await;
    for method in METHODS {
        for most in [3, 4, 5, 10, 99, 500, 999] {
            let size = most.to_string();
            let response = points(&app, user, &[("max_points", &*size), ("method", method)])
                .await
                .expect(200);
            let rows = results(&response);
            let label = format!("{method} {most}");
            assert!(
                rows.len() <= most && rows.len() >= 2,
                "{label}: {}",
                rows.len()
            );
            assert_eq!(metadata(&response)["count"], rows.len(), "{label}");
            let times = times(&rows);
            assert!(
                times.windows(2).all(|pair| pair[0] < pair[1]),
                "{label}: ordered and unique: {times:?}"
            );
            assert_eq!(
                (times[0], times[times.len() - 1]),
                (START, &*at(999 * 250)),
                "{label}: first and last"
            );
            for row in &rows {
                let real = all.get(row["time"].as_str().unwrap_or_default()).copied();
                assert_eq!(row["value"]["value"].as_f64(), real, "{label}: {row}");
            }
            assert!(weights(&rows).iter().all(|weight| *weight > 0), "{label}");
            assert_eq!(weights(&rows).iter().sum::<u64>(), 1_000, "{label}");
        }
    }
}

async fn lttb_is_the_default(backend: Backend) {
    let app = TestApp::seeded(backend).await;
    let user = Uuid::new_v4();
    let _ = store_a_thousand(&app, user).await;
    let default = points(&app, user, &[("max_points", "20")])
        .await
        .expect(200);
    let named = points(&app, user, &[("max_points", "20"), ("method", "lttb")])
        .await
        .expect(200);
    assert_eq!(results(&default), results(&named));
}

async fn downsampling_keeps_a_peak(backend: Backend) {
    let app = TestApp::seeded(backend).await;
    let user = Uuid::new_v4();
    let value = |i: i64| if i == 333 { 1_000.0 } else { 0.0 };
    let data: Vec<_> = (0..1_000).map(|i| score(&at(i), value(i))).collect();
    let _ = store(&app, user, START, &data).await;
    for method in METHODS {
        let response = points(&app, user, &[("max_points", "10"), ("method", method)])
            .await
            .expect(200);
        assert!(
            times(&results(&response)).contains(&&*at(333)),
            "{method}: {}",
            response.text
        );
    }
    // minmax keeps both extremes.
    let valley = Uuid::new_v4();
    let value = |i: i64| f64::from(i32::from(i == 500) - i32::from(i == 501)) * 50.0;
    let data: Vec<_> = (0..1_000).map(|i| score(&at(i), value(i))).collect();
    let _ = store(&app, valley, START, &data).await;
    let response = points(&app, valley, &[("max_points", "10"), ("method", "minmax")])
        .await
        .expect(200);
    let rows = results(&response);
    assert!(
        times(&rows).contains(&&*at(500)) && times(&rows).contains(&&*at(501)),
        "{}",
        response.text
    );
}

async fn weights_sum_to_the_number_of_selected_points(backend: Backend) {
    let app = TestApp::seeded(backend).await;
    let user = Uuid::new_v4();
    let all = store_a_thousand(&app, user).await;
    let (start, end) = (at(100 * 250), at(900 * 250));
    for method in METHODS {
        let parameters = [
            ("max_points", "12"),
            ("method", method),
            ("start_time", &*start),
            ("end_time", &*end),
        ];
        let rows = results(&points(&app, user, &parameters).await.expect(200));
        assert_eq!(weights(&rows).iter().sum::<u64>(), 800, "{method}");
        assert_eq!(
            (times(&rows)[0], times(&rows)[rows.len() - 1]),
            (&*start, &*at(899 * 250)),
            "{method}"
        );
        let parameters = [
            ("max_points", "12"),
            ("method", method),
            ("where", "value>=50"),
        ];
        let rows = results(&points(&app, user, &parameters).await.expect(200));
        let left = all.values().filter(|value| **value >= 50.0).count();
        assert_eq!(
            weights(&rows).iter().sum::<u64>(),
            u64::try_from(left).expect("fits"),
            "{method}"
        );
        assert!(
            rows.iter()
                .all(|row| row["value"]["value"].as_f64() >= Some(50.0)),
            "{method}"
        );
    }
}

async fn each_series_has_its_own_points(backend: Backend) {
    let app = TestApp::with(backend).start().await;
    with_all_series(&app).await;
    let user = Uuid::new_v4();
    let _ = store_a_thousand(&app, user).await;
    let data: Vec<_> = (0..50).map(|i| point("bare", &at(i), &json!(i))).collect();
    let _ = store(&app, user, START, &data).await;
    for method in METHODS {
        let response = points(&app, user, &[("max_points", "20"), ("method", method)])
            .await
            .expect(200);
        let (scores, bare) = (of_series(&response, SCORE), of_series(&response, "bare"));
        assert!(
            scores.len() <= 20 && bare.len() <= 20,
            "{method}: one series at a time"
        );
        assert!(
            scores.len() >= 10 && bare.len() >= 10,
            "{method}: {} and {}",
            scores.len(),
            bare.len()
        );
        assert_eq!(weights(&scores).iter().sum::<u64>(), 1_000, "{method}");
        assert_eq!(weights(&bare).iter().sum::<u64>(), 50, "{method}");
        assert_eq!(
            (times(&bare)[0], times(&bare)[bare.len() - 1]),
            (START, &*at(49)),
            "{method}"
        );
        let only = points(
            &app,
            user,
            &[("max_points", "20"), ("method", method), ("series", SCORE)],
        )
        .await;
        assert_eq!(
            results(&only),
            scores,
            "{method}: independent of other series"
        );
    }
}

async fn colours_have_one_aggregate_per_leaf(backend: Backend) {
    let app = TestApp::seeded(backend).await;
    let user = Uuid::new_v4();
    let rgb = |i: i64| json!({"r": i, "g": i * 7 % 31, "b": 0, "by": "eye"});
    let data: Vec<_> = (0..200).map(|i| point(COLOR, &at(i), &rgb(i))).collect();
    let _ = store(&app, user, START, &data).await;
    for method in METHODS {
        let response = points(&app, user, &[("max_points", "9"), ("method", method)])
            .await
            .expect(200);
        let rows = results(&response);
        assert!(
            rows.len() <= 9,
            "the number of points, not leaves: {}",
            rows.len()
        );
        assert_eq!(weights(&rows).iter().sum::<u64>(), 200, "{method}");
        for row in rows {
            let place = row["value"]["r"].as_f64().expect("a number");
            let same = (0..200)
                .find(|i| row["time"] == at(*i))
                .expect("a time that was sent");
            assert_eq!(
                crate::common::as_floats(&row["value"]),
                crate::common::as_floats(&rgb(same)),
                "at {place}"
            );
        }
    }
}

async fn text_series_are_skipped(backend: Backend) {
    let app = TestApp::with(backend).start().await;
    with_all_series(&app).await;
    let user = Uuid::new_v4();
    let data = [
        point(NOTE, START, &json!({"value": "a"})),
        point("words", START, &json!("b")),
        score(START, 1.0),
    ];
    let _ = store(&app, user, START, &data).await;
    for parameters in [&[][..], &[("series", "*")], &[("series", "s|w")]] {
        let response = points(&app, user, &[&[("max_points", "3")], parameters].concat())
            .await
            .expect(200);
        assert_eq!(
            (results(&response).len(), skipped(&response)),
            (1, vec![NOTE.to_owned(), "words".to_owned()])
        );
    }
    for series in [NOTE, "words", "session.gut_health_score,words"] {
        let response = points(&app, user, &[("max_points", "3"), ("series", series)]).await;
        assert_eq!(response.status.as_u16(), 422, "{series}: {}", response.text);
        let actual = response.code() == "no_numbers"
            || response
                .faults()
                .iter()
                .any(|fault| fault.ends_with(" no_numbers"));
        assert!(actual, "{series}: {}", response.text);
    }
    let response = points(&app, user, &[("max_points", "3"), ("series", "none.such")]).await;
    assert_problem(&response, 422, "invalid_parameters");
}

async fn session_points_are_downsampled(backend: Backend) {
    let app = TestApp::seeded(backend).await;
    let user = Uuid::new_v4();
    let data: Vec<_> = (0..100).map(|i| score(&at(i), 1.0)).collect();
    let id = store(&app, user, START, &data).await;
    let _ = store(&app, user, START, &data).await;
    for method in METHODS {
        let path = format!("/api/sessions/{id}/points/");
        let response = get(&app, &path, &[("max_points", "5"), ("method", method)])
            .await
            .expect(200);
        let rows = results(&response);
        assert!(
            rows.len() <= 5 && rows.iter().all(|row| row["session_id"] == id.to_string()),
            "{}",
            response.text
        );
        assert_eq!(weights(&rows).iter().sum::<u64>(), 100, "{method}");
    }
}

async fn weights_are_a_column(backend: Backend) {
    let app = TestApp::seeded(backend).await;
    let user = Uuid::new_v4();
    let _ = store_a_thousand(&app, user).await;
    let rows = results(&points(&app, user, &[("max_points", "7")]).await.expect(200));
    let csv = points(&app, user, &[("max_points", "7"), ("format", "csv")])
        .await
        .expect(200);
    let (header, records, end) = csv_table(&csv.text);
    assert_eq!(
        header,
        [
            "time",
            "series",
            "session_id",
            "leaf",
            "value",
            "text",
            "weight"
        ]
    );
    let actual: Vec<u64> = records
        .iter()
        .map(|r| {
            r["weight"]
                .as_str()
                .expect("a cell")
                .parse()
                .expect("a count")
        })
        .collect();
    assert_eq!(actual, weights(&rows));
    assert_eq!(end, Some(format!("# end of {} rows", rows.len())));
}
