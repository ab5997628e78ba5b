//! Other time-series databases, from Debian's packages, with the same data: a session is a tag there.

use std::fmt::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use rustix::process::Signal;
use serde_json::Value;
use time_series_domain::Timestamp;

use super::memory;
use crate::database::local_folder;
use crate::load::{Requests, Sessions};
use crate::progress::Step;
use crate::servers::{Account, Debian, Server, free_port};

const START_PATIENCE: Duration = Duration::from_secs(30);
/// Both answer a write so.
const WRITTEN: u16 = 204;

/// A running peer.
pub(super) struct Peer {
    pub(super) name: &'static str,
    server: Server,
    url: String,
    path: &'static str,
    _folder: Folder,
}

struct Folder(std::path::PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.0).ok(); // a folder left behind does no harm
    }
}

/// Starts each of them, empty, one after the other as they are asked for.
pub(super) struct Peers {
    debian: Debian,
    folder: std::path::PathBuf,
}

impl Peers {
    pub(super) fn provide(data_dir: Option<&Path>) -> anyhow::Result<Self> {
        let account = Account::for_servers()?;
        let local = local_folder(data_dir, account)?;
        Ok(Self {
            debian: Debian::provide_peers(&local)?,
            folder: local.join("peers"),
        })
    }

    pub(super) async fn influxdb(&self) -> anyhow::Result<Peer> {
        let folder = self.empty("influxdb")?;
        let (port, rpc) = (free_port()?, free_port()?);
        let config = format!(
            "reporting-disabled = true\nbind-address = \"127.0.0.1:{rpc}\"\n[meta]\n dir = \"{0}/meta\"\n[data]\n dir = \"{0}/data\"\n \
             wal-dir = \"{0}/wal\"\n query-log-enabled = false\n max-series-per-database = 0\n max-values-per-tag = 0\n[http]\n \
             bind-address = \"127.0.0.1:{port}\"\n log-enabled = false\n[logging]\n level = \"error\"\n",
            folder.0.display()
        );
        let file = folder.0.join("influxdb.conf");
        std::fs::write(&file, config)?;
        let mut command = Command::new(&self.debian.peers()[0]);
        command.arg("-config").arg(file);
        let peer = start(
            "InfluxDB 1.6",
            &mut command,
            port,
            "/write?db=bench&precision=u",
            folder,
        )
        .await?;
        let create = format!("{}/query?q=CREATE%20DATABASE%20bench", peer.url);
        reqwest::Client::new()
            .post(create)
            .send()
            .await?
            .error_for_status()?;
        Ok(peer)
    }

    pub(super) async fn victoria_metrics(&self) -> anyhow::Result<Peer> {
        let folder = self.empty("victoria-metrics")?;
        let port = free_port()?;
        let mut command = Command::new(&self.debian.peers()[1]);
        command
            .arg(format!("-storageDataPath={}", folder.0.display()))
            .arg(format!("-httpListenAddr=127.0.0.1:{port}"))
            .arg("-retentionPeriod=100y")
            .arg("-loggerLevel=ERROR");
        start(
            "VictoriaMetrics 1.79",
            &mut command,
            port,
            "/write?precision=u",
            folder,
        )
        .await
    }

    fn empty(&self, name: &str) -> anyhow::Result<Folder> {
        let folder = self.folder.join(name);
        std::fs::remove_dir_all(&folder).ok(); // there may be none
        std::fs::create_dir_all(&folder)?;
        Ok(Folder(folder))
    }
}

async fn start(
    name: &'static str,
    command: &mut Command,
    port: u16,
    path: &'static str,
    folder: Folder,
) -> anyhow::Result<Peer> {
    let step = Step::start(name);
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let mut server = Server::spawn(name, command, Signal::TERM)?;
    let started = Instant::now();
    let url = format!("http://127.0.0.1:{port}");
    while reqwest::get(format!("{url}/ping")).await.is_err() {
        if server.ended()?.is_some() || started.elapsed() > START_PATIENCE {
            bail!("{name} does not start");
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    step.done(format!("port {port}"));
    Ok(Peer {
        name,
        server,
        url,
        path,
        _folder: folder,
    })
}

impl Peer {
    /// Posts sessions, one a request; how long that takes.
    pub(super) async fn post(
        &self,
        sessions: &impl Sessions,
        connections: usize,
    ) -> anyhow::Result<Duration> {
        let step = Step::start(format!("{}: {} sessions", self.name, sessions.count()));
        let bodies: Vec<String> = (0..sessions.count())
            .map(|number| lines(&sessions.body(number)))
            .collect::<anyhow::Result<_>>()?;
        let requests =
            Arc::new(Requests::posts(&self.url, self.path, bodies.into_iter())?.answered(WRITTEN));
        let took = requests.send(connections, None).await?.took;
        step.done(format!("{:.1} s", took.as_secs_f64()));
        Ok(took)
    }

    /// The most memory that it had, in MiB.
    pub(super) fn peak_memory(&self) -> Option<f64> {
        memory::peak(self.server.id())
    }
}

/// A session in InfluxDB's line protocol, which both take: a line a point, its leaves as fields.
fn lines(session: &str) -> anyhow::Result<String> {
    let session: Value = serde_json::from_str(session)?;
    let (user, id) = (session["user_id"].as_str(), session["session_id"].as_str());
    let (user, id) = user.zip(id).context("a session has ids")?;
    let mut text = String::new();
    for point in session["data"].as_array().context("a session has points")? {
        let (series, time) = point["series"]
            .as_str()
            .zip(point["time"].as_str())
            .context("a point has a time")?;
        let leaves = point["value"].as_object().context("a value has leaves")?;
        let fields: Vec<String> = leaves
            .iter()
            .map(|(leaf, number)| format!("{leaf}={number}"))
            .collect();
        let micros = Timestamp::parse_rfc3339(time)?.micros();
        writeln!(
            text,
            "{series},user={user},session={id} {} {micros}",
            fields.join(",")
        )?;
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_point_is_a_line() {
        let session = r#"{"user_id":"u","session_id":"s","data":[{"series":"a.b","time":"1970-01-01T00:00:01Z","value":{"r":1,"g":2.5}}]}"#;
        assert_eq!(
            super::lines(session).expect("a session"),
            "a.b,user=u,session=s g=2.5,r=1 1000000\n"
        );
    }
}
