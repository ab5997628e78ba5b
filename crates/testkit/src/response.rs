//! Responses of a service, and their bodies as typed values.

use reqwest::StatusCode;
use reqwest::header::HeaderMap;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use uuid::Uuid;

/// A complete response.
#[derive(Debug, Clone)]
pub struct Response {
    /// The status code.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub text: String,
}

/// The receipt of a session; also a successful verdict of a bulk upload.
#[derive(Debug, Clone, Deserialize)]
pub struct Receipt {
    /// The outcome, such as `created`.
    pub outcome: String,
    /// The user that owns the session.
    pub user_id: Uuid,
    /// The session.
    pub session_id: Uuid,
    /// Points in the request.
    pub points: u64,
    /// Points of the session after the request; absent in a dry run.
    pub total_points: Option<u64>,
    /// Version of the user's data; absent in a dry run.
    pub version: Option<u64>,
}

/// A problem document (RFC 9457).
#[derive(Debug, Clone, Deserialize)]
pub struct Problem {
    /// The code of the problem.
    pub code: String,
    /// The explanation of this occurrence.
    pub detail: String,
    /// The faults of the request, at most a hundred.
    #[serde(default)]
    pub errors: Vec<Fault>,
    /// Number of all faults of the request.
    #[serde(default)]
    pub total_errors: usize,
}

/// A fault that a problem document lists.
#[derive(Debug, Clone, Deserialize)]
pub struct Fault {
    /// The code of the fault.
    pub code: String,
    /// The explanation of the fault.
    pub message: String,
    /// JSON pointer into the body.
    #[serde(default)]
    pub pointer: String,
}

/// A row of an aggregate query, or a point.
#[derive(Debug, Clone, Deserialize)]
pub struct Row {
    /// The series.
    pub series: String,
    /// The aggregate or the value of the point.
    pub value: Value,
}

/// Metadata of a list of rows.
#[derive(Debug, Clone, Deserialize)]
pub struct Metadata {
    /// Number of rows.
    pub count: u64,
    /// Version of the users' data.
    pub version: Option<u64>,
    /// The cursor of the next page.
    pub next_cursor: Option<String>,
    /// Series that were left out.
    #[serde(default)]
    pub skipped: Vec<String>,
}

#[derive(Deserialize)]
struct Rows {
    results: Vec<Row>,
}

#[derive(Deserialize)]
struct Described {
    metadata: Metadata,
}

impl Response {
    /// Returns the body as JSON.
    ///
    /// # Panics
    /// Panics if the body is not JSON.
    #[must_use]
    pub fn json(&self) -> Value {
        self.parse()
    }

    /// Returns the body as a receipt.
    ///
    /// # Panics
    /// Panics if the body is not a receipt.
    #[must_use]
    pub fn receipt(&self) -> Receipt {
        self.parse()
    }

    /// Returns the body as a problem document.
    ///
    /// # Panics
    /// Panics if the body is not a problem document.
    #[must_use]
    pub fn problem(&self) -> Problem {
        self.parse()
    }

    /// Returns the rows of the body.
    ///
    /// # Panics
    /// Panics if the body has no rows.
    #[must_use]
    pub fn rows(&self) -> Vec<Row> {
        self.parse::<Rows>().results
    }

    /// Returns the metadata of the body.
    ///
    /// # Panics
    /// Panics if the body has no metadata.
    #[must_use]
    pub fn metadata(&self) -> Metadata {
        self.parse::<Described>().metadata
    }

    /// Checks the status.
    ///
    /// # Panics
    /// Panics if the status differs.
    #[must_use]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status.as_u16(), status, "{}", self.text);
        self
    }

    /// Returns the code of the problem; empty if the body has none.
    #[must_use]
    pub fn code(&self) -> String {
        self.json()["code"].as_str().unwrap_or_default().to_owned()
    }

    /// Returns `pointer code` of each fault that the problem lists.
    #[must_use]
    pub fn faults(&self) -> Vec<String> {
        let body = self.json();
        let errors = body["errors"].as_array().cloned().unwrap_or_default();
        let text = |e: &Value, key: &str| e[key].as_str().unwrap_or_default().to_owned();
        errors
            .iter()
            .map(|e| format!("{} {}", text(e, "pointer"), text(e, "code")))
            .collect()
    }

    fn parse<T: DeserializeOwned>(&self) -> T {
        serde_json::from_str(&self.text)
            .unwrap_or_else(|e| panic!("{e}: {} {}", self.status, self.text))
    }
}
