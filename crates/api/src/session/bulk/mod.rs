//! `POST /api/sessions/bulk/`: sessions as a stream, a verdict each.

mod body;
mod lines;
mod post_bulk;
mod rows;
mod sessions;
mod verdict;

pub(crate) use post_bulk::post_bulk;
