//! Problem documents (RFC 9457) and their responses.

use std::collections::BTreeMap;
use std::fmt;

use actix_web::body::BoxBody;
use actix_web::http::StatusCode;
use actix_web::http::header::{ALLOW, RETRY_AFTER, WWW_AUTHENTICATE};
use actix_web::{HttpResponse, ResponseError};
use apistos::paths::{MediaType, Response};
use apistos::reference_or::ReferenceOr;
use apistos::{ApiComponent, ApiErrorComponent, Schema};
use schemars::JsonSchema;
use serde::Serialize;
use time_series_domain::text::{bounded, shorten};

use super::Code;

/// Maximum number of errors that a problem lists.
pub(crate) const MAX_ERRORS: usize = 100;
/// Maximum length of a detail as JSON, in bytes.
const MAX_DETAIL: usize = 500;
/// Maximum length of a listed error as JSON, in bytes.
const MAX_ERROR: usize = 1_000;
/// Maximum length of the pointer of an error as JSON, in bytes.
const MAX_POINTER: usize = 256;
/// Maximum length of the series of an error as JSON, in bytes.
const MAX_SERIES: usize = 255;
/// Length of the JSON of an error without its texts, in bytes.
const ERROR_FRAME: usize = 80;

/// Value of `Retry-After` in a 503 response, in seconds.
const RETRY_AFTER_SECONDS: &str = "1";

/// An error response.
#[derive(Debug)]
pub(crate) struct Problem {
    code: Code,
    detail: String,
    errors: Vec<FieldErrorView>,
    total: usize,
    /// Supported methods, for the header `Allow`.
    allow: Option<&'static str>,
    estimate: Option<Box<Estimate>>,
}

/// Estimated size of a rejected query.
#[derive(Debug, Clone, Copy, Default, Serialize, JsonSchema, ApiComponent)]
#[schemars(rename = "Estimate")]
pub(crate) struct Estimate {
    /// Lower bound of the number of rows in the response.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) rows: Option<u64>,
    /// Lower bound of the number of values held by the query.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) values: Option<u64>,
    /// Lower bound of the number of points read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) points: Option<u64>,
    /// The limit that the query exceeds.
    pub(crate) limit: u64,
}

/// One error in a request.
#[derive(Debug, Clone, Serialize, JsonSchema, ApiComponent)]
pub(crate) struct FieldErrorView {
    /// JSON pointer into the body, such as `/data/3/value/r`, or name of a query parameter.
    pub(crate) pointer: String,
    /// Index of the point in `data`, for an error in a point.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) index: Option<usize>,
    /// Series of the point, if it could be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) series: Option<String>,
    /// Stable name of the kind of error.
    pub(crate) code: &'static str,
    /// Description of the error and of valid input.
    pub(crate) message: String,
}

/// RFC 9457 problem details.
#[derive(Serialize, JsonSchema, ApiComponent)]
#[schemars(rename = "Problem")]
pub(crate) struct ProblemBody<'a> {
    /// `urn:time-series:problem:` followed by the code.
    #[serde(rename = "type")]
    kind: String,
    /// Meaning of the code.
    title: &'a str,
    /// HTTP status.
    status: u16,
    /// Stable name of the problem.
    code: &'a str,
    /// Description of this occurrence and what to do.
    detail: &'a str,
    /// The errors in the request; at most the first 100.
    #[serde(skip_serializing_if = "Option::is_none")]
    errors: Option<&'a [FieldErrorView]>,
    /// Number of errors in the request.
    #[serde(skip_serializing_if = "Option::is_none")]
    total_errors: Option<usize>,
    /// Estimated size of the query, if it is rejected for its size.
    #[serde(skip_serializing_if = "Option::is_none")]
    estimate: Option<Estimate>,
}

impl Problem {
    pub(crate) fn new(code: Code, detail: impl Into<String>) -> Self {
        let detail = shorten(detail.into(), MAX_DETAIL);
        Self {
            code,
            detail,
            errors: Vec::new(),
            total: 0,
            allow: None,
            estimate: None,
        }
    }

