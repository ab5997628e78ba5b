//! All problems: code, HTTP status and title.

use actix_web::http::StatusCode;

macro_rules! codes {
    ($(
        $(#[doc = $doc:literal])*
        $variant:ident, $name:literal, $status:ident, $title:literal;
    )*) => {
        /// The stable code of a problem.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum Code {
            $($(#[doc = $doc])* $variant,)*
        }

        impl Code {
            pub(crate) const ALL: &[Self] = &[$(Self::$variant,)*];

            pub(crate) const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            pub(crate) const fn status(self) -> StatusCode {
                match self { $(Self::$variant => StatusCode::$status,)* }
            }

            pub(crate) const fn title(self) -> &'static str {
                match self { $(Self::$variant => $title,)* }
            }
        }
    };
}

codes! {
    /// The body is not a JSON object, or cannot be decompressed or split into sessions.
    InvalidBody, "invalid_body", BAD_REQUEST, "The body cannot be read";
    /// The request is not valid HTTP.
    BadRequest, "bad_request", BAD_REQUEST, "The request cannot be read";
    /// The head or the body of the request arrived too slowly.
    RequestTimeout, "request_timeout", REQUEST_TIMEOUT, "The request did not arrive in time";
    /// The request line and headers are too long.
    RequestHeadTooLarge, "request_head_too_large", REQUEST_HEADER_FIELDS_TOO_LARGE,
        "The request line and headers are too long";
    /// The host of the request is not allowed.
    HostNotAllowed, "host_not_allowed", MISDIRECTED_REQUEST, "The host is not allowed";
    /// A page of another origin sent a request that changes data.
    CrossSiteRequest, "cross_site_request", FORBIDDEN, "Cross-site requests cannot change data";
    /// The admin token is missing or wrong.
    Unauthorized, "unauthorized", UNAUTHORIZED, "Admin authentication is required";
    /// The service has no admin token and is not limited to a loopback address.
    AdminsNotConfigured, "admins_not_configured", FORBIDDEN, "No admin token is configured";
    /// The path does not exist.
    NoSuchPath, "no_such_path", NOT_FOUND, "The path does not exist";
    /// The session does not exist.
    SessionNotFound, "session_not_found", NOT_FOUND, "The session does not exist";
    /// The metric type does not exist.
    MetricTypeNotFound, "metric_type_not_found", NOT_FOUND, "The metric type does not exist";
    /// The path does not support the method.
    MethodNotAllowed, "method_not_allowed", METHOD_NOT_ALLOWED,
        "The path does not support this method";
    /// Another session has this id.
    SessionConflict, "session_conflict", CONFLICT, "Another session is stored under this id";
    /// The points cannot be appended to the stored session.
    AppendConflict, "append_conflict", CONFLICT, "The points cannot be added to the stored session";
    /// Several users have a session with this id.
    SessionAmbiguous, "session_ambiguous", CONFLICT, "Several users have a session with this id";
    /// A metric type with this name exists.
    MetricTypeExists, "metric_type_exists", CONFLICT, "A metric type with this name exists";
    /// Stored points prevent the change of the metric type.
    MetricTypeInUse, "metric_type_in_use", CONFLICT,
        "Stored points prevent this change of the metric type";
    /// The data has not reached the requested version.
    VersionNotReached, "version_not_reached", PRECONDITION_FAILED,
        "The data has not reached this version";
    /// The endpoint supports none of the accepted formats.
    NotAcceptable, "not_acceptable", NOT_ACCEPTABLE, "None of the accepted formats is supported";
    /// The body is too long.
    BodyTooLarge, "body_too_large", PAYLOAD_TOO_LARGE, "The body is too large";
    /// The content encoding of the body is not supported.
    UnsupportedEncoding, "unsupported_encoding", UNSUPPORTED_MEDIA_TYPE,
        "The content encoding is not supported";
    /// Fields or points of the session are invalid.
    InvalidSession, "invalid_session", UNPROCESSABLE_ENTITY,
        "The session is not valid; nothing was stored";
    /// Other points were appended with this key.
    IdempotencyKeyReused, "idempotency_key_reused", UNPROCESSABLE_ENTITY,
        "The Idempotency-Key was used for other points";
    /// Parameters are invalid.
    InvalidParameters, "invalid_parameters", UNPROCESSABLE_ENTITY, "The parameters are not valid";
    /// The definition of the metric type is invalid.
    InvalidMetricType, "invalid_metric_type", UNPROCESSABLE_ENTITY, "The metric type is not valid";
    /// The response would have too many rows.
    TooManyRows, "too_many_rows", UNPROCESSABLE_ENTITY, "The response would have too many rows";
    /// The query would hold too many values.
    TooManyValues, "too_many_values", UNPROCESSABLE_ENTITY, "The query would hold too many values";
    /// The query would read too many points.
    TooManyPoints, "too_many_points", UNPROCESSABLE_ENTITY, "The query would read too many points";
    /// The query would use more memory than the limit for all queries.
    TooMuchMemory, "too_much_memory", UNPROCESSABLE_ENTITY, "The query would use too much memory";
    /// An internal error.
    Internal, "internal", INTERNAL_SERVER_ERROR, "An internal error occurred";
    /// The database or the service is temporarily unavailable or overloaded.
    Unavailable, "unavailable", SERVICE_UNAVAILABLE, "The service is temporarily unavailable";
    /// A write may or may not have been stored.
    OutcomeUnknown, "outcome_unknown", SERVICE_UNAVAILABLE,
        "It is unknown whether the change was stored";
    /// The request took too long.
    TimedOut, "timed_out", SERVICE_UNAVAILABLE, "The request took too long";
}
