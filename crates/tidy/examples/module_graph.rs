//! Prints the graph of modules of every crate, or with `--accept` writes the list of known cycles.
//!
//! Same as `cargo xtask tidy --graph` and `--accept-cycles`, without a build of the service:
//! `cargo run --package time-series-tidy --example module_graph -- --accept`

fn main() -> anyhow::Result<()> {
    match std::env::args().nth(1).as_deref() {
        None => time_series_tidy::print_graph(),
        Some("--accept") => time_series_tidy::accept_cycles(),
        Some(other) => anyhow::bail!("unknown argument {other}"),
    }
}
