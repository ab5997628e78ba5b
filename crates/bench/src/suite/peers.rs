//! Other time-series databases, from Debian's packages, with the same data. The session is a tag.

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use rustix::process::Signal;
use serde_json::Value;
use time_series_dev_servers::{Debian, OsUser, Server, free_port, local_folder};
use time_series_devkit::progress::Step;
use time_series_domain::Timestamp;

use super::memory;
use crate::load::{Requests, Sessions};

const START_TIMEOUT: Duration = Duration::from_secs(30);
const POLL_INTERVAL: Duration = Duration::from_millis(50);
/// The status of a successful write.
const NO_CONTENT: u16 = 204;

/// A running peer.
pub(super) struct Peer {
    pub(super) name: &'static str,
    server: Server,
    url: String,
    path: &'static str,
    _folder: DataFolder,
}

/// A folder that is removed when dropped.
struct DataFolder(PathBuf);

impl Drop for DataFolder {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.0).ok(); // a remaining folder does no harm
    }
}

/// The unpacked peers.
pub(super) struct Peers {
    debian: Debian,
    folder: PathBuf,
}

impl Peers {
    pub(super) fn provide(data_dir: Option<&Path>) -> anyhow::Result<Self> {
        let local = local_folder(data_dir, OsUser::for_servers()?)?;
        Ok(Self {
            debian: Debian::provide_peers(&local)?,
            folder: local.join("peers"),
        })
    }

    /// Starts InfluxDB without data.
    pub(super) async fn influxdb(&self) -> anyhow::Result<Peer> {
        let folder = self.create_folder("influxdb")?;
        let (port, rpc) = (free_port()?, free_port()?);
        let config = format!(
            include_str!("influxdb.conf.in"),
            rpc = rpc,
            port = port,
            folder = folder.0.display()
        );
        let file = folder.0.join("influxdb.conf");
        std::fs::write(&file, config)?;
        let mut command = Command::new(self.debian.influxdb());
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

    /// Starts VictoriaMetrics without data.
    pub(super) async fn victoria_metrics(&self) -> anyhow::Result<Peer> {
        let folder = self.create_folder("victoria-metrics")?;
        let port = free_port()?;
        let mut command = Command::new(self.debian.victoria_metrics());
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

    fn create_folder(&self, name: &str) -> anyhow::Result<DataFolder> {
        let folder = self.folder.join(name);
        std::fs::remove_dir_all(&folder).ok(); // it may not exist
        std::fs::create_dir_all(&folder)?;
        Ok(DataFolder(folder))
    }
}

async fn start(
    name: &'static str,
    command: &mut Command,
    port: u16,
    path: &'static str,
    folder: DataFolder,
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
        if server.exit_status()?.is_some() || started.elapsed() > START_TIMEOUT {
            bail!("{name} does not start");
        }
        tokio::time::sleep(POLL_INTERVAL).await;
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
    /// Posts sessions, one per request, and returns the duration.
    pub(super) async fn post(
        &self,
        sessions: &impl Sessions,
        connections: usize,
    ) -> anyhow::Result<Duration> {
        let step = Step::start(format!("{}: {} sessions", self.name, sessions.count()));
        let bodies: Vec<String> = (0..sessions.count())
            .map(|number| line_protocol(&sessions.body(number)))
            .collect::<anyhow::Result<_>>()?;
        let requests = Arc::new(
            Requests::posts(&self.url, self.path, bodies.into_iter())?.expecting(NO_CONTENT),
        );
        let took = requests.send(connections, None).await?.took;
        step.done(format!("{:.1} s", took.as_secs_f64()));
        Ok(took)
    }

    /// Returns the peak of the resident memory in MiB.
    pub(super) fn peak_memory(&self) -> Option<f64> {
        memory::peak(self.server.id())
    }
}

/// Renders a session in InfluxDB's line protocol: one line per point, with its leaves as fields.
fn line_protocol(session: &str) -> anyhow::Result<String> {
    let session: Value = serde_json::from_str(session)?;
    let (user, id) = (session["user_id"].as_str(), session["session_id"].as_str());
    let (user, id) = user.zip(id).context("the session has no ids")?;
    let mut text = String::new();
    for point in session["data"]
        .as_array()
        .context("the session has no points")?
    {
        let (series, time) = point["series"]
            .as_str()
            .zip(point["time"].as_str())
            .context("a point has no time")?;
        let leaves = point["value"]
            .as_object()
            .context("a value has no leaves")?;
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
    fn a_point_becomes_a_line() {
        let session = r#"{"user_id": "u", "session_id": "s", "data": [
            {"series": "a.b", "time": "1970-01-01T00:00:01Z", "value": {"r": 1, "g": 2.5}}]}"#;
        assert_eq!(
            super::line_protocol(session).expect("a session"),
            "a.b,user=u,session=s g=2.5,r=1 1000000\n"
        );
    }
}
