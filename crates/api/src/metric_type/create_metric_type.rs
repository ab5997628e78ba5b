//! `POST /api/metrictypes/`

use actix_web::http::StatusCode;
use actix_web::http::header::LOCATION;
use actix_web::web;
use apistos::{ApiComponent, api_operation};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;
use time_series_domain::session::WriteStage;

use super::definition::parse_definition;
use super::metric_type_view::{MetricTypeBody, MetricTypeView};
use crate::openapi::{Answer, Example, Reply};
use crate::problem::Problem;
use crate::request::{Admin, JsonBody, NoParams, QueryString};
use crate::state::AppState;

/// The created metric type.
#[derive(Serialize, JsonSchema, ApiComponent)]
#[schemars(rename = "NewMetricType")]
pub(crate) struct NewMetricType(MetricTypeView);

impl Example for NewMetricType {
    fn example() -> Value {
        MetricTypeView::example()
    }
}

impl Answer for NewMetricType {
    const STATUSES: &'static [(u16, &'static str)] = &[(201, "The metric type is created.")];
}

/// Creates a metric type.
#[api_operation(
    tag = "metrictypes",
    operation_id = "create_metric_type",
    summary = "Create a metric type (admins)",
    description = "Validates the JSON Schema against its meta-schema. The numeric leaves of the \
                   schema become channels, which can be aggregated.",
    error_code = 400,
    error_code = 401,
    error_code = 403,
    error_code = 408,
    error_code = 409,
    error_code = 413,
    error_code = 415,
    error_code = 422,
    error_code = 500,
    error_code = 503
)]
pub(crate) async fn create_metric_type(
    _: Admin,
    _: QueryString<NoParams>,
    body: JsonBody<MetricTypeBody>,
    state: web::Data<AppState>,
) -> Result<Reply<NewMetricType>, Problem> {
    let definition = parse_definition(&body.bytes, None)?;
    let write = async |stage: &WriteStage| {
        stage.enter_store();
        state.metric_types.create(&definition).await
    };
    let created = state.within_write_timeout(write).await?;
    let location = format!("/api/metrictypes/{}/", created.series);
    Ok(
        Reply::new(StatusCode::CREATED, NewMetricType((&created).into()))
            .header(LOCATION, &location),
    )
}
