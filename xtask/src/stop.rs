//! Ctrl-C and a polite kill: what a command still has to do before it ends.

use std::pin::Pin;
use std::sync::{Mutex, PoisonError};

use tokio::signal::unix::{SignalKind, signal};

use crate::progress::say;

type Work = Pin<Box<dyn Future<Output = anyhow::Result<()>> + Send>>;

static WORK: Mutex<Option<Work>> = Mutex::new(None);

/// Notes what is to be done if the command is asked to stop; `None` once it has been done.
pub(crate) fn on_stop(work: Option<Work>) {
    *WORK.lock().unwrap_or_else(PoisonError::into_inner) = work;
}

/// Waits for Ctrl-C, or a polite kill.
pub(crate) async fn asked() -> anyhow::Result<()> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    Ok(())
}

/// Does what is left to do; a second Ctrl-C ends that as well.
pub(crate) async fn finish() -> anyhow::Result<()> {
    say("stopping");
    let work = WORK.lock().unwrap_or_else(PoisonError::into_inner).take();
    let Some(work) = work else { return Ok(()) };
    tokio::select! {
        done = work => done,
        stopped = asked() => stopped,
    }
}
