//! `/api/sessions/`: one endpoint per file.

mod append_points;
mod bulk;
mod delete_session;
mod get_session;
mod list_sessions;
mod post_session;
mod put_session;
mod receipt;
mod session_body;
mod session_path;
mod session_view;

pub(crate) use append_points::append_points;
pub(crate) use bulk::post_bulk;
pub(crate) use delete_session::delete_session;
pub(crate) use get_session::get_session;
pub(crate) use list_sessions::list_sessions;
pub(crate) use post_session::post_session;
pub(crate) use put_session::put_session;
pub(crate) use session_path::SessionPath;
