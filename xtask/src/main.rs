//! `cargo xtask`: the development tasks of this project.

mod migrate;
mod openapi;
mod seed;
mod test;
mod tidy;
mod up;

use clap::{Parser, Subcommand};
use time_series_bench::{Bench, CrashTest, Stress};
use time_series_devkit::stop;

/// Runs, tests, migrates, seeds and measures the time-series backend.
#[derive(Parser)]
#[command(bin_name = "cargo xtask")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

// The help text of a command is the doc comment of its options, where that is longer than a line.
#[derive(Subcommand)]
enum Command {
    Up(up::Up),
    Test(test::Test),
    Migrate(migrate::Migrate),
    Seed(seed::Seed),
    Stress(Stress),
    Bench(Bench),
    CrashTest(CrashTest),
    Openapi(openapi::Openapi),
    Tidy(tidy::Tidy),
}

#[tokio::main]
#[expect(clippy::print_stderr, reason = "the error message of a failed command")]
async fn main() {
    let ended = tokio::select! {
        result = run() => Some(result),
        _ = stop::requested() => None, // drops the running command, and its servers with it
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
    // A return from main would wait for a cargo that may still run.
    std::process::exit(code)
}

async fn run() -> anyhow::Result<()> {
    match dotenvy::dotenv() {
        Err(e) if !e.not_found() => anyhow::bail!("cannot read the file .env: {e}"),
        _ => {} // the file is optional
    }
    match Cli::parse().command {
        Command::Up(up) => up.run().await,
        Command::Test(test) => test.run().await,
        Command::Migrate(migrate) => migrate.run().await,
        Command::Seed(seed) => seed.run().await,
        Command::Stress(stress) => stress.run().await,
        Command::Bench(bench) => bench.run().await,
        Command::CrashTest(crash_test) => crash_test.run().await,
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
