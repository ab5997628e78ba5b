//! Writers: each takes what waits, writes it in one transaction, and answers each session when the commit returned.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use time_series_domain::ingest::{EncodedSession, SessionWrite};
use time_series_domain::ports::{StoreError, Stored};

use super::turns::{Pending, Writer};
use crate::postgres::connect;
use crate::postgres::pool::Postgres;

const DOING: &str = "storing a session";
/// Pauses between attempts while a metric type of the session is being changed.
const SHORTEST_PAUSE: Duration = Duration::from_millis(1);
const LONGEST_PAUSE: Duration = Duration::from_millis(16);

impl Postgres {
    /// Lets a session be stored by a writer, together with others that wait.
    pub(in crate::postgres) async fn store_session(
        &self,
        session: Arc<EncodedSession>,
        write: SessionWrite,
    ) -> Result<Stored, StoreError> {
        let (deadline, mut pause) = (Instant::now() + self.wait, SHORTEST_PAUSE);
        loop {
            let (pending, told) = Pending::new(Arc::clone(&session), write.clone());
            self.start(self.turns.push(pending)?);
            // A writer that ends without a word has failed in the middle of something.
            match told.await.unwrap_or_else(|e| {
                Err(StoreError::OutcomeUnknown {
                    doing: DOING,
                    source: e.into(),
                })
            }) {
                // Not waited for by a writer, whom users of other metric types need.
                Err(StoreError::MetricTypeBusy) if Instant::now() < deadline => {
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(LONGEST_PAUSE);
                }
                stored => return stored,
            }
        }
    }

    /// Lets a writer work until nothing waits any more.
    pub(super) fn start(&self, writer: Option<Writer>) {
        if let Some(writer) = writer {
            let postgres = self.clone();
            connect::spawn(async move { postgres.write(writer).await });
        }
    }

    async fn write(&self, mut writer: Writer) {
        while let Some((still, mut group, another)) = self.take(writer) {
            writer = still;
            self.start(another);
            let pending = std::mem::take(&mut group.pending);
            let answers = self.answers(&pending).await;
            // The users first: whoever is answered may write again.
            drop(group);
            for (pending, answer) in pending.into_iter().zip(answers) {
                pending.answer(answer);
            }
        }
    }

    /// Stores sessions together; each by itself, if one of them is why that fails.
    async fn answers(&self, group: &[Pending]) -> Vec<Result<Stored, StoreError>> {
        if group.is_empty() {
            return Vec::new();
        }
        metrics::histogram!("store_group_sessions")
            .record(u32::try_from(group.len()).unwrap_or(u32::MAX));
        match self.store(group).await {
            Ok(answers) => answers,
            Err(e) => match group {
                [_] => vec![Err(e)],
                _ if blames_all(&e) => group.iter().map(|_| Err(again(&e))).collect(),
                _ => {
                    tracing::warn!(error = %e, sessions = group.len(), "a group failed; its sessions are tried one by one");
                    self.answers_one_by_one(group).await
                }
            },
        }
    }
}

impl Postgres {
    /// The server ends what takes too long, but of a server that is not heard of nobody knows what it did.
    async fn store(
        &self,
        group: &[Pending],
    ) -> Result<Vec<Result<Stored, StoreError>>, StoreError> {
        let run = self.run(DOING, || self.store_group(group));
        let changing = group
            .iter()
            .filter(|pending| pending.write.changes())
            .count();
        let stored = match self.longest_group(changing) {
            None => run.await,
            Some(longest) => tokio::time::timeout(longest, run)
                .await
                .unwrap_or_else(|late| {
                    Err(StoreError::OutcomeUnknown {
                        doing: DOING,
                        source: late.into(),
                    })
                }),
        };
        let is_away = |e: &StoreError| matches!(e, StoreError::Unavailable { .. });
        let of_sessions = stored
            .iter()
            .flatten()
            .filter_map(|answer| answer.as_ref().err());
        if of_sessions.chain(stored.as_ref().err()).any(is_away) {
            // They may be of a server that takes no writes any more: the next ones look for the one that does.
            self.writers.retain(|_, _| false);
        }
        stored
    }

    async fn answers_one_by_one(&self, group: &[Pending]) -> Vec<Result<Stored, StoreError>> {
        let mut answers = Vec::with_capacity(group.len());
        let mut locked = HashSet::new();
        for one in group.chunks(1) {
            let user = one[0].session.user_id;
            // Whom another process holds is waited for once.
            if locked.contains(&user) {
                answers.push(Err(StoreError::Locked { doing: DOING }));
                continue;
            }
            let stored = self.store(one).await;
            if let Err(StoreError::Locked { .. }) = stored {
                locked.insert(user);
            }
            answers.extend(stored.unwrap_or_else(|e| vec![Err(e)]));
        }
        answers
    }
}

/// Whether no session of a group would have fared better by itself.
const fn blames_all(e: &StoreError) -> bool {
    matches!(
        e,
        StoreError::Unavailable { .. } | StoreError::OutcomeUnknown { .. }
    )
}

/// The same error, once more.
fn again(e: &StoreError) -> StoreError {
    let source = |e: &StoreError| {
        std::error::Error::source(e)
            .map_or_else(|| e.to_string(), ToString::to_string)
            .into()
    };
    match e {
        StoreError::OutcomeUnknown { doing, .. } => StoreError::OutcomeUnknown {
            doing,
            source: source(e),
        },
        _ => StoreError::Unavailable {
            doing: DOING,
            source: source(e),
        },
    }
}
