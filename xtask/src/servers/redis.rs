//! A Redis of our own, nothing kept.

use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::bail;
use rustix::process::Signal;

use super::{Debian, Server, free_port};
use crate::progress::Step;

const START_PATIENCE: Duration = Duration::from_secs(10);

/// A running Redis.
pub(crate) struct Redis {
    server: Server,
    port: u16,
}

impl Redis {
    /// Starts this machine's, or else Debian's.
    pub(crate) fn start(debian: &Debian, folder: &Path) -> anyhow::Result<Self> {
        let step = Step::start("Redis");
        let of_machine = PathBuf::from("/usr/bin/redis-server");
        let program = if of_machine.exists() {
            of_machine
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

    /// Its URL.
    pub(crate) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    fn wait_until_ready(&mut self) -> anyhow::Result<()> {
        let started = Instant::now();
        while TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            if self.server.ended()?.is_some() || started.elapsed() > START_PATIENCE {
                bail!("Redis does not start");
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }
}
