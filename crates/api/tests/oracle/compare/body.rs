//! The JSON bodies of answers.

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use uuid::Uuid;

use crate::fixture::Fixture;
use crate::model::rows::GroupKey;
use crate::runner::Outcome;

/// The body of an answer with a list of results.
#[derive(Deserialize)]
pub(crate) struct Body<R> {
    pub(crate) metadata: serde_json::Value,
    pub(crate) results: Vec<R>,
}

impl<R: DeserializeOwned> Body<R> {
    /// Parses a body, and checks its count.
    pub(crate) fn parse(text: &str) -> Outcome<Self> {
        let body: Self = serde_json::from_str(text).map_err(|e| format!("{e}: {text}"))?;
        if body.metadata["count"] == body.results.len() {
            Ok(body)
        } else {
            Err(format!(
                "metadata.count is {} for {} results",
                body.metadata["count"],
                body.results.len()
            ))
        }
    }

    /// Requests a path, and parses the answer.
    pub(crate) async fn get(fixture: &Fixture, path: &str) -> Outcome<Self> {
        let answer = fixture.app.get(path).await;
        if answer.status != 200 {
            return Err(format!("GET {path}: {} {}", answer.status, answer.text));
        }
        Self::parse(&answer.text).map_err(|e| format!("GET {path}: {e}"))
    }
}

pub(crate) type AggregateBody = Body<ReturnedRow>;

/// A row of an aggregate answer. Unknown members are errors.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ReturnedRow {
    pub(crate) bucket: String,
    pub(crate) series: String,
    pub(crate) user_id: Option<Uuid>,
    pub(crate) session_id: Option<Uuid>,
    pub(crate) value: Box<RawValue>,
}

impl ReturnedRow {
    /// The key of the row in the notation of `row_name`.
    pub(crate) fn name(&self) -> String {
        let group = GroupKey {
            user: self.user_id,
            session: self.session_id,
        };
        row_name(&self.series, &self.bucket.replace('Z', "+00:00"), group)
    }
}

/// Returns the key of a row as text.
pub(crate) fn row_name(series: &str, label: &str, group: GroupKey) -> String {
    let ids: Vec<String> = [group.user, group.session]
        .into_iter()
        .flatten()
        .map(|id| format!(" {id}"))
        .collect();
    format!("{series} {label}{}", ids.concat())
}

/// The rows of an NDJSON answer, as JSON texts.
pub(crate) struct Lines {
    pub(crate) rows: Vec<Box<RawValue>>,
    /// The last line.
    pub(crate) end: serde_json::Value,
}

impl Lines {
    /// Parses NDJSON, and checks that the last line has the number of rows.
    pub(crate) fn parse(text: &str) -> Outcome<Self> {
        let mut rows: Vec<Box<RawValue>> = text
            .lines()
            .map(|line| serde_json::from_str(line).map_err(|e| format!("{e}: {line}")))
            .collect::<Outcome<_>>()?;
        let last = rows.pop().ok_or("NDJSON has no line")?;
        let end: serde_json::Value = serde_json::from_str(last.get()).map_err(|e| e.to_string())?;
        if end["end"] == true && end["count"] == rows.len() {
            Ok(Self { rows, end })
        } else {
            Err(format!("{} lines of NDJSON end with {end}", rows.len()))
        }
    }
}
