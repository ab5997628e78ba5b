//! `cargo xtask up`

use std::net::{SocketAddr, TcpListener, ToSocketAddrs};
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use clap::Args;
use rustix::process::Signal;

use crate::cargo::build_server;
use crate::database::Database;
use crate::progress::{Step, say};
use crate::seed::{DEMO_USER, seed};
use crate::servers::Server;

const READY_PATIENCE: Duration = Duration::from_mins(1);
const DEFAULT_BIND: &str = "127.0.0.1:8000";

/// Builds the service, provides its database, migrates, seeds and serves until Ctrl-C.
#[derive(Args)]
pub(crate) struct Up {
    /// Where to listen [default: `BIND_ADDR`, or 127.0.0.1:8000].
    #[arg(long, value_name = "ADDR")]
    bind: Option<SocketAddr>,
    /// Where the embedded default keeps its data [default: .local].
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// Only the metric types, no demo user.
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
        // Another service on this address would be mistaken for ours.
        drop(
            TcpListener::bind(bind)
                .with_context(|| format!("{bind} (--bind, BIND_ADDR) cannot be listened on"))?,
        );
        say("building the service (the first time takes some minutes)");
        let program = tokio::task::spawn_blocking(build_server).await??;
        let mut database = Database::provide(self.data_dir.as_deref()).await?;
        database.migrate().await?;
        seed(database.url(), !self.no_demo).await?;
        let mut service = start_service(&program, database.url(), bind, &[]).await?;
        say(welcome(&reachable(bind), !self.no_demo));
        loop {
            tokio::time::sleep(Duration::from_millis(500)).await;
            database.keep_running().await?;
            if let Some(status) = service.ended()? {
                bail!("the service ended by itself: {status}");
            }
        }
    }
}

fn address(text: &str) -> anyhow::Result<SocketAddr> {
    let mut found = text
        .to_socket_addrs()
        .with_context(|| format!("BIND_ADDR is {text:?}, which is no address"))?;
    found
        .next()
        .with_context(|| format!("BIND_ADDR is {text:?}, a name without an address"))
}

/// Starts the service and waits until it can answer.
pub(crate) async fn start_service(
    program: &std::path::Path,
    database_url: &str,
    bind: SocketAddr,
    settings: &[(&str, &str)],
) -> anyhow::Result<Server> {
    let step = Step::start(format!("service on {bind}"));
    let mut command = Command::new(program);
    command
        .env("DATABASE_URL", database_url)
        .env("BIND_ADDR", bind.to_string());
    if std::env::var_os("LOG_FORMAT").is_none() {
        command.env("LOG_FORMAT", "text");
    }
    command.envs(settings.iter().copied());
    let mut service = Server::spawn("the service", &mut command, Signal::TERM)?;
    let url = format!("http://{}/health/ready", reachable(bind));
    let started = Instant::now();
    loop {
        if let Some(status) = service.ended()? {
            bail!("the service does not start: {status}");
        }
        if reqwest::get(&url)
            .await
            .is_ok_and(|answer| answer.status().is_success())
        {
            step.done("ready");
            return Ok(service);
        }
        if started.elapsed() > READY_PATIENCE {
            bail!("the service does not get ready");
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// The address as a client on this machine would write it.
fn reachable(bind: SocketAddr) -> SocketAddr {
    let mut address = bind;
    if bind.ip().is_unspecified() {
        address.set_ip(if bind.is_ipv4() {
            [127, 0, 0, 1].into()
        } else {
            std::net::Ipv6Addr::LOCALHOST.into()
        });
    }
    address
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

  the series there are
    curl -s 'http://{address}/api/metrictypes/'
  weekly averages of the last six weeks
    curl -s "http://{address}/api/timeseries/?user_id={user}&interval=week&start_time=now-42d"
  store a session
    curl -s 'http://{address}/api/sessions/' -H 'content-type: application/json' -d '{{"user_id":"{user}","start_ts":"2025-01-01T00:00:00Z","data":[{{"series":"session.gut_health_score","time":"2025-01-01T00:01:00Z","value":{{"value":71.5}}}},{{"series":"session.urine.color","time":"2025-01-01T00:01:00Z","value":{{"r":255,"g":240,"b":120}}}}]}}'
  its month in New York
    curl -s 'http://{address}/api/timeseries/?user_id={user}&interval=month&start_time=2024-12-01&end_time=2025-02-01&agg_func=avg,max&tz=America/New_York'
  the API's description: http://{address}/redoc/

Ctrl-C stops the service and its database; the data stays.
"#
    )
}
