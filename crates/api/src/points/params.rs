//! The parameters of raw points.

use apistos::ApiComponent;
use schemars::JsonSchema;
use serde_json::{Value, json};
use uuid::Uuid;

use super::request::PointListParams;
use crate::request::{FromQuery, QueryParams};

/// The parameters of a list of points of a user.
#[derive(JsonSchema, ApiComponent)]
#[expect(dead_code, reason = "documents PointListParams")]
pub(crate) struct PointParams {
    /// The user that owns the points.
    user_id: Uuid,
    /// Only this session.
    session_id: Option<Uuid>,
    #[schemars(flatten)]
    which: SessionPointParamsDoc,
}

/// The parameters of a list of points of a session.
#[derive(JsonSchema, ApiComponent)]
#[expect(dead_code, reason = "documents PointListParams")]
pub(crate) struct SessionPointParams {
    /// The user that owns the session; needed only if several users have a session with this id.
    user_id: Option<Uuid>,
    #[schemars(flatten)]
    which: SessionPointParamsDoc,
}

/// The parameters that both lists share.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "documents PointListParams")]
pub(crate) struct SessionPointParamsDoc {
    /// The series; all by default. As for `/api/timeseries/`.
    series: Option<Vec<String>>,
    /// How `series` is parsed: `exact`, `glob` or `regex`.
    series_mode: Option<String>,
    /// Points at or after this: RFC 3339, a date (its midnight in UTC), milliseconds since 1970,
    /// `now` or `now-7d` (s, m, h, d, w), from 0001-01-01T00:00:00Z to 9999-12-31T23:59:59.999999Z.
    /// By default from the first.
    start_time: Option<String>,
    /// Points before this: RFC 3339, a date (its midnight in UTC), milliseconds since 1970, `now`
    /// or `now-7d` (s, m, h, d, w), from 0001-01-01T00:00:00Z to 9999-12-31T23:59:59.999999Z. By
    /// default up to and including the last.
    end_time: Option<String>,
    /// Only points whose numeric leaves meet these conditions, as for `/api/timeseries/`.
    r#where: Option<String>,
    /// `asc` (default): by time, series, session and arrival; `desc`: the exact reverse.
    order: Option<String>,
    /// Maximum number of points, 1 to 100000. By default 1000 in JSON, unlimited in the other
    /// formats.
    #[schemars(range(min = 1, max = 100_000))]
    limit: Option<usize>,
    /// `next_cursor` of the previous page.
    cursor: Option<String>,
    /// Maximum number of points of each series, 3 to 100000: real points that look like all of them
    /// in a plot, each with the number of points that it represents.
    #[schemars(range(min = 3, max = 100_000))]
    max_points: Option<usize>,
    /// The algorithm of `max_points`: `lttb` (default) or `minmax`.
    method: Option<String>,
    /// `json` (default), `csv`, `ndjson`, `arrow` or `parquet`; alternatively the header `Accept`.
    format: Option<String>,
    /// `none`: no end record after the last line of NDJSON or CSV. `record` by default.
    end: Option<String>,
    /// `flat`: one row per leaf (always so in csv, arrow and parquet). `nested` by default.
    shape: Option<String>,
    /// `columns`: arrays by series and leaf, as plotting libraries expect (JSON only). `rows` by
    /// default.
    layout: Option<String>,
    /// Waits up to 5 seconds until the user's data has reached this version, otherwise returns 412.
    min_version: Option<u64>,
}

const WHICH: [&str; 15] = [
    "series",
    "series_mode",
    "start_time",
    "end_time",
    "where",
    "order",
    "limit",
    "cursor",
    "max_points",
    "method",
    "format",
    "end",
    "shape",
    "layout",
    "min_version",
];

const fn with<const N: usize>(own: &[&'static str]) -> [&'static str; N] {
    let mut names = [""; N];
    let mut i = 0;
    while i < own.len() {
        names[i] = own[i];
        i += 1;
    }
    while i < N {
        names[i] = WHICH[i - own.len()];
        i += 1;
    }
    names
}

fn examples(own: &[(&'static str, Value)]) -> Vec<(&'static str, Value)> {
    let mut examples = own.to_vec();
    examples.extend([
        ("series", json!(["session.urine.*"])),
        ("start_time", json!("2025-01-01")),
        ("end_time", json!("2025-02-01T00:00:00Z")),
        ("where", json!("r>100,g<250")),
        ("order", json!("desc")),
        ("limit", json!(1000)),
        ("method", json!("lttb")),
        ("format", json!("json")),
        ("end", json!("record")),
    ]);
    examples
}

impl FromQuery for PointParams {
    type Parsed = PointListParams;

    const NAMES: &'static [&'static str] = &with::<17>(&["user_id", "session_id"]);

    fn examples() -> Vec<(&'static str, Value)> {
        examples(&[("user_id", json!("d38834e0-fe46-4bf9-831d-1d5b125bdc9b"))])
    }

    fn from_query(params: &mut QueryParams) -> PointListParams {
        let (user, session) = (params.required_uuid("user_id"), params.uuid("session_id"));
        PointListParams::read(params, Some(user), session)
    }
}

impl FromQuery for SessionPointParams {
    type Parsed = PointListParams;

    const NAMES: &'static [&'static str] = &with::<16>(&["user_id"]);

    fn examples() -> Vec<(&'static str, Value)> {
        examples(&[])
    }

    fn from_query(params: &mut QueryParams) -> PointListParams {
        let user = params.uuid("user_id");
        PointListParams::read(params, user, None)
    }
}

#[cfg(test)]
mod tests {
    use time_series_domain::UserId;

    use super::*;
    use crate::request::fuzz::fuzz_query_strings;

    fn ask(params: PointListParams) -> Result<(), crate::problem::Problem> {
        let user = UserId(params.user_id.unwrap_or_default());
        params
            .resolve(user, None, "*/*", time_series_domain::Timestamp::EPOCH)
            .map(|_| ())
    }

    #[test]
    fn no_query_string_for_a_user_panics_and_problems_are_bounded() {
        fuzz_query_strings::<PointParams>(ask);
    }

    #[test]
    fn no_query_string_for_a_session_panics_and_problems_are_bounded() {
        fuzz_query_strings::<SessionPointParams>(ask);
    }
}
