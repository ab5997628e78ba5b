//! Integration tests of the adapters: the contract of the ports, and the migrations.

#![expect(clippy::panic, reason = "a test that cannot continue panics")]

mod contract;
mod migrations;
