//! What is taken out of a request before a handler runs, one extractor a file.

mod admin;
mod cursor;
mod json_body;
mod pairs;
mod query_string;

pub(crate) use admin::Admin;
pub(crate) use cursor::CursorKey;
pub(crate) use json_body::JsonBody;
pub(crate) use pairs::Pairs;
pub(crate) use query_string::{FromPairs, NoParams, QueryString};
