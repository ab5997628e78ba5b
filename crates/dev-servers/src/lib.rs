//! Servers for development and tests: PostgreSQL, TimescaleDB, Redis and the service itself.
//!
//! Servers come from this machine where it has them, otherwise from Debian's packages, which are
//! unpacked into a folder. Each server is a child process and stops with its parent.

mod binaries;
mod cluster;
mod connection;
mod database;
mod debian;
mod os_user;
mod process;
mod redis;
mod service;

pub use binaries::{Binaries, Durability};
pub use cluster::Cluster;
pub use connection::{Connection, connect};
pub use database::{Database, local_folder};
pub use debian::Debian;
pub use os_user::OsUser;
pub use process::{Server, free_port};
pub use redis::Redis;
pub use service::{client_address, start_service};
