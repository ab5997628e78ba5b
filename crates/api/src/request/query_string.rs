//! Extractor of query strings. The fields of a struct document the parameters.

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest, web};
use apistos::paths::{Examples, Parameter, ParameterDefinition, RequestBody};
use apistos::reference_or::ReferenceOr;
use apistos::{ApiComponent, Schema};
use schemars::schema::{InstanceType, SchemaObject};
use serde_json::Value;
use std::future::{Ready, ready};

use super::QueryParams;
use crate::problem::Problem;

/// Keywords of parameters, for the OpenAPI document.
const KEYWORDS: [(&str, &[&str]); 12] = [
    ("accuracy", &["exact", "approx"]),
    ("align", &["calendar", "session"]),
    ("fill", &["none", "null", "zero", "previous", "linear"]),
    ("group_by", &["session", "user"]),
    ("layout", &["rows", "columns"]),
    ("method", &["lttb", "minmax"]),
    ("on_conflict", &["error", "ignore", "replace", "append"]),
    ("order", &["asc", "desc"]),
    ("series_mode", &["exact", "glob", "regex"]),
    ("shape", &["nested", "flat"]),
    ("verdicts", &["all", "failed"]),
    (
        "week_start",
        &[
            "monday",
            "tuesday",
            "wednesday",
            "thursday",
            "friday",
            "saturday",
            "sunday",
        ],
    ),
];

/// Documented parameters that can be parsed from a query string.
pub(crate) trait FromQuery {
    /// The parsed parameters; often the documented struct itself.
    type Parsed;

    /// Names of all parameters.
    const NAMES: &'static [&'static str];

    /// Values of `format`.
    const FORMATS: &'static [&'static str] = &["json", "csv", "ndjson", "arrow", "parquet"];

    /// Returns examples of parameters.
    fn examples() -> Vec<(&'static str, Value)> {
        Vec::new()
    }

    /// Parses the parameters. Errors are recorded in `params`.
    fn from_query(params: &mut QueryParams) -> Self::Parsed;
}

/// No parameters: any parameter is an error, so that a misplaced `dry_run` is never ignored.
#[derive(schemars::JsonSchema, ApiComponent)]
pub(crate) struct NoParams {}

impl FromQuery for NoParams {
    type Parsed = Self;

    const NAMES: &'static [&'static str] = &[];

    fn from_query(_: &mut QueryParams) -> Self {
        Self {}
    }
}

/// The parsed parameters of `T`. Extraction fails with every error in the query string.
pub(crate) struct QueryString<T: FromQuery>(pub(crate) T::Parsed);

impl<T: FromQuery> FromRequest for QueryString<T> {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(read(request.query_string()))
    }
}

/// Parses the same parameters from a JSON body.
pub(crate) fn read_json<T: FromQuery>(body: &[u8]) -> Result<T::Parsed, Problem> {
    read_params::<T>(QueryParams::from_json(body, T::NAMES)?).map(|parameters| parameters.0)
}

/// Parses the parameters of `T`. The problem lists every error.
pub(super) fn read<T: FromQuery>(query: &str) -> Result<QueryString<T>, Problem> {
    read_params(QueryParams::parse(query, T::NAMES)?)
}

fn read_params<T: FromQuery>(mut params: QueryParams) -> Result<QueryString<T>, Problem> {
    let parameters = T::from_query(&mut params);
    params.finish()?;
    Ok(QueryString(parameters))
}

impl<T: ApiComponent + FromQuery> ApiComponent for QueryString<T> {
    fn child_schemas() -> Vec<(String, ReferenceOr<Schema>)> {
        T::child_schemas()
    }

    fn schema() -> Option<(String, ReferenceOr<Schema>)> {
        None
    }

    fn request_body() -> Option<RequestBody> {
        None
    }

    fn parameters() -> Vec<Parameter> {
        let mut parameters = web::Query::<T>::parameters();
        for (name, example) in T::examples() {
            if let Some(parameter) = parameters.iter_mut().find(|p| p.name == name) {
                parameter.example = Some(Examples::Example(example));
            }
        }
        for (name, words) in KEYWORDS.into_iter().chain([("format", T::FORMATS)]) {
            let parameter = parameters.iter_mut().find(|p| p.name == name);
            if let Some(ParameterDefinition::Schema(schema)) =
                parameter.and_then(|p| p.definition.as_mut())
            {
                **schema = ReferenceOr::Object(one_of(words));
            }
        }
        parameters
    }
}

fn one_of(words: &[&str]) -> Schema {
    let mut schema = SchemaObject {
        instance_type: Some(InstanceType::String.into()),
        ..SchemaObject::default()
    };
    schema.enum_values = Some(words.iter().map(|word| Value::from(*word)).collect());
    Schema::Object(schema)
}

#[cfg(test)]
mod tests {
    use super::super::fuzz::fuzz_query_strings;
    use super::*;

    #[test]
    fn every_parameter_of_an_endpoint_without_parameters_is_an_error() {
        fuzz_query_strings::<NoParams>(|_| Ok(()));
        assert!(read::<NoParams>("a=b").is_err());
        assert!(read::<NoParams>("").is_ok());
    }
}
