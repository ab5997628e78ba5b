//! The header `Idempotency-Key`.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};
use apistos::paths::Parameter;
use apistos::reference_or::ReferenceOr;
use apistos::{ApiComponent, Schema};
use time_series_domain::ingest::{IdempotencyKey, IdempotencyKeyError};

use super::caller::header_parameter;
use crate::problem::Problem;

const IDEMPOTENCY_KEY: &str = "Idempotency-Key";

/// What the sender calls this request, if anything.
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
        let description = "What you call this append, unique within the session; other stores need none. Sent again under the same key, it is \
                           answered as it was the first time, and nothing is added twice; under another key, the same \
                           points are added once more. Without a key, the same points are a retry.";
        vec![header_parameter(
            IDEMPOTENCY_KEY,
            description,
            "8e03978e-40d5-43dd-bc93-6894a57f9324",
        )]
    }
}
