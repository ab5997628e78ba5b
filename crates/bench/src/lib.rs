//! Load tools of the time-series backend, all over HTTP: benchmarks, stress test, crash test.
//!
//! * [`Bench`] measures the service against its targets.
//! * [`Stress`] posts the stress load of the original system and times its queries.
//! * [`CrashTest`] checks durability: it kills servers during writes and counts what is stored.

mod crash_test;
mod load;
mod stress;
mod suite;
mod target;

pub use crash_test::CrashTest;
pub use stress::Stress;
pub use suite::Bench;