    /// Returns the HTTP status.
    pub(crate) const fn status(&self) -> StatusCode {
        self.code.status()
    }

    /// Returns whether the service caused the problem and a retry may succeed.
    pub(crate) const fn is_outage(&self) -> bool {
        matches!(self.code, Code::Unavailable | Code::Internal)
    }

    /// Creates the problem of an internal error, whose cause is in the log.
    pub(crate) fn internal() -> Self {
        Self::new(
            Code::Internal,
            "An internal error occurred in the service. Its log contains the cause.",
        )
    }

    /// Creates a problem that lists the first [`MAX_ERRORS`] of the errors.
    pub(crate) fn with_errors(
        code: Code,
        detail: impl Into<String>,
        errors: Vec<FieldErrorView>,
    ) -> Self {
        let total = errors.len();
        let errors = errors
            .into_iter()
            .take(MAX_ERRORS)
            .map(FieldErrorView::within_bounds)
            .collect();
        Self {
            errors,
            total,
            ..Self::new(code, detail)
        }
    }

    /// Creates a problem whose detail is the first error and the number of further errors.
    pub(crate) fn of_errors(code: Code, errors: Vec<FieldErrorView>, total: usize) -> Self {
        let first = errors.first().map_or("", |error| error.message.as_str());
        let detail = match total.saturating_sub(1) {
            0 => first.to_owned(),
            more => format!(
                "{}; and {more} more, see errors",
                bounded(first, MAX_DETAIL - 60)
            ),
        };
        Self::with_errors(code, detail, errors).total(total)
    }

    /// Sets the number of errors, including those that are not listed.
    pub(crate) const fn total(mut self, total: usize) -> Self {
        self.total = total;
        self
    }

    /// Sets the methods that the path supports.
    pub(crate) const fn allow(mut self, methods: &'static str) -> Self {
        self.allow = Some(methods);
        self
    }

    /// Sets the estimated size of the query.
    pub(crate) fn estimate(mut self, estimate: Estimate) -> Self {
        self.estimate = Some(Box::new(estimate));
        self
    }

    /// Creates the problem of one invalid parameter. `message` continues the name of the parameter.
    pub(crate) fn parameter(name: &str, message: impl fmt::Display) -> Self {
        let message = format!("{name} {}", bounded(message, MAX_ERROR));
        let error = FieldErrorView::new(name, "invalid_parameter", message.clone());
        Self::with_errors(Code::InvalidParameters, message, vec![error])
    }

    /// Returns the problem document.
    pub(crate) fn body(&self) -> ProblemBody<'_> {
        ProblemBody {
            kind: format!("urn:time-series:problem:{}", self.code.name()),
            title: self.code.title(),
            status: self.code.status().as_u16(),
            code: self.code.name(),
            detail: &self.detail,
            errors: (self.total > 0).then_some(&self.errors),
            total_errors: (self.total > 0).then_some(self.total),
            estimate: self.estimate.as_deref().copied(),
        }
    }
}

impl ProblemBody<'_> {
    /// Truncates the list of errors.
    pub(crate) fn with_max_errors(mut self, max: usize) -> Self {
        self.errors = self.errors.map(|errors| &errors[..errors.len().min(max)]);
        self
    }

    /// Returns the number of listed errors.
    pub(crate) fn listed_errors(&self) -> usize {
        self.errors.map_or(0, <[_]>::len)
    }
}

impl FieldErrorView {
    pub(crate) fn new(pointer: &str, code: &'static str, message: impl Into<String>) -> Self {
        Self {
            pointer: pointer.to_owned(),
            index: None,
            series: None,
            code,
            message: message.into(),
        }
    }

