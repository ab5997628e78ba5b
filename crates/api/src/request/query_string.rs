//! The query string as a struct whose fields document the parameters.

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest, web};
use apistos::paths::{Examples, Parameter, ParameterDefinition, RequestBody};
use apistos::reference_or::ReferenceOr;
use apistos::{ApiComponent, Schema};
use schemars::schema::{InstanceType, SchemaObject};
use serde_json::Value;
use std::future::{Ready, ready};

use super::Pairs;
use crate::problem::Problem;

/// Parameters that are one of some words, the same wherever they are, for the document.
const WORDS: [(&str, &[&str]); 12] = [
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

/// Documented parameters that can be read from pairs.
pub(crate) trait FromPairs {
    /// What they are read into; often the documented struct itself.
    type Parsed;

    /// The names of all parameters.
    const NAMES: &'static [&'static str];

    /// What `format` may be.
    const FORMATS: &'static [&'static str] = &["json", "csv", "ndjson", "arrow", "parquet"];

    /// An example of each parameter that wants one.
    fn examples() -> Vec<(&'static str, Value)> {
        Vec::new()
    }

    /// Reads them; faults are noted in `pairs`.
    fn from_pairs(pairs: &mut Pairs) -> Self::Parsed;
}

/// For calls that take no parameter: any is a fault, so that a `dry_run` is never overlooked.
#[derive(schemars::JsonSchema, ApiComponent)]
pub(crate) struct NoParams {}

impl FromPairs for NoParams {
    type Parsed = Self;

    const NAMES: &'static [&'static str] = &[];

    fn from_pairs(_: &mut Pairs) -> Self {
        Self {}
    }
}

/// Extracts what `T` documents from the query string, or answers with every fault in it.
pub(crate) struct QueryString<T: FromPairs>(pub(crate) T::Parsed);

impl<T: FromPairs> FromRequest for QueryString<T> {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(read(request.query_string()))
    }
}

/// Reads the same parameters from a JSON body.
pub(crate) fn read_json<T: FromPairs>(body: &[u8]) -> Result<T::Parsed, Problem> {
    read_pairs::<T>(Pairs::from_json(body, T::NAMES)?).map(|parameters| parameters.0)
}

/// Reads what `T` documents; every fault in one problem.
pub(super) fn read<T: FromPairs>(query: &str) -> Result<QueryString<T>, Problem> {
    read_pairs(Pairs::parse(query, T::NAMES)?)
}

fn read_pairs<T: FromPairs>(mut pairs: Pairs) -> Result<QueryString<T>, Problem> {
    let parameters = T::from_pairs(&mut pairs);
    pairs.finish()?;
    Ok(QueryString(parameters))
}

impl<T: ApiComponent + FromPairs> ApiComponent for QueryString<T> {
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
        for (name, words) in WORDS.into_iter().chain([("format", T::FORMATS)]) {
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
    fn without_parameters_every_pair_is_a_fault() {
        fuzz_query_strings::<NoParams>(|_| Ok(()));
        assert!(read::<NoParams>("a=b").is_err());
        assert!(read::<NoParams>("").is_ok());
    }
}
