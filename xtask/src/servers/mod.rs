//! Servers that this program brings itself: PostgreSQL, TimescaleDB, Redis.

mod account;
mod debian;
mod postgres;
mod process;
mod redis;

pub(crate) use account::Account;
pub(crate) use debian::Debian;
pub(crate) use postgres::{Binaries, Cluster, Durability};
pub(crate) use process::Server;
pub(crate) use redis::Redis;

use std::net::TcpListener;

/// A port of the loopback address that is free now.
pub(crate) fn free_port() -> anyhow::Result<u16> {
    Ok(TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port())
}
