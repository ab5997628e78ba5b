//! `time-series-api`: the service.

use std::process::ExitCode;

use time_series_api::config::Config;
use time_series_api::{Server, init_telemetry, openapi};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const USAGE: &str = "time-series-api serves the REST API; all settings come from the environment (see .env.example).
With the word `openapi` it prints its OpenAPI document instead.";

#[actix_web::main]
#[expect(clippy::print_stdout, clippy::print_stderr, reason = "a program speaks to its terminal")]
async fn main() -> ExitCode {
    match std::env::args().nth(1).as_deref() {
        None => {}
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

async fn serve() -> anyhow::Result<()> {
    let config = Config::from_env()?;
    init_telemetry(&config.log);
    let server = Server::start(config).await?;
    tracing::info!(server.address = %server.address(), "serving");
    server.run_until_stopped().await?;
    tracing::info!("stopped");
    Ok(())
}
