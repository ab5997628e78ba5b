//! `cargo xtask`: everything that is done with this project besides editing it.

mod bench;
mod cargo;
mod database;
mod ledger;
mod load;
mod migrate;
mod openapi;
mod progress;
mod seed;
mod servers;
mod stop;
mod stress;
mod target;
mod test;
mod tidy;
mod up;

use clap::{Parser, Subcommand};

/// Runs, tests, migrates, seeds and measures the time-series backend.
#[derive(Parser)]
#[command(bin_name = "cargo xtask")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// From nothing to a running service, with a database of its own unless `DATABASE_URL` is set.
    Up(up::Up),
    /// Provides PostgreSQL, TimescaleDB and Redis, and runs every test on them.
    Test(test::Test),
    /// Brings the database of `DATABASE_URL` to the schema of this version.
    Migrate(migrate::Migrate),
    /// Stores the metric types of the original system, and if asked a demo user with sessions.
    Seed(seed::Seed),
    /// Posts many sessions over HTTP, asks the original stress test's queries, and reports times.
    Stress(stress::Stress),
    // Described where its options are.
    Bench(bench::Bench),
    // Described where its options are.
    Ledger(ledger::Ledger),
    /// Writes docs/openapi.json anew from the routes.
    Openapi(openapi::Openapi),
    /// Checks format, lints, docs, layers and generated files: what CI checks besides the tests.
    Tidy(tidy::Tidy),
}

#[tokio::main]
#[expect(clippy::print_stderr, reason = "the last word of a failed command")]
async fn main() {
    let ended = tokio::select! {
        result = run() => Some(result),
        _ = stop::asked() => None, // what was under way is dropped, and its servers with it
    };
    let result = match ended {
        Some(result) => result,
        None => stop::finish().await,
    };
    let code = match result {
        Ok(()) => 0,
        Err(e) => {
            eprintln!("{e:#}");
            1
        }
    };
    // Not by returning: that would wait for a cargo that may still run.
    std::process::exit(code)
}

async fn run() -> anyhow::Result<()> {
    match dotenvy::dotenv() {
        Err(e) if !e.not_found() => anyhow::bail!("the file .env cannot be read: {e}"),
        _ => {} // no such file is the normal case
    }
    match Cli::parse().command {
        Command::Up(up) => up.run().await,
        Command::Test(test) => test.run().await,
        Command::Migrate(migrate) => migrate.run().await,
        Command::Seed(seed) => seed.run().await,
        Command::Stress(stress) => stress.run().await,
        Command::Bench(bench) => bench.run().await,
        Command::Ledger(ledger) => ledger.run().await,
        Command::Openapi(openapi) => openapi.run().await,
        Command::Tidy(tidy) => tidy.run().await,
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_well_formed() {
        super::Cli::command().debug_assert();
    }
}
