//! The OpenAPI document, its ReDoc page, and responses that document themselves.

mod document;
mod reply;
mod serve;

pub use document::document;
pub(crate) use document::spec;
pub(crate) use reply::{
    Answer, Chunks, Deleted, Example, Rendered, Reply, Truncated, with_example,
};
pub(crate) use serve::{redoc, redoc_script, schema};
