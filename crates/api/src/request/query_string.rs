//! Extractor of query strings.

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};
use apistos::paths::{Parameter as Described, RequestBody};
use apistos::reference_or::ReferenceOr;
use apistos::{ApiComponent, Schema};
use std::future::{Ready, ready};

use super::QueryParams;
use super::parameter::Parameter;
use super::parameter_docs::describe;
use crate::problem::Problem;

/// A set of declared parameters that can be parsed from a query string or from a JSON object.
pub(crate) trait FromQuery {
    /// The parsed parameters.
    type Parsed;

    /// The declarations of all parameters.
    const PARAMETERS: &'static [&'static dyn Parameter];

    /// Parses the parameters. Errors are recorded in `params`.
    fn from_query(params: &mut QueryParams) -> Self::Parsed;
}

/// No parameters: any parameter is an error, so that a misplaced `dry_run` is never ignored.
pub(crate) struct NoParams;

impl FromQuery for NoParams {
    type Parsed = Self;

    const PARAMETERS: &'static [&'static dyn Parameter] = &[];

    fn from_query(_: &mut QueryParams) -> Self {
        Self
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
    read_params::<T>(QueryParams::from_json(body, &names::<T>())?).map(|parameters| parameters.0)
}

/// Parses the parameters of `T`. The problem lists every error.
pub(super) fn read<T: FromQuery>(query: &str) -> Result<QueryString<T>, Problem> {
    read_params(QueryParams::parse(query, &names::<T>())?)
}

pub(super) fn names<T: FromQuery>() -> Vec<&'static str> {
    let parameters = T::PARAMETERS.iter();
    parameters.map(|p| p.common().name).collect()
}

fn read_params<T: FromQuery>(mut params: QueryParams) -> Result<QueryString<T>, Problem> {
    let parameters = T::from_query(&mut params);
    params.finish()?;
    Ok(QueryString(parameters))
}

impl<T: FromQuery> ApiComponent for QueryString<T> {
    fn child_schemas() -> Vec<(String, ReferenceOr<Schema>)> {
        Vec::new()
    }

    fn schema() -> Option<(String, ReferenceOr<Schema>)> {
        None
    }

    fn request_body() -> Option<RequestBody> {
        None
    }

    fn parameters() -> Vec<Described> {
        describe(T::PARAMETERS)
    }
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
