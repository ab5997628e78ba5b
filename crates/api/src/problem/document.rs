//! The problem document and how it is sent.

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

/// Maximum number of faults that a problem lists.
pub(crate) const MAX_ERRORS: usize = 100;
/// Maximum length of a detail, as JSON.
const MAX_DETAIL: usize = 500;
/// Maximum length of a listed fault, as JSON.
const MAX_ERROR: usize = 1_000;
/// Maximum length of a fault's pointer and series, as JSON.
const MAX_POINTER: usize = 256;
const MAX_SERIES: usize = 255;
/// Length of a fault's JSON without its texts.
const ERROR_FRAME: usize = 80;

/// When to try again after a 503, in seconds.
const RETRY_AFTER_SECONDS: &str = "1";

/// An error to be sent.
#[derive(Debug)]
pub(crate) struct Problem {
    code: Code,
    detail: String,
    errors: Vec<FieldErrorView>,
    total: usize,
    /// The methods that the path takes, where another was used.
    allow: Option<&'static str>,
    estimate: Option<Box<Estimate>>,
}

/// What a refused query would have taken.
#[derive(Debug, Clone, Copy, Default, Serialize, JsonSchema, ApiComponent)]
#[schemars(rename = "Estimate")]
pub(crate) struct Estimate {
    /// Rows of the answer, at least.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) rows: Option<u64>,
    /// Values that would have to be kept, at least.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) values: Option<u64>,
    /// Points that would be read, at least.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) points: Option<u64>,
    /// How many are allowed.
    pub(crate) limit: u64,
}

/// One fault of the request.
#[derive(Debug, Clone, Serialize, JsonSchema, ApiComponent)]
pub(crate) struct FieldErrorView {
    /// JSON pointer into the body (`/data/3/value/r`), or the name of the query parameter.
    pub(crate) pointer: String,
    /// The place of the point in `data`, where it is about a point.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) index: Option<usize>,
    /// The point's series, where it could be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) series: Option<String>,
    /// Stable name of the kind of fault.
    pub(crate) code: &'static str,
    /// What is wrong and what would be right.
    pub(crate) message: String,
}

/// RFC 9457 problem details.
#[derive(Serialize, JsonSchema, ApiComponent)]
#[schemars(rename = "Problem")]
pub(crate) struct ProblemBody<'a> {
    /// `urn:time-series:problem:` and the code.
    #[serde(rename = "type")]
    kind: String,
    /// What the code means.
    title: &'a str,
    /// The HTTP status.
    status: u16,
    /// Stable name of the problem.
    code: &'a str,
    /// What happened here, and what to do about it.
    detail: &'a str,
    /// Every fault found, the first hundred.
    #[serde(skip_serializing_if = "Option::is_none")]
    errors: Option<&'a [FieldErrorView]>,
    /// How many faults there are.
    #[serde(skip_serializing_if = "Option::is_none")]
    total_errors: Option<usize>,
    /// What the query would take, if it is refused for that.
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

    /// The HTTP status.
    pub(crate) const fn status(&self) -> StatusCode {
        self.code.status()
    }

    /// Returns true if the service is to blame, and may do better the next time.
    pub(crate) const fn is_outage(&self) -> bool {
        matches!(self.code, Code::Unavailable | Code::Internal)
    }

    /// A bug; the log has the cause.
    pub(crate) fn internal() -> Self {
        Self::new(
            Code::Internal,
            "This is a fault of the service, not of the request. The log has the cause.",
        )
    }

    /// Faults of the request, of which the first hundred are listed.
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

    /// Faults of the request; the detail is the first of them, and how many more there are.
    pub(crate) fn of_faults(code: Code, errors: Vec<FieldErrorView>, total: usize) -> Self {
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

    /// There are more faults than are listed.
    pub(crate) const fn total(mut self, total: usize) -> Self {
        self.total = total;
        self
    }

    /// Tells which methods would be right.
    pub(crate) const fn allow(mut self, methods: &'static str) -> Self {
        self.allow = Some(methods);
        self
    }

    /// Tells what the query would have taken.
    pub(crate) fn estimate(mut self, estimate: Estimate) -> Self {
        self.estimate = Some(Box::new(estimate));
        self
    }

    /// One wrong parameter.
    pub(crate) fn parameter(name: &str, message: impl fmt::Display) -> Self {
        let message = format!("{name} {}", bounded(message, MAX_ERROR));
        let error = FieldErrorView::new(name, "invalid_parameter", message.clone());
        Self::with_errors(Code::InvalidParameters, message, vec![error])
    }

    /// As a document.
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
    /// The document with fewer faults listed.
    pub(crate) fn list_at_most(mut self, most: usize) -> Self {
        self.errors = self.errors.map(|errors| &errors[..errors.len().min(most)]);
        self
    }

    /// How many faults it lists.
    pub(crate) fn listed(&self) -> usize {
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

    /// The fault with its texts cut, so that all of it takes at most [`MAX_ERROR`] bytes.
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

/// The length of a text inside a JSON string, of which no byte takes more than six.
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
        // Keyed by status as the trait wants it; each status brings one of the schemas needed.
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
    fn whatever_is_echoed_an_error_takes_a_kilobyte_at_most() {
        for long in ["x", "é", "\u{1}", "\"", "\\", "😀"].map(|c| c.repeat(100_000)) {
            let error = FieldErrorView {
                pointer: long.clone(),
                index: Some(usize::MAX),
                series: Some(long.clone()),
                code: "invalid_parameter",
                message: long.clone(),
            };
            let problem = Problem::with_errors(Code::InvalidParameters, long, vec![error; 1_000]);
            let body = serde_json::to_value(problem.body()).expect("JSON");
            let errors = body["errors"].as_array().expect("a list");
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
