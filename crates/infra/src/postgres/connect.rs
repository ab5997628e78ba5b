//! Connections live on threads of their own.
//!
//! A worker that checks a large session does nothing else meanwhile. If the connections that it opened
//! were driven by it, they would stand still in the hands of other workers, with a user's row locked.

use std::pin::pin;
use std::sync::OnceLock;
use std::time::Duration;

use deadpool_postgres::{ClientWrapper, Connect};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinHandle;
use tokio_postgres::{Client, Config, Error, NoTls};

/// One is enough to move bytes; the second is for the other core.
const THREADS: usize = 2;
/// A statement is cancelled again after so long, and so often.
const CANCEL_AGAIN: Duration = Duration::from_millis(100);
const CANCELS: usize = 100;

/// Statements that are pipelined behind a failed BEGIN must not write in a transaction of their own. It is not a start option,
/// which would make every server look read-only to `target_session_attrs`.
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
                .expect("opening a connection does not panic, and its runtime never stops")
        }
        .boxed()
    }
}

/// Ends what a connection is doing, and the connection: whoever waited for it has left.
pub(super) fn cancel_and_close(client: ClientWrapper) {
    runtime().spawn(async move {
        let token = client.cancel_token();
        let mut ended = pin!(client.batch_execute("ROLLBACK"));
        // More than once: the first may come before the statement that it is meant for.
        for _ in 0..CANCELS {
            if let Ok(Err(e)) = tokio::time::timeout(CANCEL_AGAIN, token.cancel_query(NoTls)).await
            {
                tracing::debug!(error = %e, "not cancelled");
            }
            if tokio::time::timeout(CANCEL_AGAIN, &mut ended).await.is_ok() {
                break;
            }
        }
    });
}

/// Runs what must go on, whoever is or is not there to wait for it.
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
        runtime.expect("a process that cannot start threads cannot serve")
    })
}
