//! Extractors and limits that apply to a request before its handler runs, one per file.

mod admin;
mod body_budget;
mod cursor;
mod encoding;
mod etag;
#[cfg(test)]
pub(crate) mod fuzz;
mod idempotency;
mod json_body;
mod log_user;
mod origin;
mod parameter;
mod parameter_docs;
mod query_limiter;
mod query_params;
mod query_string;
mod request_context;
mod selection;
mod shared_params;
mod time_param;

pub(crate) use admin::Admin;
pub(crate) use body_budget::{BodyBudget, BodyPermit, BulkBudget, LinePermit};
pub(crate) use cursor::{CursorKey, Cursors};
pub(crate) use encoding::Encoding;
pub(crate) use etag::{NEXT_CURSOR, USER_VERSION, etag_of};
pub(crate) use idempotency::Idempotency;
pub(crate) use json_body::{BYTE_ORDER_MARK, JsonBody, PacedBody, body_error, too_large};
pub(crate) use log_user::LogUsers;
pub(crate) use origin::check_origin;
pub(crate) use parameter::{Choice, Flag, Id, Number, Parameter, Text, Texts};
pub(crate) use parameter_docs::object_schema;
pub(crate) use query_limiter::{QueryLimiter, QueryPermit, QueryTimes, until_disconnect};
pub(crate) use query_params::QueryParams;
pub(crate) use query_string::{FromQuery, NoParams, QueryString, read_json};
pub(crate) use request_context::{KnownEtags, RequestContext};
pub(crate) use selection::{Output, check_range, clash, read_output, read_selector};
pub(crate) use shared_params::{IS_COLUMNS, IS_FLAT, MIN_VERSION, SERIES, SERIES_MODE, WHERE};
pub(crate) use time_param::TimeParam;
