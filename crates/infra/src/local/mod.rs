//! What needs no server: the system clock and an in-process cache.

mod moka_cache;
mod system_clock;

pub use moka_cache::MokaCache;
pub use system_clock::SystemClock;
