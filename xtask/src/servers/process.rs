//! A server as a child process that is stopped when we stop.

use std::process::{Child, Command};
use std::time::{Duration, Instant};

use anyhow::Context;
use rustix::process::{Pid, Signal, kill_process};

/// Servers that do not stop by themselves are killed after this.
const PATIENCE: Duration = Duration::from_secs(40);

/// A running child process.
pub(crate) struct Server {
    child: Child,
    name: &'static str,
    stop: Signal,
}

impl Server {
    /// Starts it in a process group of its own, so that a Ctrl-C reaches us and not it.
    pub(crate) fn spawn(
        name: &'static str,
        command: &mut Command,
        stop: Signal,
    ) -> anyhow::Result<Self> {
        std::os::unix::process::CommandExt::process_group(command, 0);
        let child = command
            .spawn()
            .with_context(|| format!("cannot start {name}"))?;
        Ok(Self { child, name, stop })
    }

    /// Its process id.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// How it ended, if it did.
    pub(crate) fn ended(&mut self) -> anyhow::Result<Option<std::process::ExitStatus>> {
        self.child
            .try_wait()
            .with_context(|| format!("cannot watch {}", self.name))
    }

    /// Ends it as a power cut would: with this signal, and nothing that it could do about it.
    pub(crate) fn crash(&mut self, signal: Signal) {
        if let Some(pid) = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw) {
            kill_process(pid, signal).ok(); // it may have ended in this moment
        }
        self.child.wait().ok();
    }

    /// Asks it to stop and waits until it has.
    pub(crate) fn stop(&mut self) {
        if matches!(self.child.try_wait(), Ok(Some(_))) {
            return;
        }
        let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw);
        if let Some(pid) = pid {
            kill_process(pid, self.stop).ok(); // it may have ended in this moment
        }
        let started = Instant::now();
        while started.elapsed() < PATIENCE {
            if matches!(self.child.try_wait(), Ok(Some(_))) {
                return;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop();
    }
}
