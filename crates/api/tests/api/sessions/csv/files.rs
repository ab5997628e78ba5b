//! Long files: thousands of sessions, and one session of many rows.

use std::fmt::Write;

use serde_json::json;
use time_series_testkit::Backend;
use uuid::Uuid;

use super::Case;
use crate::common::{SCORE, points_of, results};
use crate::on_both_servers;
use crate::sessions::bulk_result::BulkResult;

on_both_servers![
    five_thousand_sessions_have_verdicts_in_order,
    a_session_may_have_many_rows
];

async fn five_thousand_sessions_have_verdicts_in_order(backend: Backend) {
    let case = Case::new(backend).await;
    let users: Vec<Uuid> = (0..7).map(|_| Uuid::new_v4()).collect();
    let ids: Vec<Uuid> = (0..5_000).map(|_| Uuid::new_v4()).collect();
    let mut text = "time,value,series,session_id,user_id\n".to_owned();
    for (i, id) in ids.iter().enumerate() {
        for second in 0..2 {
            // One session in a hundred is invalid.
            let value = if i % 100 == 99 && second == 1 {
                "high".to_owned()
            } else {
                i.to_string()
            };
            let time = format!("2025-01-{:02}T00:00:{second:02}Z", 1 + i % 28);
            writeln!(text, "{time},{value},{SCORE},{id},{}", users[i % 7]).expect("a string grows");
        }
    }
    let result = BulkResult::read(&case.post("", text.as_bytes()).await);
    result.assert_end(&[("created", 4_950), ("failed", 50)], 9_900);
    assert_eq!(result.verdicts.len(), 5_000);
    for (i, verdict) in result.verdicts.iter().enumerate() {
        assert_eq!(verdict["line"], 2 * i + 2);
        let failed = i % 100 == 99;
        assert_eq!(verdict["status"], if failed { 422 } else { 201 });
        if failed {
            assert_eq!(
                verdict["errors"][0]["pointer"],
                format!("/{}/value", 2 * i + 3)
            );
        } else {
            assert_eq!(
                (&verdict["session_id"], &verdict["user_id"]),
                (&json!(ids[i]), &json!(users[i % 7]))
            );
        }
    }
    let mut points = 0;
    for user in &users {
        points += points_of(&case.app, *user).await;
    }
    assert_eq!(points, 9_900);
    let result = BulkResult::read(&case.post("?verdicts=failed", text.as_bytes()).await);
    assert_eq!(
        result.verdicts.len(),
        50,
        "{:?}",
        result
            .verdicts
            .iter()
            .filter(|v| v["status"] != 422)
            .collect::<Vec<_>>()
    );
    assert_eq!(
        (&result.end["lines"], &result.end["unchanged"]),
        (&json!(5_000), &json!(4_950))
    );
    let result = BulkResult::read(
        &case
            .post("?on_conflict=append&verdicts=failed", text.as_bytes())
            .await,
    );
    assert_eq!(
        (&result.end["unchanged"], &result.end["failed"]),
        (&json!(4_950), &json!(50)),
        "{}",
        result.end
    );
    case.check_database().await;
}

async fn a_session_may_have_many_rows(backend: Backend) {
    let case = Case::new(backend).await;
    let mut text = case.text(&["user_id,session_id,series,time,value"]);
    for i in 0..20_000 {
        let time = format!(
            "2025-01-01T{:02}:{:02}:{:02}Z",
            i / 3_600,
            i / 60 % 60,
            i % 60
        );
        writeln!(text, "{},{},{SCORE},{time},{i}", case.user, case.ids[0]).expect("a string grows");
    }
    let result = BulkResult::read(&case.post("", text.as_bytes()).await);
    assert_eq!(result.outcomes(), [(2, 201, "created")]);
    result.assert_end(&[("created", 1)], 20_000);
    let parameters =
        "interval=all&start_time=2025-01-01&end_time=2025-01-02&agg_func=count,sum,max";
    let rows = results(&case.app.timeseries(case.user, parameters).await.expect(200));
    assert_eq!(
        crate::common::as_floats(&rows[0]["value"]),
        json!({"count": 20_000.0, "sum": 199_990_000.0, "max": 19_999.0})
    );
    case.check_database().await;
}
