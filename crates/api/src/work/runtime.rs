//! Runtime of the query threads.

use std::sync::Arc;

use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinHandle;

use crate::problem::Problem;

/// A runtime that is separate from the threads that serve requests. Queries merge blocks, sort
/// values and render rows on it.
#[derive(Clone)]
pub(crate) struct QueryRuntime(Arc<OwnedRuntime>);

/// Shuts the runtime down in the background when it is dropped.
struct OwnedRuntime(Option<Runtime>);

/// Aborts the task when it is dropped.
struct AbortOnDrop<T>(JoinHandle<T>);

impl QueryRuntime {
    /// Starts a runtime with `threads` threads.
    pub(crate) fn new(threads: usize) -> std::io::Result<Self> {
        let runtime = Builder::new_multi_thread()
            .worker_threads(threads.max(1))
            .thread_name("query")
            .enable_all()
            .build()?;
        Ok(Self(Arc::new(OwnedRuntime(Some(runtime)))))
    }

    /// Runs `work` on the query threads. Dropping the future aborts the work.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        work: impl Future<Output = Result<T, Problem>> + Send + 'static,
    ) -> Result<T, Problem> {
        let Some(runtime) = &self.0.0 else {
            return Err(Problem::internal());
        };
        let mut task = AbortOnDrop(runtime.spawn(work));
        (&mut task.0).await.unwrap_or_else(|e| {
            tracing::error!(error = %e, "a query failed");
            Err(Problem::internal())
        })
    }

    /// Starts `work` on the query threads.
    pub(crate) fn spawn(
        &self,
        work: impl Future<Output = ()> + Send + 'static,
    ) -> Option<JoinHandle<()>> {
        self.0.0.as_ref().map(|runtime| runtime.spawn(work))
    }
}

impl<T> Drop for AbortOnDrop<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Drop for OwnedRuntime {
    fn drop(&mut self) {
        // The last handle may be dropped inside an async task, where blocking on threads panics.
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}
