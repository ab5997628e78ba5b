//! Appending points to a stored session: receipts, and visibility in every read.

mod bulk;
mod equivalence;
mod forgetting;
mod key_scope;
mod keys;
mod order;
mod owners;
mod races;
mod receipts;
mod rejections;
mod retries;
mod visibility;
mod windows;

use reqwest::Method;
use serde::Deserialize;
use serde_json::{Value, json};
use time_series_testkit::{Backend, Receipt, Response, TestApp};
use uuid::Uuid;

use crate::common::{SCORE, START, START_SECONDS, point, results, rfc3339, score, session};

/// The time `seconds` after the start.
pub(crate) fn at(seconds: i64) -> String {
    rfc3339(START_SECONDS + seconds)
}

/// A score at `seconds` after the start.
pub(crate) fn score_at(seconds: i64, value: f64) -> Value {
    score(&at(seconds), value)
}

pub(crate) fn color_at(seconds: i64, r: f64, g: f64, b: f64) -> Value {
    point(
        crate::common::COLOR,
        &at(seconds),
        &json!({"r": r, "g": g, "b": b}),
    )
}

/// The outcome and the totals of a receipt.
#[derive(Debug, PartialEq)]
pub(crate) struct Stored<'a> {
    pub(crate) outcome: &'a str,
    /// Points in the request.
    pub(crate) points: u64,
    /// Points of the session after the request.
    pub(crate) total_points: u64,
    /// Version of the user's data.
    pub(crate) version: u64,
}

impl<'a> Stored<'a> {
    /// The totals of a receipt that is not of a dry run.
    #[track_caller]
    pub(crate) fn of(receipt: &'a Receipt) -> Self {
        Self {
            outcome: &receipt.outcome,
            points: receipt.points,
            total_points: receipt.total_points.expect("total_points"),
            version: receipt.version.expect("a version"),
        }
    }
}

/// Returns the receipt in a verdict of a bulk upload.
#[track_caller]
pub(crate) fn receipt_of(verdict: &Value) -> Receipt {
    Receipt::deserialize(verdict).unwrap_or_else(|e| panic!("{e}: {verdict}"))
}

/// Checks the totals of a response with status 200.
#[track_caller]
pub(crate) fn assert_receipt(response: &Response, expected: &Stored) {
    assert_eq!(response.status.as_u16(), 200, "{}", response.text);
    let receipt = response.receipt();
    assert_eq!(Stored::of(&receipt), *expected, "{}", response.text);
}

/// A service, and a session of one user that is still being recorded.
pub(crate) struct Case {
    pub(crate) app: TestApp,
    pub(crate) user: Uuid,
    pub(crate) id: Uuid,
}

impl Case {
    /// Stores a session of these points.
    pub(crate) async fn new(backend: Backend, data: &[Value]) -> Self {
        let case = Self {
            app: TestApp::seeded(backend).await,
            user: Uuid::new_v4(),
            id: Uuid::new_v4(),
        };
        let _ = case
            .app
            .post("/api/sessions/", &case.body(data))
            .await
            .expect(201);
        case
    }

    /// The body of the session with these points.
    pub(crate) fn body(&self, data: &[Value]) -> Value {
        session(self.user, self.id, START, data)
    }

    pub(crate) fn record_path(&self) -> String {
        format!("/api/sessions/{}/", self.id)
    }

    pub(crate) fn path(&self) -> String {
        format!("/api/sessions/{}/points/", self.id)
    }

    /// Appends points without naming the user or the start.
    pub(crate) async fn append(&self, data: &[Value]) -> Response {
        self.app.post(&self.path(), &json!({"data": data})).await
    }

    /// Appends points under an idempotency key.
    pub(crate) async fn append_with_key(&self, key: &str, data: &[Value]) -> Response {
        self.send(
            &self.path(),
            &json!({"data": data}),
            &[("idempotency-key", key)],
        )
        .await
    }

    pub(crate) async fn send(
        &self,
        path: &str,
        body: &Value,
        headers: &[(&str, &str)],
    ) -> Response {
        self.app
            .request(
                Method::POST,
                path,
                Some(body.to_string().into_bytes()),
                headers,
            )
            .await
    }

    /// Posts the session with these points and this conflict policy.
    pub(crate) async fn post(&self, on_conflict: &str, data: &[Value]) -> Response {
        self.app
            .post(
                &format!("/api/sessions/?on_conflict={on_conflict}"),
                &self.body(data),
            )
            .await
    }

    pub(crate) async fn record(&self) -> Value {
        self.app
            .get(&format!("{}?user_id={}", self.record_path(), self.user))
            .await
            .expect(200)
            .json()
    }

    /// Seconds since the start and value of each score of the session, as listed.
    pub(crate) async fn scores(&self) -> Vec<(i64, f64)> {
        let path = format!(
            "{}?user_id={}&series={SCORE}&limit=100000",
            self.path(),
            self.user
        );
        let listed = results(&self.app.get(&path).await.expect(200));
        let row = |row: &Value| {
            (
                seconds(&row["time"]),
                row["value"]["value"].as_f64().expect("a number"),
            )
        };
        listed.iter().map(row).collect()
    }

    /// Checks the session's scores in the listed order, and that aggregates and the record agree.
    pub(crate) async fn assert_scores(&self, expected: &[(i64, f64)]) {
        assert_eq!(self.scores().await, expected, "as listed");
        let record = self.record().await;
        let counted = record["series"]
            .as_array()
            .expect("series")
            .iter()
            .find(|s| s["series"] == SCORE);
        assert_eq!(
            counted.map_or(json!(0), |s| s["points"].clone()),
            json!(expected.len()),
            "{record}"
        );
        let sum: f64 = expected.iter().map(|(_, value)| value).sum();
        // Whole days and a range that cuts its days; of the session and of the user.
        for first in ["2024-12-25T00:00:00Z", "2024-12-25T00:00:01Z"] {
            for of in [String::new(), format!("&session_id={}", self.id)] {
                let range = format!(
                    "series={SCORE}&interval=all&start_time={first}&end_time=2025-02-10{of}"
                );
                let response = self
                    .app
                    .timeseries(self.user, &format!("{range}&agg_func=count,sum"))
                    .await
                    .expect(200);
                let value = &results(&response)[0]["value"];
                assert_eq!(value["count"], expected.len(), "{first} {of}");
                assert_close(
                    value["sum"].as_f64().expect("a number"),
                    sum,
                    &response.text,
                );
            }
        }
    }

    /// Checks the stored summaries and blocks; the last step of each test.
    pub(crate) async fn check_database(self) {
        self.app.database.check_day_summaries().await;
        self.app.database.check_blocks().await;
    }
}

fn seconds(time: &Value) -> i64 {
    let time: jiff::Timestamp = time.as_str().expect("a time").parse().expect("RFC 3339");
    time.as_second() - START_SECONDS
}

/// Checks that two sums are equal except for rounding.
#[track_caller]
pub(crate) fn assert_close(actual: f64, expected: f64, label: &str) {
    assert!(
        (actual - expected).abs() <= 1e-9 * (1.0 + expected.abs()),
        "expected {expected}, got {actual}: {label}"
    );
}
