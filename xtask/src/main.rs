//! `cargo xtask`: everything that is done with this project besides editing it.

mod cargo;
mod database;
mod migrate;
mod openapi;
mod progress;
mod seed;
mod servers;
mod stress;
mod test;
mod tidy;
mod up;

use std::process::ExitCode;

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
    /// Writes docs/openapi.json anew from the routes.
    Openapi(openapi::Openapi),
    /// Checks format, lints, docs, layers and generated files: what CI checks besides the tests.
    Tidy(tidy::Tidy),
}

#[tokio::main]
#[expect(clippy::print_stderr, reason = "the last word of a failed command")]
async fn main() -> ExitCode {
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            eprintln!("{e:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> anyhow::Result<()> {
    dotenvy::dotenv().ok(); // no such file is the normal case
    match Cli::parse().command {
        Command::Up(up) => up.run().await,
        Command::Test(test) => test.run().await,
        Command::Migrate(migrate) => migrate.run().await,
        Command::Seed(seed) => seed.run().await,
        Command::Stress(stress) => stress.run().await,
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
