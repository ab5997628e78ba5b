//! Where it is measured: a service, what was posted to it, and the machine.

use std::sync::Arc;

use uuid::Uuid;

use super::{Bench, cpu};
use crate::database::connect;
use crate::load::{self, Sessions};
use crate::progress::Step;
use crate::target::Target;

/// Settles what loading left to be done, so that it is not done while something is measured.
const SETTLE: [&str; 2] = ["VACUUM (ANALYZE)", "CHECKPOINT"];

/// A service, and what was posted to it.
pub(super) struct Ground<'a> {
    pub(super) bench: &'a Bench,
    pub(super) target: Target,
    users: Vec<Uuid>,
    sessions: usize,
}

/// What a reader of the figures must know about where they come from.
pub(super) struct Setting {
    pub(super) cores: usize,
    /// `None` where we do not know the database.
    pub(super) database: Option<String>,
}

impl<'a> Ground<'a> {
    pub(super) async fn provide(bench: &'a Bench) -> anyhow::Result<Self> {
        let (url, database_url) = (bench.url.as_deref(), bench.database_url.as_deref());
        let target = Target::provide("bench", url, database_url, bench.data_dir.as_deref()).await?;
        Ok(Self {
            bench,
            target,
            users: Vec::new(),
            sessions: 0,
        })
    }

    /// Posts these sessions, and remembers to delete them.
    pub(super) async fn load(&mut self, sessions: impl Sessions) -> anyhow::Result<()> {
        self.remember(&sessions);
        load::post(
            &self.target.url,
            &Arc::new(sessions),
            self.bench.concurrency,
        )
        .await?;
        Ok(())
    }

    /// Remembers to delete sessions that are posted by other means.
    pub(super) fn remember(&mut self, sessions: &impl Sessions) {
        self.users.extend(sessions.users());
        self.sessions += sessions.count();
    }

    /// Lets a database of our own settle.
    pub(super) async fn settle(&self) -> anyhow::Result<()> {
        let (Some(url), true) = (self.target.database_url(), self.target.is_ours()) else {
            return Ok(());
        };
        let step = Step::start("vacuum, statistics, checkpoint");
        let (client, connection) = connect(url).await?;
        for statement in SETTLE {
            client.batch_execute(statement).await?;
        }
        drop(client);
        connection.await??;
        step.done("");
        Ok(())
    }

    /// Takes everything out of a database of our own.
    pub(super) async fn empty(&self) -> anyhow::Result<()> {
        let (Some(url), true) = (self.target.database_url(), self.target.is_ours()) else {
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

    /// The process whose memory is watched.
    pub(super) fn pid(&self) -> Option<u32> {
        self.target.pid().or(self.bench.pid)
    }

    /// The process of the database server, if that runs on this machine.
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

    /// How many blocks a user has, if we know the database.
    pub(super) async fn blocks_of(&self, user: Uuid) -> anyhow::Result<Option<i64>> {
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

    pub(super) async fn setting(&self) -> anyhow::Result<Setting> {
        let cores = std::thread::available_parallelism()?.get();
        let Some(url) = self.target.database_url() else {
            return Ok(Setting {
                cores,
                database: None,
            });
        };
        let (client, connection) = connect(url).await?;
        let row = client.query_one(include_str!("setting.sql"), &[]).await?;
        let database = Some(row.try_get(0)?);
        drop(client);
        connection.await??;
        Ok(Setting { cores, database })
    }

    /// Leaves everything as it was.
    pub(super) async fn leave(self) -> anyhow::Result<()> {
        self.target.leave(&self.users, self.sessions).await
    }
}
