//! A TCP relay between a service and its database that can drop all traffic.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};

/// Forwards bytes in both directions, or drops them.
pub struct Relay {
    /// The address on which the relay listens.
    pub address: SocketAddr,
    is_dropping: Arc<AtomicBool>,
}

impl Relay {
    /// Starts a relay to that server on the current runtime.
    ///
    /// # Panics
    /// Panics if no port is free.
    pub async fn to(server: String) -> Self {
        Self::at(SocketAddr::from(([127, 0, 0, 1], 0)), server).await
    }

    /// Starts a relay that listens on that address.
    ///
    /// # Panics
    /// Panics if the address is in use.
    pub async fn at(address: SocketAddr, server: String) -> Self {
        let listener = TcpListener::bind(address).await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let is_dropping = Arc::<AtomicBool>::default();
        let flag = is_dropping.clone();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let Ok(server) = TcpStream::connect(&server).await else {
                    continue;
                };
                let ((from_client, to_client), (from_server, to_server)) =
                    (client.into_split(), server.into_split());
                tokio::spawn(forward(from_client, to_server, flag.clone()));
                tokio::spawn(forward(from_server, to_client, flag.clone()));
            }
        });
        Self {
            address,
            is_dropping,
        }
    }

    /// Drops all traffic from now on, with connections open.
    pub fn drop_traffic(&self) {
        self.is_dropping.store(true, Ordering::Relaxed);
    }

    /// Forwards all traffic again.
    pub fn resume(&self) {
        self.is_dropping.store(false, Ordering::Relaxed);
    }
}

async fn forward(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, is_dropping: Arc<AtomicBool>) {
    let mut piece = vec![0; 16 << 10];
    while let Ok(length @ 1..) = from.read(&mut piece).await {
        if !is_dropping.load(Ordering::Relaxed) && to.write_all(&piece[..length]).await.is_err() {
            return;
        }
    }
}
