//! Shared support of the development tools: running cargo, progress output, clean-up on Ctrl-C.

pub mod cargo;
pub mod progress;
pub mod stop;
