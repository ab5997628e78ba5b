//! The OpenAPI document, and the page that shows it.

mod document;
mod reply;
mod serve;

pub use document::document;
pub(crate) use document::spec;
pub(crate) use reply::{
    Answer, BrokenOff, Chunks, Deleted, Example, Rendered, Reply, with_example,
};
pub(crate) use serve::{redoc, redoc_script, schema};
