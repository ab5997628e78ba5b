//! Heartbeats of the primary and of the replica. Readiness is the result of the last ones.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use time_series_api::{DatabaseUsage, Heartbeat, NotReady, Readiness};
use time_series_infra::postgres::{
    MigrateError, PgSessionStore, PoolUsage, Postgres, PostgresUsage,
};
use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, timeout};

/// Interval of the heartbeats.
const INTERVAL: Duration = Duration::from_secs(1);
/// Maximum time of a read heartbeat.
const READ_TIMEOUT: Duration = Duration::from_millis(800);
/// Maximum time of a commit heartbeat.
const COMMIT_TIMEOUT: Duration = Duration::from_secs(3);
/// Maximum time that the start of the service waits for the database.
const START_TIMEOUT: Duration = Duration::from_secs(10);

/// The state of the database, kept up to date by heartbeats.
pub(crate) struct Database {
    postgres: Arc<Postgres>,
    sessions: Arc<PgSessionStore>,
    reads: watch::Receiver<Result<(), NotReady>>,
    /// Replication lag in seconds; an error while reads of the replica fail.
    replica: Option<watch::Receiver<Result<Option<f64>, NotReady>>>,
    writes: watch::Receiver<Result<(), NotReady>>,
}

impl Database {
    /// Starts the read heartbeat and the commit heartbeat, which do not wait for each other. They
    /// end when the value is dropped.
    pub(crate) fn start(
        postgres: Arc<Postgres>,
        replica: Option<Arc<Postgres>>,
        sessions: Arc<PgSessionStore>,
    ) -> Arc<dyn Readiness> {
        let (send_reads, reads) = watch::channel(Err(NotReady::Unreachable));
        let (send_writes, writes) = watch::channel(Err(NotReady::NoCommit));
        let beating = postgres.clone();
        actix_web::rt::spawn(async move {
            let mut interval = tokio::time::interval(INTERVAL);
            interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
            while !send_reads.is_closed() {
                interval.tick().await;
                let read = timeout(READ_TIMEOUT, beating.heartbeat_read()).await;
                let _ = send_reads.send_replace(read.map_or(Err(NotReady::Unreachable), |read| {
                    read.map_err(|e| not_ready(&e))
                }));
            }
        });
        let beating = postgres.clone();
        actix_web::rt::spawn(async move {
            let mut interval = tokio::time::interval(INTERVAL);
            interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
            while !send_writes.is_closed() {
                interval.tick().await;
                let beat = async {
                    beating.keep_connections().await?;
                    beating.heartbeat_commit().await
                };
                let committed = timeout(COMMIT_TIMEOUT, beat).await.is_ok_and(|committed| {
                    committed
                        .inspect_err(|e| tracing::debug!(error = %e, "heartbeat failed"))
                        .is_ok()
                });
                let _ = send_writes.send_replace(if committed {
                    Ok(())
                } else {
                    Err(NotReady::NoCommit)
                });
            }
        });
        Arc::new(Self {
            postgres,
            sessions,
            reads,
            replica: replica.map(watch_replica),
            writes,
        })
    }
}

#[async_trait]
impl Readiness for Database {
    async fn check(&self) -> Result<(), NotReady> {
        let checked = timeout(START_TIMEOUT, self.postgres.check_schema()).await;
        checked.map_or(Err(NotReady::Unreachable), |checked| {
            checked.map_err(|e| not_ready(&e))
        })?;
        match self.postgres.fit_connections().await {
            Ok(found) if found.allowed.saturating_sub(found.others) < found.needed => {
                tracing::warn!(
                    allowed = found.allowed,
                    others = found.others,
                    needed = found.needed,
                    "the server allows fewer connections than DATABASE_CONNECTIONS requests; fewer queries will run concurrently"
                );
            }
            Ok(_) => {}
            Err(e) => tracing::warn!(error = %e, "the connection limit of the server is unknown"),
        }
        Ok(())
    }

    fn usage(&self) -> DatabaseUsage {
        let PostgresUsage { pools } = self.postgres.usage();
        let states = |pool: PoolUsage| {
            [
                ("most", pool.most),
                ("open", pool.open),
                ("idle", pool.idle),
                ("waiting", pool.waiting),
            ]
        };
        let replica_lag = self
            .replica
            .as_ref()
            .and_then(|replica| replica.borrow().ok().flatten());
        DatabaseUsage {
            replica_lag,
            pools: pools
                .into_iter()
                .map(|pool| (pool.name, states(pool)))
                .collect(),
            queued_bytes: self.sessions.queued_bytes(),
        }
    }

    fn last(&self) -> Heartbeat {
        let primary = *self.reads.borrow();
        let replica = self
            .replica
            .as_ref()
            .map_or(primary, |replica| replica.borrow().map(|_| ()));
        Heartbeat {
            reads: primary.or(replica),
            primary,
            writes: *self.writes.borrow(),
        }
    }
}

/// Starts the heartbeat of a replica, which ends when the receiver is dropped.
fn watch_replica(replica: Arc<Postgres>) -> watch::Receiver<Result<Option<f64>, NotReady>> {
    let (sender, receiver) = watch::channel(Err(NotReady::Unreachable));
    actix_web::rt::spawn(async move {
        let mut interval = tokio::time::interval(INTERVAL);
        interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
        while !sender.is_closed() {
            interval.tick().await;
            let beat = async {
                replica.heartbeat_read().await.map_err(|e| not_ready(&e))?;
                replica
                    .replica_lag()
                    .await
                    .map_err(|_| NotReady::Unreachable)
            };
            let _ = sender.send_replace(
                timeout(READ_TIMEOUT, beat)
                    .await
                    .unwrap_or(Err(NotReady::Unreachable)),
            );
        }
    });
    receiver
}

fn not_ready(e: &MigrateError) -> NotReady {
    tracing::debug!(error = %e, "not ready");
    match e {
        MigrateError::Behind { .. } => NotReady::Behind,
        MigrateError::NoDatabase => NotReady::NoDatabase,
        MigrateError::RoleRefused => NotReady::RoleRefused,
        _ => NotReady::Unreachable,
    }
}
