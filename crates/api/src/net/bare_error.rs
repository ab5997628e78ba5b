//! Answers to what is not HTTP, as problem documents.
//!
//! The HTTP library answers a request whose head it cannot read with a bare status line. Every answer of ours has a request
//! id, so that an answer without one is such, and is sent as a problem document.

use actix_web::http::StatusCode;
use uuid::Uuid;

use crate::problem::{Code, Problem};

/// The length of the bytes received since the last response, and the first bad character of the request line.
#[derive(Default)]
pub(super) struct Excerpt {
    bad: Option<char>,
    length: usize,
    is_line_over: bool,
}

impl Excerpt {
    /// Looks at what arrived.
    pub(super) fn note(&mut self, bytes: &[u8]) {
        self.length = self.length.saturating_add(bytes.len());
        if self.is_line_over {
            return;
        }
        let end = bytes.iter().position(|byte| *byte == b'\n');
        let line = &bytes[..end.unwrap_or(bytes.len())];
        let bad = |byte: &&u8| {
            matches!(
                byte,
                b'<' | b'>' | b'"' | b'\\' | b'^' | b'`' | b'{' | b'|' | b'}' | 0x80..
            )
        };
        self.bad = self
            .bad
            .or_else(|| line.iter().find(bad).map(|byte| char::from(*byte)));
        self.is_line_over = end.is_some();
    }

    /// Resets the excerpt when a response is sent.
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }
}

/// The problem document that is sent in the place of `answer`, if that has no body and no request id.
pub(super) fn replacement(answer: &[u8], request: &Excerpt) -> Option<Vec<u8>> {
    let head = answer.strip_prefix(b"HTTP/1.1 ")?;
    let status = std::str::from_utf8(head.get(..3)?).ok()?.parse().ok()?;
    let has_body = !contains(answer, b"content-length: 0\r\n");
    if !(400..500).contains(&status) || has_body || contains(answer, b"x-request-id") {
        return None;
    }
    let problem = match StatusCode::from_u16(status).ok()? {
        StatusCode::REQUEST_TIMEOUT => Problem::new(
            Code::RequestTimeout,
            "The request did not arrive in time. Send its head and body without pauses.",
        ),
        StatusCode::PAYLOAD_TOO_LARGE
        | StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE
        | StatusCode::URI_TOO_LONG => too_long(),
        _ => match request.bad {
            Some(bad) => Problem::new(
                Code::BadRequest,
                format!(
                    "The request target has the character {bad:?}, which must be percent-encoded: > is %3E, < is %3C. With curl, use -G --data-urlencode."
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
    tracing::debug!(request_id = %id, http.status = problem.status().as_u16(), "a request that is not HTTP");
    let body = serde_json::to_vec(&problem.body()).unwrap_or_default();
    let status = problem.status();
    let mut bytes = format!(
        "HTTP/1.1 {} {}\r\ncontent-type: application/problem+json\r\ncontent-length: {}\r\nconnection: close\r\nx-request-id: {id}\r\n\r\n",
        status.as_str(),
        status.canonical_reason().unwrap_or_default(),
        body.len(),
    )
    .into_bytes();
    bytes.extend(body);
    Some(bytes)
}

fn too_long() -> Problem {
    let detail = "The request target and headers are longer than 64 KiB. Send the parameters of a query as JSON with POST /api/timeseries/.";
    Problem::new(Code::RequestHeadTooLarge, detail)
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn replaced(request: &[u8], answer: &str) -> Option<String> {
        let mut excerpt = Excerpt::default();
        excerpt.note(request);
        replacement(answer.as_bytes(), &excerpt)
            .map(|bytes| String::from_utf8(bytes).expect("text"))
    }

    const BARE: &str = "HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";

    #[test]
    fn a_bare_error_names_the_character() {
        let sent = replaced(b"GET /api/timeseries/?where=value>=90 HTTP/1.1\r\n", BARE)
            .expect("a problem");
        assert!(
            sent.starts_with("HTTP/1.1 400 Bad Request\r\n") && sent.contains("'>'"),
            "{sent}"
        );
        assert!(sent.contains("x-request-id: "));
    }

    #[test]
    fn a_head_may_come_in_parts() {
        let mut excerpt = Excerpt::default();
        for part in ["GET /?a=", "b>c", " HTTP/1.1\r\n", "x: {\r\n"] {
            excerpt.note(part.as_bytes());
        }
        assert_eq!(excerpt.bad, Some('>'));
        for _ in 0..70 {
            excerpt.note(&[b'a'; 1_000]);
        }
        assert!(excerpt.length > u16::MAX as usize);
        excerpt.clear();
        assert_eq!((excerpt.bad, excerpt.length), (None, 0));
    }

    #[test]
    fn a_long_head_is_told_as_such() {
        let sent = replaced(&vec![b'a'; 70_000], BARE).expect("a problem");
        assert!(sent.starts_with("HTTP/1.1 431 "), "{sent}");
    }

    #[test]
    fn our_own_answers_and_bodies_pass() {
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
