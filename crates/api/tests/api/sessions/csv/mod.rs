//! Sessions as CSV, with one point per row; helpers of these tests.

mod bodies;
mod broken_lines;
mod cells;
mod columns;
mod exports;
mod faults;
mod files;
mod headers;
mod reappearing;
mod rows;

use reqwest::Method;
use serde_json::{Value, json};
use time_series_testkit::{Backend, Response, TestApp};
use uuid::Uuid;

use crate::common::{START, as_floats, results};
use crate::sessions::bulk_result::BulkResult;

const PATH: &str = "/api/sessions/bulk/";

/// A service, a user, and ids of sessions.
pub(crate) struct Case {
    pub(crate) app: TestApp,
    pub(crate) user: Uuid,
    pub(crate) ids: Vec<Uuid>,
}

impl Case {
    pub(crate) async fn new(backend: Backend) -> Self {
        let app = TestApp::seeded(backend).await;
        Self {
            app,
            user: Uuid::new_v4(),
            ids: (0..8).map(|_| Uuid::new_v4()).collect(),
        }
    }

    /// Posts CSV.
    pub(crate) async fn post(&self, parameters: &str, body: &[u8]) -> Response {
        let headers = [("content-type", "text/csv")];
        self.app
            .request(
                Method::POST,
                &format!("{PATH}{parameters}"),
                Some(body.to_vec()),
                &headers,
            )
            .await
    }

    /// Posts lines of CSV, in which U is the user, and S0 to S7 are sessions.
    pub(crate) async fn send(&self, lines: &[&str]) -> BulkResult {
        self.send_with("", lines).await
    }

    /// Same as `send`, with query parameters.
    pub(crate) async fn send_with(&self, parameters: &str, lines: &[&str]) -> BulkResult {
        BulkResult::read(&self.post(parameters, self.text(lines).as_bytes()).await)
    }

    /// The lines with ids inserted, each with a line end.
    pub(crate) fn text(&self, lines: &[&str]) -> String {
        lines
            .iter()
            .map(|line| self.with_ids(line) + "\n")
            .collect()
    }

    fn with_ids(&self, line: &str) -> String {
        let cell = |cell: &str| match (
            cell,
            cell.strip_prefix('S').and_then(|n| n.parse::<usize>().ok()),
        ) {
            ("U", _) => self.user.to_string(),
            (_, Some(number)) if number < self.ids.len() => self.ids[number].to_string(),
            _ => cell.to_owned(),
        };
        line.split(',').map(cell).collect::<Vec<_>>().join(",")
    }

    /// Series, time and value of each point of a session, as listed.
    pub(crate) async fn points(&self, session: usize) -> Vec<Value> {
        let path = format!(
            "/api/sessions/{}/points/?user_id={}&limit=100000",
            self.ids[session], self.user
        );
        let listed = results(&self.app.get(&path).await.expect(200));
        listed
            .iter()
            .map(|row| as_floats(&json!([row["series"], row["time"], row["value"]])))
            .collect()
    }

    /// Checks the points of a session: series, seconds of the first minute, value.
    pub(crate) async fn assert_points(&self, session: usize, expected: &[(&str, u32, Value)]) {
        let row = |(series, second, value): &(&str, u32, Value)| {
            as_floats(&json!([
                series,
                format!("2025-01-01T00:00:{second:02}Z"),
                value
            ]))
        };
        assert_eq!(
            self.points(session).await,
            expected.iter().map(row).collect::<Vec<_>>()
        );
    }

    /// Checks that a session does not exist.
    pub(crate) async fn assert_absent(&self, session: usize) {
        let response = self
            .app
            .get(&format!("/api/sessions/{}/", self.ids[session]))
            .await;
        assert_eq!(response.status.as_u16(), 404, "{}", response.text);
    }

    /// Checks the stored summaries and blocks; the last step of each test.
    pub(crate) async fn check_database(self) {
        self.app.database.check_day_summaries().await;
        self.app.database.check_blocks().await;
    }
}
