//! The response to a bulk upload: verdicts, and an end record with counts.

use serde::Deserialize;
use serde_json::Value;
use time_series_testkit::Response;

/// The counts of an end record.
#[derive(Debug, Default, PartialEq, Eq, Deserialize)]
pub(crate) struct Counts {
    pub(crate) lines: u64,
    pub(crate) created: u64,
    pub(crate) unchanged: u64,
    pub(crate) ignored: u64,
    pub(crate) replaced: u64,
    pub(crate) appended: u64,
    pub(crate) failed: u64,
}

impl Counts {
    /// Reads the counts of an end record.
    #[track_caller]
    pub(crate) fn of(end: &Value) -> Self {
        Self::deserialize(end).unwrap_or_else(|e| panic!("{e}: {end}"))
    }
}

/// The verdicts and the end record of a bulk upload.
pub(crate) struct BulkResult {
    pub(crate) verdicts: Vec<Value>,
    pub(crate) end: Value,
}

impl BulkResult {
    /// Reads a response with status 200.
    #[track_caller]
    pub(crate) fn read(response: &Response) -> Self {
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
