//! `cargo xtask tidy`
use clap::Args;
#[derive(Args)]
pub struct Tidy {}
impl Tidy { pub fn run(self) -> anyhow::Result<()> { Ok(()) } }
