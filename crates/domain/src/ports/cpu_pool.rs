//! [`CpuPool`]: the port to threads for CPU-bound work.

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;

/// Runs CPU-bound work on threads other than those that serve requests: one task per core at a
/// time, scheduled fairly among clients.
#[async_trait]
pub trait CpuPool: Send + Sync {
    /// Runs `work` to its end, or drops it before its start if the caller drops this future.
    ///
    /// # Errors
    /// [`CpuBusy`] if too much work is waiting.
    async fn run(&self, work: Box<dyn FnOnce() + Send>) -> Result<(), CpuBusy>;
}

/// Too much work is waiting. Nothing was done: try again later.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("too much work is waiting")]
pub struct CpuBusy;

/// Runs work on the calling thread, for programs that do not serve requests.
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
/// [`CpuBusy`], also if the work panicked.
pub async fn run_in<T: Send + 'static>(
    pool: &dyn CpuPool,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, CpuBusy> {
    let result = Arc::new(Mutex::new(None));
    let slot = Arc::clone(&result);
    pool.run(Box::new(move || {
        let done = work();
        *slot.lock().unwrap_or_else(PoisonError::into_inner) = Some(done);
    }))
    .await?;
    let done = result.lock().unwrap_or_else(PoisonError::into_inner).take();
    done.ok_or(CpuBusy)
}