    /// Shortens the texts, so that the JSON of the error has at most [`MAX_ERROR`] bytes.
    fn within_bounds(self) -> Self {
        let pointer = shorten(self.pointer, MAX_POINTER);
        let series = self.series.map(|series| shorten(series, MAX_SERIES));
        let series_length = series.as_ref().map_or(0, |series| json_length(series));
        let rest =
            MAX_ERROR - ERROR_FRAME - self.code.len() - json_length(&pointer) - series_length;
        Self {
            pointer,
            series,
            message: shorten(self.message, rest),
            ..self
        }
    }
}

/// Returns the length of a text inside a JSON string. JSON needs at most six bytes per byte.
fn json_length(text: &str) -> usize {
    serde_json::to_string(text).map_or(6 * text.len(), |json| json.len() - 2)
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code.name(), self.detail)
    }
}

impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        self.code.status()
    }

    fn error_response(&self) -> HttpResponse<BoxBody> {
        let mut response = HttpResponse::build(self.status_code());
        response.content_type("application/problem+json");
        if self.status_code() == StatusCode::SERVICE_UNAVAILABLE {
            response.insert_header((RETRY_AFTER, RETRY_AFTER_SECONDS));
        }
        if self.status_code() == StatusCode::UNAUTHORIZED {
            response.insert_header((WWW_AUTHENTICATE, "Bearer"));
        }
        if let Some(methods) = self.allow {
            response.insert_header((ALLOW, methods));
        }
        let body = serde_json::to_vec(&self.body()).unwrap_or_default();
        response.body(body)
    }
}

impl ApiErrorComponent for Problem {
    fn schemas_by_status_code() -> BTreeMap<String, (String, ReferenceOr<Schema>)> {
        let schemas = || {
            <ProblemBody<'_> as ApiComponent>::child_schemas()
                .into_iter()
                .chain(ProblemBody::schema())
        };
        // The trait requires one schema per status. The statuses outnumber the schemas, so that
        // cycling covers all of them.
        statuses().into_iter().zip(schemas().cycle()).collect()
    }

    fn error_responses() -> Vec<(String, Response)> {
        let response = |status: String| {
            let codes = Code::ALL.iter().filter(|c| c.status().as_str() == status);
            let described: Vec<String> = codes
                .clone()
                .map(|c| format!("`{}`: {}", c.name(), c.title()))
                .collect();
            let example = codes.clone().next().and_then(|code| {
                let problem = Self::new(*code, code.title());
                serde_json::to_value(problem.body()).ok()
            });
            let media = MediaType {
                schema: Some(ReferenceOr::Reference {
                    _ref: "#/components/schemas/Problem".to_owned(),
                }),
                example: example.map(apistos::paths::Examples::Example),
                ..MediaType::default()
            };
            let response = Response {
                description: described.join("; "),
                content: BTreeMap::from([("application/problem+json".to_owned(), media)]),
                ..Response::default()
            };
            (status, response)
        };
        statuses().into_iter().map(response).collect()
    }
}

fn statuses() -> Vec<String> {
    let mut statuses: Vec<String> = Code::ALL
        .iter()
        .map(|c| c.status().as_str().to_owned())
        .collect();
    statuses.sort();
    statuses.dedup();
    statuses
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_has_at_most_1000_bytes() {
        for long in ["x", "é", "\u{1}", "\"", "\\", "😀"].map(|c| c.repeat(100_000)) {
            let error = FieldErrorView {
                pointer: long.clone(),
                index: Some(usize::MAX),
                series: Some(long.clone()),
                code: "invalid_parameter",
                message: long.clone(),
            };
            let problem = Problem::with_errors(Code::InvalidParameters, long, vec![error; 1_000]);
            let body = serde_json::to_value(problem.body()).expect("valid JSON");
            let errors = body["errors"].as_array().expect("errors are listed");
            assert_eq!(
                (errors.len(), &body["total_errors"]),
                (MAX_ERRORS, &1_000.into())
            );
            assert!(
                errors
                    .iter()
                    .all(|error| error.to_string().len() <= MAX_ERROR),
                "{}",
                errors[0].to_string().len()
            );
            assert!(body["detail"].to_string().len() <= MAX_DETAIL + 2);
        }
    }
}
