//! Fuzz targets on stable Rust: arbitrary input never makes the domain panic, loop or lose anything.
//!
//! Each target runs for `FUZZ_SECONDS`, 2 by default. A failure prints its seed; `FUZZ_SEED` runs it again.

mod blocks;
mod bodies;
mod calendars;
mod harness;
mod schemas;
mod times;
