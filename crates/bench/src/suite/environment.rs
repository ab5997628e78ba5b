//! The environment of a measurement: the service, the data posted to it, and the machine.

use std::sync::Arc;

use time_series_dev_servers::connect;
use time_series_devkit::progress::Step;
use uuid::Uuid;

use super::cpu;
use super::options::Bench;
use crate::load::{Sessions, post_sessions};
use crate::target::Target;

/// Maintenance that loading leaves, so that it does not run during a measurement.
const MAINTENANCE: [&str; 2] = ["VACUUM (ANALYZE)", "CHECKPOINT"];

/// The service under load, and the data that was posted to it.
pub(super) struct Environment<'a> {
    pub(super) bench: &'a Bench,
    pub(super) target: Target,
    users: Vec<Uuid>,
    sessions: usize,
}

/// The properties of an environment that a reader of the figures needs.
pub(super) struct Description {
    pub(super) cores: usize,
    /// `None` if the database is unknown.
    pub(super) database: Option<String>,
}

impl<'a> Environment<'a> {
    pub(super) async fn provide(bench: &'a Bench) -> anyhow::Result<Self> {
        let target = Target::provide(
            "bench",
            bench.url.as_deref(),
            bench.database_url.as_deref(),
            bench.data_dir.as_deref(),
        )
        .await?;
        Ok(Self {
            bench,
            target,
            users: Vec::new(),
            sessions: 0,
        })
    }

    /// Posts sessions and registers them for deletion.
    pub(super) async fn load(&mut self, sessions: impl Sessions) -> anyhow::Result<()> {
        self.register(&sessions);
        post_sessions(
            &self.target.url,
            &Arc::new(sessions),
            self.bench.concurrency,
        )
        .await?;
        Ok(())
    }

    /// Registers sessions for deletion that are posted by other means.
    pub(super) fn register(&mut self, sessions: &impl Sessions) {
        self.users.extend(sessions.users());
        self.sessions += sessions.count();
    }

    /// Runs the maintenance of a private database.
    pub(super) async fn maintain(&self) -> anyhow::Result<()> {
        let Some(url) = self.private_database_url() else {
            return Ok(());
        };
        let step = Step::start("vacuum, analyze, checkpoint");
        let (client, connection) = connect(url).await?;
        for statement in MAINTENANCE {
            client.batch_execute(statement).await?;
        }
        drop(client);
        connection.await??;
        step.done("");
        Ok(())
    }

    /// Removes all sessions from a private database.
    pub(super) async fn truncate(&self) -> anyhow::Result<()> {
        let Some(url) = self.private_database_url() else {
            return Ok(());
        };
        let (client, connection) = connect(url).await?;
        client
            .batch_execute("TRUNCATE block, session, session_part, day_summary, user_version")
            .await?;
        drop(client);
        connection.await??;
        Ok(())
    }

    fn private_database_url(&self) -> Option<&str> {
        self.target
            .database_url()
            .filter(|_| self.target.is_private())
    }

    /// Returns the process id of the service, if it is known.
    pub(super) fn pid(&self) -> Option<u32> {
        self.target.pid().or(self.bench.pid)
    }

    /// Returns the process id of the database server, if it runs on this machine.
    pub(super) async fn postmaster(&self) -> anyhow::Result<Option<u32>> {
        let Some(url) = self.target.database_url() else {
            return Ok(None);
        };
        let (client, connection) = connect(url).await?;
        let postmaster = cpu::postmaster(&client).await?;
        drop(client);
        connection.await??;
        Ok(postmaster)
    }

    /// Returns the number of blocks of a user, if the database is known.
    pub(super) async fn block_count(&self, user: Uuid) -> anyhow::Result<Option<i64>> {
        let Some(url) = self.target.database_url() else {
            return Ok(None);
        };
        let (client, connection) = connect(url).await?;
        let row = client
            .query_one("SELECT count(*) FROM block WHERE user_id = $1", &[&user])
            .await?;
        drop(client);
        connection.await??;
        Ok(Some(row.try_get(0)?))
    }

    /// Describes the machine and the database.
    pub(super) async fn describe(&self) -> anyhow::Result<Description> {
        let cores = std::thread::available_parallelism()?.get();
        let Some(url) = self.target.database_url() else {
            return Ok(Description {
                cores,
                database: None,
            });
        };
        let (client, connection) = connect(url).await?;
        let row = client
            .query_one(include_str!("database_description.sql"), &[])
            .await?;
        let database = Some(row.try_get(0)?);
        drop(client);
        connection.await??;
        Ok(Description { cores, database })
    }

    /// Deletes the posted sessions, or drops the scratch database.
    pub(super) async fn clean_up(self) -> anyhow::Result<()> {
        self.target.clean_up(&self.users, self.sessions).await
    }
}
