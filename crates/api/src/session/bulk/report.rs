//! Report of a bulk upload: one verdict per session, and the end record.

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

/// Verdict of one session. The verdict of a rejected session is its line and a problem document.
#[derive(Serialize, JsonSchema, ApiComponent)]
pub(crate) struct Verdict {
    /// Number of the line, from 1. For CSV, the first line of the session.
    line: u64,
    /// 201 for `created`, 200 for other outcomes; for a rejected session, the status of the
    /// problem.
    status: u16,
    /// `created`, `unchanged`, `ignored`, `replaced` or `appended`.
    outcome: &'static str,
    /// User that owns the session.
    user_id: Uuid,
    /// Id of the session.
    session_id: Uuid,
    /// Number of points in the request.
    points: u64,
    /// Version of the user's data.
    version: Option<u64>,
    /// Number of points in the stored session.
    total_points: Option<u64>,
}

/// Verdict of a rejected session.
#[derive(Serialize)]
struct RejectedLine<'a> {
    line: u64,
    #[serde(flatten)]
    problem: ProblemBody<'a>,
}

/// The last line of the response.
#[derive(Serialize)]
struct EndRecord<'a> {
    /// `true` if the whole body was read.
    end: bool,
    #[serde(flatten)]
    totals: &'a Totals,
    /// The error that ended the body early.
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<ProblemBody<'a>>,
}

/// Maximum number of errors listed in the verdicts of one body. Beyond it, each verdict lists only
/// its first error.
const MAX_LISTED_ERRORS: usize = 10_000;

/// Number of sessions per outcome.
#[derive(Debug, Default, Serialize)]
pub(super) struct Totals {
    lines: u64,
    created: u64,
    unchanged: u64,
    ignored: u64,
    replaced: u64,
    appended: u64,
    failed: u64,
    /// Points in the accepted sessions.
    points: u64,
    /// Errors listed so far.
    #[serde(skip)]
    listed_errors: usize,
}

/// The verdicts that the response contains.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum ReportFilter {
    /// All verdicts.
    #[default]
    All,
    /// Verdicts of rejected sessions.
    Failed,
}

impl Totals {
    /// Counts a session and writes its verdict, unless the filter omits it.
    pub(super) fn add(
        &mut self,
        line: u64,
        done: &Result<Ingested, Problem>,
        filter: ReportFilter,
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
                if filter == ReportFilter::Failed {
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
                let max_errors = if self.listed_errors < MAX_LISTED_ERRORS {
                    usize::MAX
                } else {
                    1
                };
                let problem = problem.body().with_max_errors(max_errors);
                self.listed_errors += problem.listed_errors();
                json(out, &RejectedLine { line, problem });
            }
        }
        out.push(b'\n');
    }

    /// Writes the end record, with the error that ended the body early, if any.
    pub(super) fn end(&self, error: Option<&Problem>, out: &mut Vec<u8>) {
        json(
            out,
            &EndRecord {
                end: error.is_none(),
                totals: self,
                problem: error.map(Problem::body),
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
        "NDJSON: one verdict per session in the order of the body, sent while the body is read, \
         and the end record `{\"end\":true,\"lines\":…,\"created\":…,\"unchanged\":…,\
         \"ignored\":…,\"replaced\":…,\"appended\":…,\"failed\":…,\"points\":…}`.",
    )];
    const FORMATS: &'static [Format] = &[Format::Ndjson];
}
