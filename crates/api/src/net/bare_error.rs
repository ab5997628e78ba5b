//! Problem documents for requests that are not valid HTTP.
//!
//! The HTTP library responds to an invalid request head with a bare status line. All other
//! responses have a request id, so that an error response without one is replaced by a problem
//! document.

use actix_web::http::StatusCode;
use uuid::Uuid;

use crate::problem::{Code, Problem};

/// Summary of the bytes received since the last response: their length, and the first character
/// that is invalid in the request line.
#[derive(Default)]
pub(super) struct RequestSummary {
    invalid: Option<char>,
    length: usize,
    is_line_over: bool,
}

impl RequestSummary {
    /// Adds received bytes.
    pub(super) fn record(&mut self, bytes: &[u8]) {
        self.length = self.length.saturating_add(bytes.len());
        if self.is_line_over {
            return;
        }
        let end = bytes.iter().position(|byte| *byte == b'\n');
        let line = &bytes[..end.unwrap_or(bytes.len())];
        let is_invalid = |byte: &&u8| {
            matches!(
                byte,
                b'<' | b'>' | b'"' | b'\\' | b'^' | b'`' | b'{' | b'|' | b'}' | 0x80..
            )
        };
        self.invalid = self
            .invalid
            .or_else(|| line.iter().find(is_invalid).map(|byte| char::from(*byte)));
        self.is_line_over = end.is_some();
    }

    /// Resets the summary after a response.
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }
}

/// Returns the problem document that replaces `response`, if `response` is a client error without
/// body and request id.
pub(super) fn replacement(response: &[u8], request: &RequestSummary) -> Option<Vec<u8>> {
    let head = response.strip_prefix(b"HTTP/1.1 ")?;
    let status = std::str::from_utf8(head.get(..3)?).ok()?.parse().ok()?;
    let has_body = !contains(response, b"content-length: 0\r\n");
    if !(400..500).contains(&status) || has_body || contains(response, b"x-request-id") {
        return None;
    }
    let problem = match StatusCode::from_u16(status).ok()? {
        StatusCode::REQUEST_TIMEOUT => Problem::new(
            Code::RequestTimeout,
            "The request did not arrive in time. Send the head and the body without pauses.",
        ),
        StatusCode::PAYLOAD_TOO_LARGE
        | StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE
        | StatusCode::URI_TOO_LONG => too_long(),
        _ => match request.invalid {
            Some(invalid) => Problem::new(
                Code::BadRequest,
                format!(
                    "The request target contains the character {invalid:?}, which must be \
                     percent-encoded (> as %3E, < as %3C). With curl, use -G --data-urlencode."
                ),
            ),
            None if request.length > u16::MAX as usize => too_long(),
            None => Problem::new(
                Code::BadRequest,
                "The request is not valid HTTP/1.1. Check the request line and the headers.",
            ),
        },
    };
    let id = Uuid::new_v4();
    tracing::debug!(
        request_id = %id,
        http.status = problem.status().as_u16(),
        "received a request that is not valid HTTP"
    );
    let body = serde_json::to_vec(&problem.body()).unwrap_or_default();
    let status = problem.status();
    let mut bytes = format!(
        "HTTP/1.1 {} {}\r\n\
         content-type: application/problem+json\r\n\
         content-length: {}\r\n\
         connection: close\r\n\
         x-request-id: {id}\r\n\r\n",
        status.as_str(),
        status.canonical_reason().unwrap_or_default(),
        body.len(),
    )
    .into_bytes();
    bytes.extend(body);
    Some(bytes)
}

fn too_long() -> Problem {
    let detail = "The request target and headers are longer than 64 KiB. Send the parameters of \
                  a query as JSON with POST /api/timeseries/.";
    Problem::new(Code::RequestHeadTooLarge, detail)
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn replaced(request: &[u8], response: &str) -> Option<String> {
        let mut summary = RequestSummary::default();
        summary.record(request);
        replacement(response.as_bytes(), &summary)
            .map(|bytes| String::from_utf8(bytes).expect("UTF-8"))
    }

    const BARE: &str = "HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";

    #[test]
    fn the_problem_names_the_invalid_character() {
        let sent = replaced(b"GET /api/timeseries/?where=value>=90 HTTP/1.1\r\n", BARE)
            .expect("a problem");
        assert!(
            sent.starts_with("HTTP/1.1 400 Bad Request\r\n") && sent.contains("'>'"),
            "{sent}"
        );
        assert!(sent.contains("x-request-id: "));
    }

    #[test]
    fn a_head_can_arrive_in_parts() {
        let mut summary = RequestSummary::default();
        for part in ["GET /?a=", "b>c", " HTTP/1.1\r\n", "x: {\r\n"] {
            summary.record(part.as_bytes());
        }
        assert_eq!(summary.invalid, Some('>'));
        for _ in 0..70 {
            summary.record(&[b'a'; 1_000]);
        }
        assert!(summary.length > u16::MAX as usize);
        summary.clear();
        assert_eq!((summary.invalid, summary.length), (None, 0));
    }

    #[test]
    fn a_long_head_is_431() {
        let sent = replaced(&vec![b'a'; 70_000], BARE).expect("a problem");
        assert!(sent.starts_with("HTTP/1.1 431 "), "{sent}");
    }

    #[test]
    fn other_responses_are_not_replaced() {
        assert_eq!(
            replaced(b"x", "HTTP/1.1 403 Forbidden\r\ncontent-length: 1\r\n\r\nx"),
            None
        );
        assert_eq!(
            replaced(b"x", "HTTP/1.1 404 Not Found\r\nx-request-id: 1\r\n\r\n"),
            None
        );
        assert_eq!(replaced(b"x", "HTTP/1.1 200 OK\r\n\r\n"), None);
        assert_eq!(replaced(b"x", "plain bytes of a body"), None);
    }
}
