//! What became of each line, and of all.

use apistos::ApiComponent;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Value, json};
use time_series_domain::ingest::Outcome;
use time_series_domain::session::Ingested;
use uuid::Uuid;

use crate::format::{Format, json};
use crate::openapi::{Answer, Example};
use crate::problem::{Problem, ProblemBody};
use crate::session::receipt;

/// What became of a line. Of one that was refused, `status` and a problem's other members.
#[derive(Serialize, JsonSchema, ApiComponent)]
pub(crate) struct Verdict {
    /// Which line, from 1; of CSV the session's first.
    line: u64,
    /// 201 created; 200 unchanged, ignored, replaced or appended; else the status of the problem.
    status: u16,
    /// `created`, `unchanged`, `ignored`, `replaced`, `appended`.
    outcome: &'static str,
    /// Whose session it is.
    user_id: Uuid,
    /// Its id.
    session_id: Uuid,
    /// Points in what was sent.
    points: u64,
    /// The version of the user's data.
    version: Option<u64>,
    /// How many points are stored under its id now.
    total_points: Option<u64>,
}

/// What is wrong with a line.
#[derive(Serialize)]
struct Refused<'a> {
    line: u64,
    #[serde(flatten)]
    problem: ProblemBody<'a>,
}

/// The last line.
#[derive(Serialize)]
struct LastLine<'a> {
    /// Whether every line was read.
    end: bool,
    #[serde(flatten)]
    totals: &'a Totals,
    /// Why the lines that follow could not be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<ProblemBody<'a>>,
}

/// Maximum number of faults that the verdicts of one body list; further lines list their first one.
const MAX_LISTED: usize = 10_000;

/// What became of all lines.
#[derive(Debug, Default, Serialize)]
pub(super) struct Totals {
    lines: u64,
    created: u64,
    unchanged: u64,
    ignored: u64,
    replaced: u64,
    appended: u64,
    failed: u64,
    /// Points of sessions that are stored now.
    points: u64,
    /// Faults that were listed.
    #[serde(skip)]
    listed: usize,
}

/// Which verdicts are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Told {
    /// All of them.
    #[default]
    All,
    /// Those of lines that failed.
    Failed,
}

impl Totals {
    /// Counts a line, and writes its verdict if it is told.
    pub(super) fn add(
        &mut self,
        line: u64,
        done: &Result<Ingested, Problem>,
        told: Told,
        out: &mut Vec<u8>,
    ) {
        self.lines += 1;
        match done {
            Ok(done) => {
                self.points += done.points;
                *match done.outcome {
                    Outcome::Created | Outcome::Checked => &mut self.created,
                    Outcome::Unchanged => &mut self.unchanged,
                    Outcome::Ignored => &mut self.ignored,
                    Outcome::Replaced => &mut self.replaced,
                    Outcome::Appended => &mut self.appended,
                } += 1;
                if told == Told::Failed {
                    return;
                }
                let status = if done.outcome == Outcome::Created {
                    201
                } else {
                    200
                };
                let verdict = Verdict {
                    line,
                    status,
                    outcome: receipt::name(done.outcome),
                    user_id: done.user_id.0,
                    session_id: done.session_id.0,
                    points: done.points,
                    version: done.version,
                    total_points: done.total_points,
                };
                json(out, &verdict);
            }
            Err(problem) => {
                self.failed += 1;
                let most = if self.listed < MAX_LISTED {
                    usize::MAX
                } else {
                    1
                };
                let problem = problem.body().list_at_most(most);
                self.listed += problem.listed();
                json(out, &Refused { line, problem });
            }
        }
        out.push(b'\n');
    }

    /// Writes the end record: `true` if every line was read, or what went wrong.
    pub(super) fn end(&self, broken: Option<&Problem>, out: &mut Vec<u8>) {
        json(
            out,
            &LastLine {
                end: broken.is_none(),
                totals: self,
                problem: broken.map(Problem::body),
            },
        );
        out.push(b'\n');
    }
}

impl Example for Verdict {
    fn example() -> Value {
        json!({
            "line": 1,
            "status": 201,
            "outcome": "created",
            "user_id": "d38834e0-fe46-4bf9-831d-1d5b125bdc9b",
            "session_id": "0191d9f0-6d2c-7c3e-9b1a-3f8f0c5b7a11",
            "points": 2,
            "version": 1,
            "total_points": 2
        })
    }
}

impl Answer for Verdict {
    const STATUSES: &'static [(u16, &'static str)] = &[(
        200,
        "A verdict a session, in their order, while the body is still read; then `{\"end\":true,\"lines\":…,\"created\":…,\"unchanged\":…,\"ignored\":…,\"replaced\":…,\"appended\":…,\"failed\":…,\"points\":…}`. NDJSON.",
    )];
    const FORMATS: &'static [Format] = &[Format::Ndjson];
}
