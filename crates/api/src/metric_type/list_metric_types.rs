//! `GET /api/metrictypes/`

use actix_web::web;
use apistos::{ApiComponent, api_operation};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Value, json};
use time_series_domain::SeriesName;

use super::metric_type_view::MetricTypeView;
use crate::openapi::{Answer, Example, Reply};
use crate::problem::Problem;
use crate::request::{FromQuery, Number, Parameter, QueryParams, QueryString, Text};
use crate::state::AppState;

const DEFAULT_LIMIT: usize = 1_000;

static LIMIT: Number<usize> = Number::new(
    "limit",
    1,
    DEFAULT_LIMIT,
    "Maximum number of metric types per page, 1 to 1000. Default: 1000.",
)
.example("1000");

static CURSOR: Text<SeriesName> = Text::new(
    "cursor",
    |text| {
        SeriesName::parse(text)
            .map_err(|_| "is not a cursor of this list; omit it to read the first page".to_owned())
    },
    "`metadata.next_cursor` of the previous page, which is its last series.",
)
.example("session.gut_health_score");

/// The page of a list of metric types.
pub(crate) struct MetricTypeListParams {
    limit: Option<usize>,
    cursor: Option<SeriesName>,
}

impl FromQuery for MetricTypeListParams {
    type Parsed = Self;

    const PARAMETERS: &'static [&'static dyn Parameter] = &[&LIMIT, &CURSOR];

    fn from_query(params: &mut QueryParams) -> Self {
        Self {
            limit: LIMIT.read(params),
            cursor: CURSOR.read(params),
        }
    }
}

/// A page of metric types, sorted by series.
#[derive(Serialize, JsonSchema, ApiComponent)]
pub(crate) struct MetricTypeList {
    metadata: MetricTypeListMetadata,
    results: Vec<MetricTypeView>,
}

/// Metadata of a page of metric types.
#[derive(Serialize, JsonSchema, ApiComponent)]
pub(crate) struct MetricTypeListMetadata {
    /// Number of results on the page.
    count: usize,
    /// Value of `cursor` for the next page; null on the last page.
    next_cursor: Option<String>,
}

impl Example for MetricTypeList {
    fn example() -> Value {
        json!({
            "metadata": {"count": 1, "next_cursor": null},
            "results": [MetricTypeView::example()]
        })
    }
}

impl Answer for MetricTypeList {
    const STATUSES: &'static [(u16, &'static str)] =
        &[(200, "A page of metric types, sorted by series.")];
}

/// Lists the metric types.
#[api_operation(
    tag = "metrictypes",
    operation_id = "list_metric_types",
    summary = "List the metric types",
    description = "Lists the series with the JSON Schemas of their values, sorted by series.",
    error_code = 422,
    error_code = 500,
    error_code = 503
)]
pub(crate) async fn list_metric_types(
    params: QueryString<MetricTypeListParams>,
    state: web::Data<AppState>,
) -> Result<Reply<MetricTypeList>, Problem> {
    let MetricTypeListParams { limit, cursor } = params.0;
    let limit = limit.unwrap_or(DEFAULT_LIMIT);
    let catalogue = state.metric_types.list().await?;
    let after = cursor.as_ref().map_or("", SeriesName::as_str);
    let mut rest = catalogue.iter_after(after);
    let results: Vec<MetricTypeView> = rest
        .by_ref()
        .take(limit)
        .map(|t| t.as_ref().into())
        .collect();
    let more = rest.next().is_some();
    let next_cursor = results.last().filter(|_| more).map(MetricTypeView::series);
    Ok(Reply::ok(MetricTypeList {
        metadata: MetricTypeListMetadata {
            count: results.len(),
            next_cursor,
        },
        results,
    }))
}
