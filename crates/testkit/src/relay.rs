//! A network between a service and its database that can stop to carry anything.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};

/// Carries bytes both ways, until it is told to swallow them.
pub struct Relay {
    /// Where it listens.
    pub address: SocketAddr,
    swallows: Arc<AtomicBool>,
}

impl Relay {
    /// A relay to that address, driven by the runtime that it is made on.
    ///
    /// # Panics
    /// When there is no port to be had.
    pub async fn to(server: String) -> Self {
        Self::at(SocketAddr::from(([127, 0, 0, 1], 0)), server).await
    }

    /// A relay that listens at that address.
    ///
    /// # Panics
    /// When the address is not to be had.
    pub async fn at(address: SocketAddr, server: String) -> Self {
        let listener = TcpListener::bind(address).await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let swallows = Arc::<AtomicBool>::default();
        let told = swallows.clone();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let Ok(server) = TcpStream::connect(&server).await else {
                    continue;
                };
                let ((from_client, to_client), (from_server, to_server)) =
                    (client.into_split(), server.into_split());
                tokio::spawn(carry(from_client, to_server, told.clone()));
                tokio::spawn(carry(from_server, to_client, told.clone()));
            }
        });
        Self { address, swallows }
    }

    /// From now on nothing arrives, and nobody is told.
    pub fn swallow(&self) {
        self.swallows.store(true, Ordering::Relaxed);
    }

    /// From now on everything arrives again.
    pub fn carry_on(&self) {
        self.swallows.store(false, Ordering::Relaxed);
    }
}

async fn carry(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, swallows: Arc<AtomicBool>) {
    let mut piece = vec![0; 16 << 10];
    while let Ok(length @ 1..) = from.read(&mut piece).await {
        if !swallows.load(Ordering::Relaxed) && to.write_all(&piece[..length]).await.is_err() {
            return;
        }
    }
}
