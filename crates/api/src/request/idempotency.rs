//! The header `Idempotency-Key`.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};
use apistos::paths::Parameter;
use apistos::reference_or::ReferenceOr;
use apistos::{ApiComponent, Schema};
use time_series_domain::ingest::{IdempotencyKey, IdempotencyKeyError};

use super::request_context::header_parameter;
use crate::problem::Problem;

const IDEMPOTENCY_KEY: &str = "Idempotency-Key";

/// The `Idempotency-Key` of the request, if any.
pub(crate) struct Idempotency(pub(crate) Option<IdempotencyKey>);

impl FromRequest for Idempotency {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let mut keys = request.headers().get_all(IDEMPOTENCY_KEY);
        let key = match (keys.next(), keys.next()) {
            (None, _) => Ok(None),
            (Some(value), None) => {
                IdempotencyKey::parse(value.to_str().unwrap_or_default()).map(Some)
            }
            (Some(_), Some(_)) => Err(IdempotencyKeyError),
        };
        ready(
            key.map(Self)
                .map_err(|e| Problem::parameter(IDEMPOTENCY_KEY, e)),
        )
    }
}

impl ApiComponent for Idempotency {
    fn child_schemas() -> Vec<(String, ReferenceOr<Schema>)> {
        Vec::new()
    }

    fn schema() -> Option<(String, ReferenceOr<Schema>)> {
        None
    }

    fn parameters() -> Vec<Parameter> {
        let description = "Key of an append, unique within the session. A repeated request with \
                           the same key returns the first response and adds nothing. The same \
                           points with another key are added again. Without a key, the same \
                           points are treated as a retry. Only appends use the key.";
        vec![header_parameter(
            IDEMPOTENCY_KEY,
            description,
            "8e03978e-40d5-43dd-bc93-6894a57f9324",
        )]
    }
}
