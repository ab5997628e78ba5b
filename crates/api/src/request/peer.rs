//! The other end of a connection: is it still there?

use std::any::Any;
use std::io;
use std::net::TcpStream;
use std::os::fd::AsFd;
use std::time::Duration;

use actix_web::dev::Extensions;
use actix_web::rt::net::TcpStream as Connection;

/// How often a caller is looked for while a query runs.
const LOOK: Duration = Duration::from_millis(50);

/// A second handle of the caller's connection.
pub(crate) struct Peer(TcpStream);

impl Peer {
    /// Keeps a handle of each new connection beside it.
    pub(crate) fn remember(connection: &dyn Any, data: &mut Extensions) {
        let handle = connection.downcast_ref::<Connection>().and_then(|c| c.as_fd().try_clone_to_owned().ok());
        if let Some(handle) = handle {
            data.insert(Self(handle.into()));
        }
    }

    /// Returns once the caller has closed the connection.
    pub(crate) async fn gone(&self) {
        while !self.is_gone() {
            tokio::time::sleep(LOOK).await;
        }
    }

    /// Whether nothing will come any more. The handle does not block: the server made it so.
    fn is_gone(&self) -> bool {
        match self.0.peek(&mut [0]) {
            Ok(bytes) => bytes == 0,
            Err(e) => e.kind() != io::ErrorKind::WouldBlock && e.kind() != io::ErrorKind::Interrupted,
        }
    }
}
