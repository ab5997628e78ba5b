//! `POST /api/sessions/bulk/`: a stream of sessions, with one verdict per session.

mod body;
mod lines;
mod post_bulk;
mod report;
mod rows;
mod sessions;

pub(crate) use post_bulk::post_bulk;
