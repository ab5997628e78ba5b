//! Writers: each posts sessions and retries every part until it is acknowledged or given up.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::task::JoinSet;

use super::acknowledgements::Acknowledgements;
use super::sessions::Sessions;
use crate::load::Connection;

/// Percentage of requests whose connection is cut before the response.
const CUT_PERCENT: u32 = 3;
/// Percentage of failed requests that are not retried. Those sessions stay unacknowledged.
const GIVE_UP_PERCENT: u32 = 20;
const RETRY_PAUSE: Duration = Duration::from_millis(20);
/// Maximum time of a response. A killed service never responds.
const RESPONSE_TIMEOUT: Duration = Duration::from_secs(20);

/// Running writers.
pub(super) struct Writers {
    tasks: JoinSet<anyhow::Result<()>>,
    is_stopping: Arc<AtomicBool>,
}

pub(super) fn start(
    count: usize,
    address: &str,
    sessions: &Arc<Sessions>,
    acknowledgements: &Arc<Acknowledgements>,
) -> Writers {
    let is_stopping = Arc::new(AtomicBool::new(false));
    let mut tasks = JoinSet::new();
    for _ in 0..count {
        let writer = Writer {
            address: address.to_owned(),
            sessions: sessions.clone(),
            acknowledgements: acknowledgements.clone(),
            is_stopping: is_stopping.clone(),
            connection: None,
            random: fastrand::Rng::with_seed(fastrand::u64(..)),
        };
        tasks.spawn(writer.run());
    }
    Writers { tasks, is_stopping }
}

impl Writers {
    /// Stops the writers and waits for their requests in progress.
    pub(super) async fn stop(mut self) {
        self.is_stopping.store(true, Ordering::Relaxed);
        while self.tasks.join_next().await.is_some() {}
    }
}

struct Writer {
    address: String,
    sessions: Arc<Sessions>,
    acknowledgements: Arc<Acknowledgements>,
    is_stopping: Arc<AtomicBool>,
    connection: Option<Connection>,
    random: fastrand::Rng,
}

impl Writer {
    async fn run(mut self) -> anyhow::Result<()> {
        while !self.is_stopping.load(Ordering::Relaxed) {
            let number = self.acknowledgements.start_session();
            for part in 0..Sessions::parts(number) {
                if !self.post_part(number, part).await? {
                    break;
                }
            }
        }
        Ok(())
    }

    /// Posts a part until it is acknowledged, and returns whether it was.
    async fn post_part(&mut self, number: usize, part: usize) -> anyhow::Result<bool> {
        let request = self.sessions.request(&self.address, number, part);
        loop {
            if self.random.u32(..100) < CUT_PERCENT {
                self.cut(&request).await;
            } else if let Ok(Ok(200 | 201)) =
                tokio::time::timeout(RESPONSE_TIMEOUT, self.post(&request)).await
            {
                self.acknowledgements.record(number, part)?;
                return Ok(true);
            }
            self.connection = None;
            if self.random.u32(..100) < GIVE_UP_PERCENT || self.is_stopping.load(Ordering::Relaxed)
            {
                return Ok(false);
            }
            tokio::time::sleep(RETRY_PAUSE).await;
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

    /// Sends a request and cuts the connection before, during or after the commit.
    async fn cut(&mut self, request: &[u8]) {
        self.acknowledgements.count_cut();
        if let Ok(mut connection) = Connection::open(&self.address).await {
            let _ = connection.send(request).await;
            tokio::time::sleep(Duration::from_micros(self.random.u64(..5_000))).await;
        }
    }
}
