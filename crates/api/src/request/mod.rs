//! What is taken out of a request before a handler runs, one extractor a file.

mod admin;
mod caller;
mod cursor;
mod encoding;
#[cfg(test)]
pub(crate) mod fuzz;
mod gate;
mod idempotency;
mod intake;
mod json_body;
mod log_user;
mod origin;
mod pairs;
mod query_string;
mod selection;
mod tag;
mod when;

pub(crate) use admin::Admin;
pub(crate) use caller::{Caller, KnownTags};
pub(crate) use cursor::{CursorKey, Cursors};
pub(crate) use encoding::Encoding;
pub(crate) use gate::{Place, QueryGate, QueryTimes, until_disconnect};
pub(crate) use idempotency::Idempotency;
pub(crate) use intake::{BodyBudget, BodyPermit, BulkBudget, LinePermit};
pub(crate) use json_body::{BYTE_ORDER_MARK, JsonBody, PacedBody, too_large, unreadable};
pub(crate) use log_user::LogUsers;
pub(crate) use origin::check_origin;
pub(crate) use pairs::Pairs;
pub(crate) use query_string::{FromPairs, NoParams, QueryString, read_json};
pub(crate) use selection::{check_range, clash, read_filter, read_selector};
pub(crate) use tag::{NEXT_CURSOR, USER_VERSION, tag_of};
pub(crate) use when::When;
