//! Load generation: sessions by the thousand, posted over HTTP and deleted again.

mod body;
mod http;
mod posting;
mod random;
mod sessions;

pub(crate) use body::{Body, session_id};
pub(crate) use http::{Connection, Requests, Sent, post_request};
pub(crate) use posting::{delete_sessions, post_sessions};
pub(crate) use random::{RandomSessions, Shape};
pub(crate) use sessions::{MICROS_PER_SECOND, Sessions};
