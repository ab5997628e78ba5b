//! Servers that this program brings itself: PostgreSQL, TimescaleDB, Redis.

mod account;
mod debian;
mod postgres;
mod process;
mod redis;

pub use account::Account;
pub use debian::Debian;
pub use postgres::{Binaries, Cluster, Durability};
pub use process::Server;
pub use redis::Redis;

use std::net::TcpListener;

/// A port of the loopback address that is free now.
pub fn free_port() -> anyhow::Result<u16> {
    Ok(TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port())
}
