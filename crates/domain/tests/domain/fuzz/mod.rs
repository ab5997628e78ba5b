//! Fuzz targets on stable Rust: no input makes the domain panic, loop or lose data.
//!
//! Each target runs for `FUZZ_SECONDS`, 2 by default.
//! A failure prints its seed; `FUZZ_SEED` repeats it.

mod blocks;
mod bodies;
mod calendars;
mod harness;
mod schemas;
mod times;
