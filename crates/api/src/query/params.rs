//! The parameters of an aggregate query.

use apistos::ApiComponent;
use schemars::JsonSchema;
use serde_json::{Value, json};
use uuid::Uuid;

use super::aggregate_params::AggregateParams;
use crate::request::{FromQuery, QueryParams};

/// The parameters of an aggregate query.
#[derive(JsonSchema, ApiComponent)]
#[expect(dead_code, reason = "documents AggregateParams")]
pub(crate) struct TimeseriesParams {
    /// The user whose data are aggregated. Several users, comma-separated or repeated, are merged
    /// unless `group_by=user`; only admins may name several.
    user_id: Vec<Uuid>,
    /// Only this session.
    session_id: Option<Uuid>,
    /// The series; all by default. Comma-separated and repeatable. A name is exact; a part with `*`
    /// is a glob over the whole name; anything else (`^session\.`) is one regular expression,
    /// searched in the name.
    series: Option<Vec<String>>,
    /// How `series` is parsed: `exact`, `glob` or `regex` (commas belong to the expression). By
    /// default its characters decide.
    series_mode: Option<String>,
    /// Length of a bucket: `min`, `hour`, `day`, `week` (default), `month`, `quarter`, `year`, a
    /// multiple (`30s`, `15m`, `6h`, `2w`, `3mo`), or `all`.
    interval: Option<String>,
    /// Points at or after this: RFC 3339, a date (its midnight in `tz`), milliseconds since 1970,
    /// `now` or `now-7d` (s, m, h, d, w), from 0001-01-01T00:00:00Z to 9999-12-31T23:59:59.999999Z.
    /// By default 168 hours before the end.
    start_time: Option<String>,
    /// Points before this: RFC 3339, a date (its midnight in `tz`), milliseconds since 1970, `now`
    /// or `now-7d` (s, m, h, d, w), from 0001-01-01T00:00:00Z to 9999-12-31T23:59:59.999999Z. By
    /// default now.
    end_time: Option<String>,
    /// Functions to compute, comma-separated: `avg` (default), `min`, `max`, `count`, `sum`,
    /// `first`, `last`, `stddev`, `range`, `median`, `p0` to `p100` with decimals (`p99.9`),
    /// `mode`, `distinct`, `time_avg`.
    agg_func: Option<String>,
    /// IANA time zone of the buckets; `UTC` by default.
    tz: Option<String>,
    /// The day that weeks start on; `monday` by default.
    week_start: Option<String>,
    /// Only points whose numeric leaves meet these conditions: leaf, one of `= != < <= > >=`,
    /// number; a comma means and. The leaf of a bare number is `value`.
    r#where: Option<String>,
    /// `session`: buckets of the time since each session's start (`PT0S`, `PT5M`, …), for an
    /// `interval` of seconds, minutes or hours. `calendar` by default.
    align: Option<String>,
    /// `session`: one row per session and series over the range, or per bucket if `interval` is
    /// given. `user`: one row per user.
    group_by: Option<String>,
    /// Functions to compute of the values of the sessions (or users) of a bucket, comma-separated:
    /// `median` of the sessions' means.
    over: Option<String>,
    /// Filling of buckets without a point, for series that have one: `none` (default), `null`,
    /// `zero`, `previous`, `linear`.
    fill: Option<String>,
    /// The length of time before the range that `fill` searches for a known bucket: `12h`, `7d`,
    /// `4w`.
    fill_lookback: Option<String>,
    /// `approx`: percentiles of more values than the service retains come from a sketch, whose
    /// relative error is in the metadata. `exact` by default.
    accuracy: Option<String>,
    /// `json` (default), `csv`, `ndjson`, `arrow` or `parquet`; alternatively the header `Accept`.
    format: Option<String>,
    /// `none`: no end record after the last line of NDJSON. `record` by default.
    end: Option<String>,
    /// `flat`: one row per leaf (always so in csv, arrow and parquet). `nested` by default.
    shape: Option<String>,
    /// `columns`: arrays by series and leaf, as plotting libraries expect (JSON only). `rows` by
    /// default.
    layout: Option<String>,
    /// Waits up to 5 seconds until the user's data has reached this version, otherwise returns 412.
    min_version: Option<u64>,
    /// `true`: the metadata contain the statistics of the execution.
    explain: Option<bool>,
}

impl FromQuery for TimeseriesParams {
    type Parsed = AggregateParams;

    const NAMES: &'static [&'static str] = &[
        "user_id",
        "session_id",
        "series",
        "series_mode",
        "interval",
        "start_time",
        "end_time",
        "agg_func",
        "tz",
        "week_start",
        "where",
        "align",
        "group_by",
        "over",
        "fill",
        "fill_lookback",
        "accuracy",
        "format",
        "end",
        "shape",
        "layout",
        "min_version",
        "explain",
    ];

    fn examples() -> Vec<(&'static str, Value)> {
        vec![
            ("user_id", json!(["d38834e0-fe46-4bf9-831d-1d5b125bdc9b"])),
            (
                "series",
                json!(["session.gut_health_score", "session.urine.*"]),
            ),
            ("interval", json!("month")),
            ("start_time", json!("2025-01-01")),
            ("end_time", json!("2025-02-01T00:00:00Z")),
            ("agg_func", json!("avg,p90")),
            ("tz", json!("America/New_York")),
            ("week_start", json!("sunday")),
            ("where", json!("value>=20")),
            ("align", json!("calendar")),
            ("group_by", json!("session")),
            ("over", json!("median")),
            ("fill", json!("previous")),
            ("fill_lookback", json!("7d")),
            ("accuracy", json!("approx")),
            ("format", json!("json")),
            ("end", json!("record")),
            ("shape", json!("flat")),
            ("layout", json!("rows")),
            ("explain", json!(true)),
        ]
    }

    fn from_query(params: &mut QueryParams) -> AggregateParams {
        AggregateParams::read(params)
    }
}

#[cfg(test)]
mod tests {
    use time_series_domain::Timestamp;

    use super::*;
    use crate::request::fuzz::fuzz_query_strings;

    #[test]
    fn no_query_string_panics_and_problems_are_bounded() {
        for now in [Timestamp::MIN, Timestamp::EPOCH, Timestamp::MAX] {
            fuzz_query_strings::<TimeseriesParams>(|params| params.resolve(now).map(|_| ()));
        }
    }
}
