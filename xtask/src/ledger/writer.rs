//! Writers: each posts one session after the other, some in parts, again until it is acknowledged or given up.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::task::JoinSet;

use super::account::Account;
use super::session::Sessions;
use crate::load::Connection;

/// Of a hundred requests, so many lose their connection before the answer.
const CUT_OF_100: u32 = 3;
/// Of a hundred failures, so many are given up: those sessions stay unacknowledged.
const GIVEN_UP_OF_100: u32 = 20;
const PAUSE: Duration = Duration::from_millis(20);
/// A service that was killed never answers.
const PATIENCE: Duration = Duration::from_secs(20);

/// Writers at work.
pub(super) struct Writers {
    tasks: JoinSet<anyhow::Result<()>>,
    is_over: Arc<AtomicBool>,
}

pub(super) fn start(
    count: usize,
    address: &str,
    sessions: &Arc<Sessions>,
    account: &Arc<Account>,
) -> Writers {
    let is_over = Arc::new(AtomicBool::new(false));
    let mut tasks = JoinSet::new();
    for _ in 0..count {
        let writer = Writer {
            address: address.to_owned(),
            sessions: sessions.clone(),
            account: account.clone(),
            is_over: is_over.clone(),
            connection: None,
            random: fastrand::Rng::with_seed(fastrand::u64(..)),
        };
        tasks.spawn(writer.run());
    }
    Writers { tasks, is_over }
}

impl Writers {
    /// Lets each finish its session.
    pub(super) async fn stop(mut self) {
        self.is_over.store(true, Ordering::Relaxed);
        while self.tasks.join_next().await.is_some() {}
    }
}

struct Writer {
    address: String,
    sessions: Arc<Sessions>,
    account: Arc<Account>,
    is_over: Arc<AtomicBool>,
    connection: Option<Connection>,
    random: fastrand::Rng,
}

impl Writer {
    async fn run(mut self) -> anyhow::Result<()> {
        while !self.is_over.load(Ordering::Relaxed) {
            let number = self.account.begin();
            for part in 0..Sessions::parts(number) {
                if !self.is_acknowledged(number, part).await? {
                    break;
                }
            }
        }
        Ok(())
    }

    /// Posts a part until it is acknowledged; false if it is given up.
    async fn is_acknowledged(&mut self, number: usize, part: usize) -> anyhow::Result<bool> {
        let request = self.sessions.request(&self.address, number, part);
        loop {
            if self.random.u32(..100) < CUT_OF_100 {
                self.cut(&request).await;
            } else if let Ok(Ok(200 | 201)) =
                tokio::time::timeout(PATIENCE, self.post(&request)).await
            {
                self.account.acknowledge(number, part)?;
                return Ok(true);
            }
            self.connection = None;
            if self.random.u32(..100) < GIVEN_UP_OF_100 || self.is_over.load(Ordering::Relaxed) {
                return Ok(false);
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    async fn post(&mut self, request: &[u8]) -> anyhow::Result<u16> {
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => Connection::open(&self.address).await?,
        };
        let status = connection.exchange(request).await?;
        self.connection = Some(connection);
        Ok(status)
    }

    /// Sends it, and is gone at some moment before, at or after the commit.
    async fn cut(&mut self, request: &[u8]) {
        self.account.cut.fetch_add(1, Ordering::Relaxed);
        if let Ok(mut connection) = Connection::open(&self.address).await {
            let _ = connection.send(request).await;
            tokio::time::sleep(Duration::from_micros(self.random.u64(..5_000))).await;
        }
    }
}
