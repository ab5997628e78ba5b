//! The threads that queries run on.

use std::sync::Arc;

use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinHandle;

use crate::problem::Problem;

/// A runtime apart from the threads that serve requests. Queries fold blocks, sort values and render rows there.
#[derive(Clone)]
pub(crate) struct QueryRuntime(Arc<Held>);

struct Held(Option<Runtime>);

/// Ends the task when it is dropped.
struct Task<T>(JoinHandle<T>);

impl QueryRuntime {
    /// A runtime with one thread per query that may run.
    pub(crate) fn new(threads: usize) -> std::io::Result<Self> {
        let runtime = Builder::new_multi_thread()
            .worker_threads(threads.max(1))
            .thread_name("query")
            .enable_all()
            .build()?;
        Ok(Self(Arc::new(Held(Some(runtime)))))
    }

    /// Runs `work` on these threads; dropping what this returns ends it.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        work: impl Future<Output = Result<T, Problem>> + Send + 'static,
    ) -> Result<T, Problem> {
        let Some(runtime) = &self.0.0 else {
            return Err(Problem::internal());
        };
        let mut task = Task(runtime.spawn(work));
        (&mut task.0).await.unwrap_or_else(|e| {
            tracing::error!(error = %e, "a query failed");
            Err(Problem::internal())
        })
    }

    /// Starts `work` on these threads.
    pub(crate) fn spawn(
        &self,
        work: impl Future<Output = ()> + Send + 'static,
    ) -> Option<JoinHandle<()>> {
        self.0.0.as_ref().map(|runtime| runtime.spawn(work))
    }
}

impl<T> Drop for Task<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        // Waiting for its threads is not allowed where the last handle may be dropped.
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}
