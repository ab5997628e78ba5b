//! Rejects cross-site requests from browsers, and requests for other hosts.

use std::net::Ipv4Addr;

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{HOST, HeaderMap, ORIGIN};
use actix_web::http::{Method, Uri};
use actix_web::middleware::Next;
use actix_web::{ResponseError, web};

use crate::problem::{Code, Problem};
use crate::settings::AllowedHosts;
use crate::state::AppState;

const SEC_FETCH_SITE: &str = "sec-fetch-site";

impl AllowedHosts {
    fn contains(&self, host: &str) -> bool {
        match self {
            Self::All => true,
            Self::Listed(names) => {
                let name = without_port(host).to_ascii_lowercase();
                // Every address of 127.0.0.0/8 is this machine.
                let is_loopback = name
                    .parse::<Ipv4Addr>()
                    .is_ok_and(|address| address.is_loopback());
                names
                    .iter()
                    .any(|allowed| *allowed == name || (is_loopback && allowed == "127.0.0.1"))
            }
        }
    }
}

/// Rejects a request whose host is not allowed, and a change that a page of another origin sends.
pub(crate) async fn check_origin(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<impl MessageBody>, actix_web::Error> {
    let state = request
        .app_data::<web::Data<AppState>>()
        .expect("every route has the state");
    match check(
        &state.hosts,
        request.method(),
        request.uri(),
        request.headers(),
    ) {
        Ok(()) => next
            .call(request)
            .await
            .map(ServiceResponse::map_into_left_body),
        // A response, not an error: the outer middlewares log it and add its request id.
        Err(problem) => Ok(request.into_response(problem.error_response().map_into_right_body())),
    }
}

fn check(
    hosts: &AllowedHosts,
    method: &Method,
    uri: &Uri,
    headers: &HeaderMap,
) -> Result<(), Problem> {
    let header = |name: &str| headers.get(name).map(|value| value.to_str().unwrap_or("?"));
    let host = header(HOST.as_str())
        .or_else(|| uri.host())
        .unwrap_or_default();
    if !host.is_empty() && !hosts.contains(host) {
        let shown: String = host.chars().take(100).collect();
        let detail = format!(
            "The service is not configured for the host {shown:?}. Use a host name that it accepts."
        );
        return Err(Problem::new(Code::HostNotAllowed, detail));
    }
    if matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS) {
        return Ok(());
    }
    let is_cross_site =
        header(SEC_FETCH_SITE).is_some_and(|site| !matches!(site, "same-origin" | "none"));
    // Requests from programs have no origin.
    let is_foreign = header(ORIGIN.as_str()).is_some_and(|origin| {
        let authority = origin.split_once("://").map(|(_, authority)| authority);
        !authority.is_some_and(|authority| authority.eq_ignore_ascii_case(host))
    });
    if is_cross_site || is_foreign {
        let detail = "Requests that change data are not accepted from a page of another origin. \
                      Send the request from a program, or from a page of the same origin.";
        return Err(Problem::new(Code::CrossSiteRequest, detail));
    }
    Ok(())
}

fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port))
            if port.bytes().all(|b| b.is_ascii_digit())
                && !name.is_empty()
                && !host.ends_with(']') =>
        {
            name
        }
        _ => host,
    }
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::{HeaderName, HeaderValue};

    use super::*;

    fn is_rejected(hosts: &AllowedHosts, method: &Method, pairs: &[(&str, &str)]) -> bool {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            let name = HeaderName::try_from(*name).expect("valid name");
            headers.insert(name, HeaderValue::from_str(value).expect("valid value"));
        }
        check(hosts, method, &Uri::from_static("/api/sessions/"), &headers).is_err()
    }

    #[test]
    fn a_local_service_accepts_only_loopback_hosts() {
        let hosts = AllowedHosts::loopback();
        for host in [
            "localhost:8000",
            "127.0.0.1",
            "127.0.0.2:80",
            "[::1]:8000",
            "LOCALHOST",
        ] {
            assert!(
                !is_rejected(&hosts, &Method::GET, &[("host", host)]),
                "{host}"
            );
        }
        for host in [
            "evil.example",
            "localhost.evil.example",
            "[2001:db8::1]:8000",
            "127.evil.example.:80x",
        ] {
            assert!(
                is_rejected(&hosts, &Method::GET, &[("host", host)]),
                "{host}"
            );
        }
        assert!(!is_rejected(
            &AllowedHosts::All,
            &Method::GET,
            &[("host", "anything")]
        ));
    }

    #[test]
    fn a_page_of_another_origin_can_only_read() {
        let foreign = [
            ("host", "localhost:8000"),
            ("origin", "https://evil.example"),
        ];
        let hosts = AllowedHosts::loopback();
        assert!(!is_rejected(&hosts, &Method::GET, &foreign));
        for method in [Method::POST, Method::PUT, Method::DELETE, Method::PATCH] {
            assert!(is_rejected(&hosts, &method, &foreign));
            assert!(is_rejected(
                &hosts,
                &method,
                &[("host", "localhost:8000"), ("origin", "null")]
            ));
            assert!(is_rejected(
                &hosts,
                &method,
                &[("host", "localhost"), ("sec-fetch-site", "cross-site")]
            ));
            assert!(!is_rejected(
                &hosts,
                &method,
                &[
                    ("host", "localhost:8000"),
                    ("origin", "http://localhost:8000")
                ]
            ));
            assert!(!is_rejected(&hosts, &method, &[("host", "localhost:8000")]));
        }
    }
}
