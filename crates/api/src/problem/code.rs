//! Every problem there is: its code, its status, its title, on one page.

use actix_web::http::StatusCode;

macro_rules! codes {
    ($($(#[doc = $doc:literal])* $variant:ident, $name:literal, $status:ident, $title:literal;)*) => {
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
    /// The body cannot be read as a JSON object.
    InvalidBody, "invalid_body", BAD_REQUEST, "The body cannot be read";
    /// The request is not HTTP.
    BadRequest, "bad_request", BAD_REQUEST, "The request cannot be read";
    /// The head or the body did not arrive in time.
    RequestTimeout, "request_timeout", REQUEST_TIMEOUT, "The request did not arrive in time";
    /// The request line and headers are too long.
    RequestHeadTooLarge, "request_head_too_large", REQUEST_HEADER_FIELDS_TOO_LARGE, "The request line and headers are too long";
    /// The service does not answer under this name.
    HostNotAllowed, "host_not_allowed", MISDIRECTED_REQUEST, "The service does not answer under this name";
    /// A page of another origin may not write.
    CrossSiteRequest, "cross_site_request", FORBIDDEN, "A page of another origin may not change anything";
    /// No or a wrong token.
    Unauthorized, "unauthorized", UNAUTHORIZED, "Only admins may do this";
    /// No token is set and the service is reachable from outside.
    AdminsNotConfigured, "admins_not_configured", FORBIDDEN, "No admin token is set";
    /// There is no such path.
    NoSuchPath, "no_such_path", NOT_FOUND, "There is nothing at this path";
    /// There is no such session.
    SessionNotFound, "session_not_found", NOT_FOUND, "There is no such session";
    /// There is no such metric type.
    MetricTypeNotFound, "metric_type_not_found", NOT_FOUND, "There is no such metric type";
    /// The path exists, but not with this method.
    MethodNotAllowed, "method_not_allowed", METHOD_NOT_ALLOWED, "This path does not take this method";
    /// Another session has this id.
    SessionConflict, "session_conflict", CONFLICT, "Another session is stored under this id";
    /// Points cannot be added to the session as it is stored.
    AppendConflict, "append_conflict", CONFLICT, "The points cannot be added to the stored session";
    /// Several users have a session of this id.
    SessionAmbiguous, "session_ambiguous", CONFLICT, "Several users have a session of this id";
    /// The name is taken.
    MetricTypeExists, "metric_type_exists", CONFLICT, "A metric type of this name exists";
    /// Points are in the way.
    MetricTypeInUse, "metric_type_in_use", CONFLICT, "The metric type has points that are in the way";
    /// The data is older than was asked for.
    VersionNotReached, "version_not_reached", PRECONDITION_FAILED, "The data has not reached this version";
    /// None of the formats asked for.
    NotAcceptable, "not_acceptable", NOT_ACCEPTABLE, "None of the formats asked for can be made";
    /// The body is too long.
    BodyTooLarge, "body_too_large", PAYLOAD_TOO_LARGE, "The body is too large";
    /// The body is packed in a way that is not known.
    UnsupportedEncoding, "unsupported_encoding", UNSUPPORTED_MEDIA_TYPE, "The content encoding is not supported";
    /// Points or fields of a session are wrong.
    InvalidSession, "invalid_session", UNPROCESSABLE_ENTITY, "The session is not valid; nothing was stored";
    /// Other points were appended under this key.
    IdempotencyKeyReused, "idempotency_key_reused", UNPROCESSABLE_ENTITY, "Other points were sent under this Idempotency-Key";
    /// Parameters are wrong.
    InvalidParameters, "invalid_parameters", UNPROCESSABLE_ENTITY, "The parameters are not valid";
    /// A metric type's definition is wrong.
    InvalidMetricType, "invalid_metric_type", UNPROCESSABLE_ENTITY, "The metric type is not valid";
    /// The answer would be too large.
    TooManyRows, "too_many_rows", UNPROCESSABLE_ENTITY, "The answer would have too many rows";
    /// Too many values would have to be kept.
    TooManyValues, "too_many_values", UNPROCESSABLE_ENTITY, "The query would have to keep too many values";
    /// Too many points would have to be read.
    TooManyPoints, "too_many_points", UNPROCESSABLE_ENTITY, "The query would read too many points";
    /// More memory than queries may have.
    TooMuchMemory, "too_much_memory", UNPROCESSABLE_ENTITY, "The query would need too much memory";
    /// A bug.
    Internal, "internal", INTERNAL_SERVER_ERROR, "The service failed";
    /// The database is away.
    Unavailable, "unavailable", SERVICE_UNAVAILABLE, "The service cannot answer now";
    /// A write may have happened or not.
    OutcomeUnknown, "outcome_unknown", SERVICE_UNAVAILABLE, "It is not known whether the change happened";
    /// It takes too long.
    TimedOut, "timed_out", SERVICE_UNAVAILABLE, "The request took too long";
}
