//! `GET /api/metrictypes/`

use actix_web::web;
use apistos::{ApiComponent, api_operation};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Value, json};

use super::metric_type_view::MetricTypeView;
use crate::openapi::{Answer, Example, Reply};
use crate::problem::Problem;
use crate::request::{FromPairs, Pairs, QueryString};
use crate::state::AppState;

const DEFAULT_LIMIT: usize = 1_000;

/// Which metric types.
#[derive(JsonSchema, ApiComponent)]
pub(crate) struct MetricTypeListParams {
    /// How many at the most, 1 to 1000; 1000 by default.
    #[schemars(range(min = 1, max = 1000))]
    limit: Option<usize>,
    /// `metadata.next_cursor` of the page before: the last name on it.
    cursor: Option<String>,
}

impl FromPairs for MetricTypeListParams {
    type Parsed = Self;

    const NAMES: &'static [&'static str] = &["limit", "cursor"];

    fn examples() -> Vec<(&'static str, Value)> {
        vec![
            ("limit", json!(1_000)),
            ("cursor", json!("session.gut_health_score")),
        ]
    }

    fn from_pairs(pairs: &mut Pairs) -> Self {
        let cursor = pairs.read("cursor", |text| {
            time_series_domain::SeriesName::parse(text)
                .map(|name| name.as_str().to_owned())
                .map_err(|_| "is not one that this list gave; leave it out to start anew")
        });
        Self {
            limit: pairs.number("limit", &1, &DEFAULT_LIMIT),
            cursor,
        }
    }
}

/// Metric types by name.
#[derive(Serialize, JsonSchema, ApiComponent)]
pub(crate) struct MetricTypeList {
    metadata: MetricTypeListMetadata,
    results: Vec<MetricTypeView>,
}

/// What the page is of.
#[derive(Serialize, JsonSchema, ApiComponent)]
pub(crate) struct MetricTypeListMetadata {
    /// How many results there are on this page.
    count: usize,
    /// To be sent as `cursor` for the next page; null on the last one.
    next_cursor: Option<String>,
}

impl Example for MetricTypeList {
    fn example() -> Value {
        json!({"metadata": {"count": 1, "next_cursor": null}, "results": [MetricTypeView::example()]})
    }
}

impl Answer for MetricTypeList {
    const STATUSES: &'static [(u16, &'static str)] = &[(200, "Metric types, by name.")];
}

/// Lists the metric types.
#[api_operation(
    tag = "metrictypes",
    operation_id = "list_metric_types",
    summary = "List the metric types",
    description = "All series that exist, with the schema of their values, by name.",
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
    let mut rest = catalogue.iter_after(cursor.as_deref().unwrap_or_default());
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
