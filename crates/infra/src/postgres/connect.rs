//! Opens and drives connections on threads of their own.
//!
//! A thread that validates a large session does nothing else meanwhile. If that thread also drove
//! connections, transactions of other tasks on these connections would stall, with users' rows
//! locked.

use std::pin::pin;
use std::sync::OnceLock;
use std::time::Duration;

use deadpool_postgres::{ClientWrapper, Connect};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinHandle;
use tokio_postgres::{Client, Config, Error, NoTls};

/// Number of threads. One is enough to move bytes; the second uses another core.
const THREADS: usize = 2;
/// Interval between cancel requests for one statement.
const CANCEL_INTERVAL: Duration = Duration::from_millis(100);
/// Maximum cancel requests for one statement.
const MAX_CANCELS: usize = 100;

/// Prevents statements that are pipelined behind a failed BEGIN from writing in transactions of
/// their own. Not a start option: that would make every server look read-only to
/// `target_session_attrs`.
const READ_ONLY: &str = "SET default_transaction_read_only = on";

/// Opens connections on the threads that drive them.
pub(super) struct OwnThreads;

impl Connect for OwnThreads {
    fn connect(&self, config: &Config) -> BoxFuture<'_, Result<(Client, JoinHandle<()>), Error>> {
        let config = config.clone();
        let opened = runtime().spawn(async move {
            let (client, connection) = config.connect(NoTls).await?;
            let driver = tokio::spawn(async move {
                if let Err(e) = connection.await {
                    tracing::debug!(error = %e, "connection lost");
                }
            });
            client.batch_execute(READ_ONLY).await?;
            Ok((client, driver))
        });
        async {
            opened
                .await
                .expect("opening a connection does not panic, and its runtime never shuts down")
        }
        .boxed()
    }
}

/// Cancels the current statement of a connection, rolls back and closes the connection. Used if the
/// caller has left.
pub(super) fn cancel_and_close(client: ClientWrapper) {
    runtime().spawn(async move {
        let token = client.cancel_token();
        let mut ended = pin!(client.batch_execute("ROLLBACK"));
        // Repeated: a request may reach the server before the statement does.
        for _ in 0..MAX_CANCELS {
            if let Ok(Err(e)) =
                tokio::time::timeout(CANCEL_INTERVAL, token.cancel_query(NoTls)).await
            {
                tracing::debug!(error = %e, "cancel request failed");
            }
            if tokio::time::timeout(CANCEL_INTERVAL, &mut ended)
                .await
                .is_ok()
            {
                break;
            }
        }
    });
}

/// Runs a task that must continue even if no caller waits for it.
pub(super) fn spawn(work: impl Future<Output = ()> + Send + 'static) {
    runtime().spawn(work);
}

fn runtime() -> &'static Runtime {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    RUNTIME.get_or_init(|| {
        let runtime = Builder::new_multi_thread()
            .worker_threads(THREADS)
            .thread_name("postgres")
            .enable_all()
            .build();
        runtime.expect("the process can start threads")
    })
}
