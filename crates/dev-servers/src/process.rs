//! A server as a child process that stops when its owner is dropped.

use std::net::TcpListener;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, ExitStatus};
use std::time::{Duration, Instant};

use anyhow::Context;
use rustix::process::{Pid, Signal, kill_process};

/// Maximum time that a server may take to stop before it is killed.
const STOP_TIMEOUT: Duration = Duration::from_secs(40);
const POLL_INTERVAL: Duration = Duration::from_millis(20);

/// A running child process.
pub struct Server {
    child: Child,
    name: &'static str,
    stop_signal: Signal,
}

impl Server {
    /// Starts the command in its own process group, so that Ctrl-C does not reach it.
    ///
    /// # Errors
    /// The command cannot be started.
    pub fn spawn(
        name: &'static str,
        command: &mut Command,
        stop_signal: Signal,
    ) -> anyhow::Result<Self> {
        CommandExt::process_group(command, 0);
        let child = command
            .spawn()
            .with_context(|| format!("cannot start {name}"))?;
        Ok(Self {
            child,
            name,
            stop_signal,
        })
    }

    /// Returns the process id.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Returns the exit status if the server has ended.
    ///
    /// # Errors
    /// The process cannot be observed.
    pub fn exit_status(&mut self) -> anyhow::Result<Option<ExitStatus>> {
        self.child
            .try_wait()
            .with_context(|| format!("cannot observe {}", self.name))
    }

    /// Sends `signal` and waits until the server has ended, however long that takes.
    pub fn crash(&mut self, signal: Signal) {
        self.signal(signal);
        self.child.wait().ok();
    }

    /// Stops the server with its stop signal and waits until it has ended.
    pub fn stop(&mut self) {
        if matches!(self.child.try_wait(), Ok(Some(_))) {
            return;
        }
        self.signal(self.stop_signal);
        let started = Instant::now();
        while started.elapsed() < STOP_TIMEOUT {
            if matches!(self.child.try_wait(), Ok(Some(_))) {
                return;
            }
            std::thread::sleep(POLL_INTERVAL);
        }
        self.child.kill().ok();
        self.child.wait().ok();
    }

    fn signal(&self, signal: Signal) {
        let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw);
        if let Some(pid) = pid {
            kill_process(pid, signal).ok(); // the process may have just ended
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Returns a port of the loopback address that is free now.
///
/// # Errors
/// The loopback address has no free port.
pub fn free_port() -> anyhow::Result<u16> {
    Ok(TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port())
}
