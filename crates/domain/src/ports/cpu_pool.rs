//! The port to the threads that work on requests without waiting for anything.

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;

/// Runs work that keeps a core busy away from the threads that serve requests, so many pieces at a time as there are cores
/// and in a fair order among peers.
#[async_trait]
pub trait CpuPool: Send + Sync {
    /// Runs `work` to its end, or drops it unrun when the caller leaves first.
    ///
    /// # Errors
    /// [`CpuBusy`] when too much is waiting.
    async fn run(&self, work: Box<dyn FnOnce() + Send>) -> Result<(), CpuBusy>;
}

/// Too much work is waiting; nothing was done: try again later.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("too much work is waiting")]
pub struct CpuBusy;

/// Runs work where it is asked for. For programs that serve nobody meanwhile.
#[derive(Debug, Clone, Copy, Default)]
pub struct RunHere;

#[async_trait]
impl CpuPool for RunHere {
    async fn run(&self, work: Box<dyn FnOnce() + Send>) -> Result<(), CpuBusy> {
        work();
        Ok(())
    }
}

/// Runs `work` in a pool and returns its result.
///
/// # Errors
/// [`CpuBusy`], also when the work panicked.
pub async fn run_in<T: Send + 'static>(
    pool: &dyn CpuPool,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, CpuBusy> {
    let result = Arc::new(Mutex::new(None));
    let place = Arc::clone(&result);
    pool.run(Box::new(move || {
        let done = work();
        *place.lock().unwrap_or_else(PoisonError::into_inner) = Some(done);
    }))
    .await?;
    let done = result.lock().unwrap_or_else(PoisonError::into_inner).take();
    done.ok_or(CpuBusy)
}
