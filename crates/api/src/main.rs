//! `time-series-api`: the service.

use std::os::unix::process::CommandExt;
use std::process::{Command, ExitCode};

use actix_web::dev::ServerHandle;
use rustix::process::{Resource, getrlimit, setrlimit};
use time_series_api::config::Config;
use time_series_api::{Server, init_telemetry, openapi};
use tokio::signal::unix::{SignalKind, signal};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const USAGE: &str = "time-series-api serves the REST API; all settings come from the environment (see .env.example).
With the word `openapi` it prints its OpenAPI document instead.";

/// How long the allocator keeps what was freed, in milliseconds, for the next allocation.
const PURGE_DELAY: &str = "MIMALLOC_PURGE_DELAY";

fn main() -> ExitCode {
    return_freed_memory_at_once();
    actix_web::rt::System::new().block_on(run())
}

/// Restarts the program with an allocator that keeps no freed memory (ADR 17), unless the operator has set it. The allocator
/// reads its options before `main`.
fn return_freed_memory_at_once() {
    if std::env::var_os(PURGE_DELAY).is_none()
        && let Ok(program) = std::env::current_exe()
    {
        // Only a failure returns; then it goes on as it is.
        let _ = Command::new(program)
            .args(std::env::args_os().skip(1))
            .env(PURGE_DELAY, "0")
            .exec();
    }
}

#[expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a program speaks to its terminal"
)]
async fn run() -> ExitCode {
    match std::env::args().nth(1).as_deref() {
        None => {}
        Some("--help" | "-h" | "help") => {
            println!("{USAGE}");
            return ExitCode::SUCCESS;
        }
        Some("--version" | "-V") => {
            println!("time-series-api {}", env!("CARGO_PKG_VERSION"));
            return ExitCode::SUCCESS;
        }
        Some("openapi") => {
            print!("{}", openapi::document().await);
            return ExitCode::SUCCESS;
        }
        Some(_) => {
            eprintln!("{USAGE}");
            return ExitCode::from(2);
        }
    }
    match serve().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            eprintln!("time-series-api cannot run: {e:#}");
            ExitCode::FAILURE
        }
    }
}

/// Raises the soft limit on open files to the hard one: a connection takes two.
fn allow_many_connections() {
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    if let Err(e) = setrlimit(Resource::Nofile, limit) {
        tracing::debug!(error = %e, "the limit on open files stays as it is");
    }
}

/// The first SIGTERM or SIGINT lets requests end, the second does not. SIGHUP and the user's signals change nothing.
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
