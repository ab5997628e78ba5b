//! Clean-up when a command is stopped by Ctrl-C or SIGTERM.

use std::pin::Pin;
use std::sync::{Mutex, PoisonError};

use tokio::signal::unix::{SignalKind, signal};

use crate::progress::say;

/// Clean-up that remains to be done when the command is stopped.
pub type Cleanup = Pin<Box<dyn Future<Output = anyhow::Result<()>> + Send>>;

static CLEANUP: Mutex<Option<Cleanup>> = Mutex::new(None);

/// Registers the clean-up to run when the command is stopped; `None` removes it.
pub fn on_stop(cleanup: Option<Cleanup>) {
    *CLEANUP.lock().unwrap_or_else(PoisonError::into_inner) = cleanup;
}

/// Waits for Ctrl-C or SIGTERM.
///
/// # Errors
/// The signal handlers cannot be installed.
pub async fn requested() -> anyhow::Result<()> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    Ok(())
}

/// Runs the registered clean-up. A second signal interrupts it.
///
/// # Errors
/// The clean-up fails.
pub async fn finish() -> anyhow::Result<()> {
    say("stopping");
    let cleanup = CLEANUP
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .take();
    let Some(cleanup) = cleanup else {
        return Ok(());
    };
    tokio::select! {
        done = cleanup => done,
        stopped = requested() => stopped,
    }
}
