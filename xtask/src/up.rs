//! `cargo xtask up`

use std::net::{SocketAddr, TcpListener, ToSocketAddrs};
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, bail};
use clap::Args;
use time_series_dev_servers::{Database, client_address, start_service};
use time_series_devkit::cargo::build_server;
use time_series_devkit::progress::say;

use crate::seed::{DEMO_USER, seed};

const DEFAULT_BIND: &str = "127.0.0.1:8000";
const WATCH_INTERVAL: Duration = Duration::from_millis(500);

/// Builds the service, provides its database, migrates, seeds and serves until Ctrl-C.
///
/// The database is that of `DATABASE_URL`, or else a private PostgreSQL.
#[derive(Args)]
pub(crate) struct Up {
    /// Address to listen on [default: `BIND_ADDR`, or 127.0.0.1:8000].
    #[arg(long, value_name = "ADDR")]
    bind: Option<SocketAddr>,
    /// Folder of the private database [default: .local].
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// Seed only the metric types, not the demo user.
    #[arg(long)]
    no_demo: bool,
}

impl Up {
    pub(crate) async fn run(self) -> anyhow::Result<()> {
        let bind = match self.bind {
            Some(bind) => bind,
            None => {
                address(&std::env::var("BIND_ADDR").unwrap_or_else(|_| DEFAULT_BIND.to_owned()))?
            }
        };
        self.serve(bind).await
    }

    async fn serve(self, bind: SocketAddr) -> anyhow::Result<()> {
        // Fails early if another service listens on this address.
        drop(
            TcpListener::bind(bind)
                .with_context(|| format!("cannot listen on {bind} (--bind, BIND_ADDR)"))?,
        );
        say("building the service (the first build takes some minutes)");
        let program = tokio::task::spawn_blocking(build_server).await??;
        let mut database = Database::provide(self.data_dir.as_deref()).await?;
        database.migrate().await?;
        seed(database.url(), !self.no_demo).await?;
        let mut service = start_service(&program, database.url(), bind, &[]).await?;
        say(welcome(&client_address(bind), !self.no_demo));
        loop {
            tokio::time::sleep(WATCH_INTERVAL).await;
            database.keep_running().await?;
            if let Some(status) = service.exit_status()? {
                bail!("the service ended unexpectedly: {status}");
            }
        }
    }
}

fn address(text: &str) -> anyhow::Result<SocketAddr> {
    text.to_socket_addrs()
        .with_context(|| format!("BIND_ADDR is {text:?}: not an address, such as 127.0.0.1:8000"))?
        .next()
        .with_context(|| format!("BIND_ADDR is {text:?}: the name has no address"))
}

fn welcome(address: &SocketAddr, with_demo: bool) -> String {
    let user = if with_demo {
        DEMO_USER
    } else {
        "7d8d2e3a-5d2f-4bd4-9f51-1d8c0a3c9a01"
    };
    format!(
        r#"
Serving on http://{address}/ — try one of these in another terminal:

  list the series
    curl -s 'http://{address}/api/metrictypes/'
  weekly averages of the last six weeks
    curl -s "http://{address}/api/timeseries/?user_id={user}&interval=week&start_time=now-42d"
  store a session
    curl -s 'http://{address}/api/sessions/' -H 'content-type: application/json' -d '{{
      "user_id": "{user}", "start_ts": "2025-01-01T00:00:00Z", "data": [
        {{"series": "session.gut_health_score", "time": "2025-01-01T00:01:00Z",
          "value": {{"value": 71.5}}}},
        {{"series": "session.urine.color", "time": "2025-01-01T00:01:00Z",
          "value": {{"r": 255, "g": 240, "b": 120}}}}]}}'
  aggregate by month in New York time
    curl -s 'http://{address}/api/timeseries/?user_id={user}&interval=month' \
      -G -d start_time=2024-12-01 -d end_time=2025-02-01 -d agg_func=avg,max -d tz=America/New_York
  the API documentation: http://{address}/redoc/

Ctrl-C stops the service and its database; the data stays.
"#
    )
}
