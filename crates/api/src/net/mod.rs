//! Connections: limits on number and speed, peers, and HTTP semantics outside the router.

mod accept;
mod bare_error;
mod connection;
mod pace;
mod peer;
mod semantics;

pub(crate) use accept::Acceptor;
pub(crate) use connection::ClientConnection;
pub(crate) use pace::{Pace, PaceLimit};
pub(crate) use peer::PeerId;
pub use peer::TrustedProxies;
pub(crate) use semantics::http_semantics;
