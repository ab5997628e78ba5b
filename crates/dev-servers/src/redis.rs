//! A private Redis without persistence.

use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::bail;
use rustix::process::Signal;
use time_series_devkit::progress::Step;

use crate::debian::Debian;
use crate::process::{Server, free_port};

/// Maximum time until Redis accepts connections.
const START_TIMEOUT: Duration = Duration::from_secs(10);
const POLL_INTERVAL: Duration = Duration::from_millis(20);

/// A running Redis.
pub struct Redis {
    server: Server,
    port: u16,
}

impl Redis {
    /// Starts the Redis of this machine, or else that of Debian's packages.
    ///
    /// # Errors
    /// Redis does not start.
    pub fn start(debian: &Debian, folder: &Path) -> anyhow::Result<Self> {
        let step = Step::start("Redis");
        let installed = PathBuf::from("/usr/bin/redis-server");
        let program = if installed.exists() {
            installed
        } else {
            debian.redis_server()
        };
        let port = free_port()?;
        let mut command = Command::new(program);
        command
            .args([
                "--port",
                &port.to_string(),
                "--bind",
                "127.0.0.1",
                "--save",
                "",
                "--appendonly",
                "no",
            ])
            .current_dir(folder)
            .stdin(Stdio::null())
            .stdout(Stdio::null());
        let server = Server::spawn("Redis", &mut command, Signal::TERM)?;
        let mut redis = Self { server, port };
        redis.wait_until_ready()?;
        step.done(format!("port {port}"));
        Ok(redis)
    }

    /// Returns the URL of the server.
    #[must_use]
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    fn wait_until_ready(&mut self) -> anyhow::Result<()> {
        let started = Instant::now();
        while TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            if self.server.exit_status()?.is_some() || started.elapsed() > START_TIMEOUT {
                bail!("Redis does not start");
            }
            std::thread::sleep(POLL_INTERVAL);
        }
        Ok(())
    }
}
