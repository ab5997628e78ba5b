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

const PATH: &str = "/api/sessions/bulk/";

/// A service, a user, and ids of sessions.
pub(crate) struct Case {
    pub(crate) app: TestApp,
    pub(crate) user: Uuid,
    pub(crate) ids: Vec<Uuid>,
}

/// The verdicts and the end record of a bulk upload.
pub(crate) struct BulkResult {
    pub(crate) verdicts: Vec<Value>,
    pub(crate) end: Value,
}

impl BulkResult {
    /// Reads a complete response.
    #[track_caller]
    fn read(response: &Response) -> Self {
        assert_eq!(response.status.as_u16(), 200, "{}", response.text);
        let mut verdicts: Vec<Value> = response
            .text
            .lines()
            .map(|line| serde_json::from_str(line).expect("one JSON value per line"))
            .collect();
        let end = verdicts.pop().expect("an end record");
        Self { verdicts, end }
    }

    /// Line, status and outcome or code of each verdict.
    pub(crate) fn outcomes<'a>(&'a self) -> Vec<(u64, u64, &'a str)> {
        let number = |v: &Value, name: &str| v[name].as_u64().expect("a number");
        let word = |v: &'a Value| {
            v["outcome"]
                .as_str()
                .or(v["code"].as_str())
                .unwrap_or_default()
        };
        self.verdicts
            .iter()
            .map(|v| (number(v, "line"), number(v, "status"), word(v)))
            .collect()
    }

    /// `pointer code` of each fault of a verdict.
    pub(crate) fn faults(&self, verdict: usize) -> Vec<String> {
        let errors = self.verdicts[verdict]["errors"]
            .as_array()
            .cloned()
            .unwrap_or_default();
        let text = |e: &Value, key: &str| e[key].as_str().unwrap_or_default().to_owned();
        errors
            .iter()
            .map(|e| format!("{} {}", text(e, "pointer"), text(e, "code")))
            .collect()
    }

    /// Checks the end record: the points, these counts, and zero for all others.
    #[track_caller]
    pub(crate) fn assert_end(&self, counts: &[(&str, u64)], points: u64) {
        assert_eq!(self.end["end"], true, "{}", self.end);
        for name in [
            "created",
            "unchanged",
            "ignored",
            "replaced",
            "appended",
            "failed",
        ] {
            let expected = counts
                .iter()
                .find(|(n, _)| *n == name)
                .map_or(0, |(_, n)| *n);
            assert_eq!(self.end[name], expected, "{name}: {}", self.end);
        }
        assert_eq!(self.end["points"], points, "{}", self.end);
        assert_eq!(
            self.end["lines"],
            counts.iter().map(|(_, n)| n).sum::<u64>(),
            "{}",
            self.end
        );
    }
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
