//! `time-series-server`: the service and its commands.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a program prints to its terminal"
)]

use std::os::unix::process::CommandExt;
use std::process::{self, ExitCode};

use actix_web::dev::ServerHandle;
use clap::{Parser, Subcommand};
use rustix::process::{Resource, getrlimit, setrlimit};
use secrecy::ExposeSecret;
use time_series_api::openapi;
use time_series_infra::postgres::migrate_url;
use time_series_server::config::Config;
use time_series_server::{DEMO_USER, Server, init_telemetry};
use tokio::signal::unix::{SignalKind, signal};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// A time-series backend. All settings come from the environment and `.env`; see
/// docs/CONFIGURATION.md.
#[derive(Parser)]
#[command(name = "time-series-server", version)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Serve the REST API (default).
    Serve,
    /// Apply the migrations that the database of `DATABASE_URL` lacks.
    Migrate,
    /// Create the metric types of the original system.
    Seed {
        /// Also create a demo user with six weeks of sessions.
        #[arg(long)]
        demo: bool,
    },
    /// Check the settings and the database.
    Check,
    /// Print the OpenAPI document.
    Openapi,
}

/// Option of the allocator: time in milliseconds that freed memory is kept for reuse.
const PURGE_DELAY: &str = "MIMALLOC_PURGE_DELAY";

fn main() -> ExitCode {
    return_freed_memory_at_once();
    actix_web::rt::System::new().block_on(run())
}

/// Restarts the program with an allocator that returns freed memory at once (ADR 17), unless the
/// operator has set the option. The allocator reads its options before `main`.
fn return_freed_memory_at_once() {
    if std::env::var_os(PURGE_DELAY).is_none()
        && let Ok(program) = std::env::current_exe()
    {
        // Returns only on failure; the program then continues without the option.
        let _ = process::Command::new(program)
            .args(std::env::args_os().skip(1))
            .env(PURGE_DELAY, "0")
            .exec();
    }
}

async fn seed(demo: bool) -> anyhow::Result<()> {
    let config = Config::from_env()?;
    let url = config.database.url.expose_secret();
    let seeded = time_series_server::seed(url, demo).await?;
    println!("Created {} metric types.", seeded.metric_types);
    if demo {
        println!(
            "The user {DEMO_USER} has {} sessions with {} points.",
            seeded.sessions, seeded.points
        );
    }
    Ok(())
}

async fn check() -> anyhow::Result<()> {
    let config = Config::from_env()?;
    time_series_server::check(&config).await?;
    println!("The settings are valid, and the database has all migrations.");
    Ok(())
}

async fn run() -> ExitCode {
    let result = match Cli::parse().command.unwrap_or(Command::Serve) {
        Command::Serve => serve().await,
        Command::Migrate => migrate().await,
        Command::Seed { demo } => seed(demo).await,
        Command::Check => check().await,
        Command::Openapi => {
            print!("{}", openapi::document().await);
            Ok(())
        }
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            eprintln!("time-series-server: {e:#}");
            ExitCode::FAILURE
        }
    }
}

async fn migrate() -> anyhow::Result<()> {
    let config = Config::from_env()?;
    let migrated = migrate_url(config.database.url.expose_secret()).await?;
    for name in &migrated.applied {
        println!("applied {name}");
    }
    println!("The database has all migrations.");
    Ok(())
}

/// Raises the soft limit on open files to the hard limit. Each connection uses two files.
fn allow_many_connections() {
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    if let Err(e) = setrlimit(Resource::Nofile, limit) {
        tracing::debug!(error = %e, "the limit on open files was not raised");
    }
}

/// Stops gracefully on the first SIGTERM, SIGINT or SIGQUIT, and immediately on the second. SIGHUP,
/// SIGUSR1 and SIGUSR2 are ignored.
fn stop_on_signals(server: ServerHandle) -> std::io::Result<impl Future<Output = ()>> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut quit = signal(SignalKind::quit())?;
    let ignored = [
        SignalKind::hangup(),
        SignalKind::user_defined1(),
        SignalKind::user_defined2(),
    ];
    let ignored = ignored
        .map(signal)
        .into_iter()
        .collect::<std::io::Result<Vec<_>>>()?;
    Ok(async move {
        let _ignored = ignored;
        let mut is_graceful = true;
        loop {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
                _ = quit.recv() => {}
            }
            tracing::info!(graceful = is_graceful, "stopping");
            actix_web::rt::spawn(server.stop(is_graceful));
            is_graceful = false;
        }
    })
}

async fn serve() -> anyhow::Result<()> {
    let config = Config::from_env()?;
    init_telemetry(&config.log);
    allow_many_connections();
    let server = Server::start(config).await?;
    tracing::info!(server.address = %server.address(), "serving");
    actix_web::rt::spawn(stop_on_signals(server.handle())?);
    server.run_until_stopped().await?;
    tracing::info!("stopped");
    Ok(())
}
