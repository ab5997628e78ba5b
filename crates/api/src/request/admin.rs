//! Authentication of admins.

use std::collections::BTreeMap;
use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::http::header::AUTHORIZATION;
use actix_web::{FromRequest, HttpRequest, web};
use apistos::reference_or::ReferenceOr;
use apistos::security::{Http, SecurityScheme, SecurityType};
use apistos::{ApiComponent, Schema};
use secrecy::ExposeSecret;
use subtle::ConstantTimeEq;

use crate::problem::{Code, Problem};
use crate::settings::Admins;
use crate::state::AppState;

/// Name of the security scheme in the OpenAPI document.
const SCHEME: &str = "admin";

/// Proof that the request is from an admin.
pub(crate) struct Admin;

impl FromRequest for Admin {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(admin(request))
    }
}

/// Checks that a request is from an admin.
pub(super) fn admin(request: &HttpRequest) -> Result<Admin, Problem> {
    let authorization = request
        .headers()
        .get(AUTHORIZATION)
        .and_then(|value| value.to_str().ok());
    let state = request.app_data::<web::Data<AppState>>();
    match state.map(|state| &state.admins) {
        Some(admins) => check(admins, authorization),
        None => Err(Problem::new(
            Code::Internal,
            "The service is misconfigured: the application state is missing.",
        )),
    }
}

fn check(admins: &Admins, authorization: Option<&str>) -> Result<Admin, Problem> {
    let token = match admins {
        Admins::Local => return Ok(Admin),
        Admins::Nobody(address) => {
            let detail = format!(
                "Admin requests are disabled: the service listens on {address} without an admin \
                 token. Ask the operator of the service to configure one."
            );
            return Err(Problem::new(Code::AdminsNotConfigured, detail));
        }
        Admins::Token(token) => token.expose_secret().as_bytes(),
    };
    let given = authorization.and_then(bearer_token).unwrap_or_default();
    if bool::from(given.as_bytes().ct_eq(token)) {
        return Ok(Admin);
    }
    let detail = "The admin token is missing or wrong. Send the header \
                  `Authorization: Bearer <token>` with the admin token of the service.";
    Err(Problem::new(Code::Unauthorized, detail))
}

/// Returns the token of an `Authorization` header with the scheme `Bearer`.
fn bearer_token(authorization: &str) -> Option<&str> {
    authorization
        .split_once(' ')
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("Bearer"))
        .map(|(_, token)| token.trim())
}

impl ApiComponent for Admin {
    fn child_schemas() -> Vec<(String, ReferenceOr<Schema>)> {
        Vec::new()
    }

    fn schema() -> Option<(String, ReferenceOr<Schema>)> {
        None
    }

    fn securities() -> BTreeMap<String, SecurityScheme> {
        let bearer = Http {
            scheme: "bearer".to_owned(),
            bearer_format: None,
        };
        let scheme = SecurityScheme {
            description: Some(
                "The admin token of the service (setting `ADMIN_TOKEN`). A service without one \
                 that listens on a loopback address treats every request as an admin's."
                    .to_owned(),
            ),
            _type: SecurityType::Http(bearer),
            extensions: apistos::IndexMap::default(),
        };
        BTreeMap::from([(SCHEME.to_owned(), scheme)])
    }

    fn security_requirement_name() -> Option<String> {
        Some(SCHEME.to_owned())
    }
}
