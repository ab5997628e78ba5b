//! Adapters without a server: the system clock, an in-process cache, a secret from the settings.

mod fixed_secret;
mod moka_cache;
mod system_clock;

pub use fixed_secret::FixedSecret;
pub use moka_cache::MokaCache;
pub use system_clock::SystemClock;
