//! Sessions by the thousand: posted over HTTP, and deleted again.

#![expect(clippy::cast_precision_loss, reason = "figures for people")]

mod body;
mod random;
mod wire;

pub(crate) use body::Body;
pub(crate) use random::{RandomSessions, Shape};
pub(crate) use wire::{Connection, Requests, Sent, post as post_request};

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use futures_util::{StreamExt, TryStreamExt, stream};
use reqwest::{Client, StatusCode};
use tokio::task::JoinSet;
use uuid::Uuid;

use crate::progress::Step;

pub(crate) const MICROS_PER_SECOND: i64 = 1_000_000;

/// So many users' sessions are deleted at a time.
const DELETERS: usize = 8;

/// What is posted.
pub(crate) trait Sessions: Send + Sync + 'static {
    /// How many there are.
    fn count(&self) -> usize;
    /// Whose they are.
    fn users(&self) -> &[Uuid];
    /// Session `number` as JSON; the same whenever it is made in one run.
    fn body(&self, number: usize) -> String;
}

/// Posts every session once, so many at a time; the first refusal ends it.
pub(crate) async fn post<S: Sessions>(
    url: &str,
    sessions: &Arc<S>,
    concurrency: usize,
) -> anyhow::Result<Duration> {
    let count = sessions.count();
    let step = Arc::new(Step::counted(
        format!("posting {count} sessions"),
        count as u64,
    ));
    let client = Client::new();
    let next = Arc::new(AtomicUsize::new(0));
    let started = Instant::now();
    let mut workers = JoinSet::new();
    for _ in 0..concurrency {
        let (sessions, step, client, next) =
            (sessions.clone(), step.clone(), client.clone(), next.clone());
        let url = format!("{url}/api/sessions/");
        workers.spawn(async move {
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= sessions.count() {
                    return Ok::<(), anyhow::Error>(());
                }
                let answer = client.post(&url).body(sessions.body(number)).send().await?;
                if answer.status() != StatusCode::CREATED {
                    bail!(
                        "session {number} was answered {}: {}",
                        answer.status(),
                        answer.text().await?
                    );
                }
                step.tick();
            }
        });
    }
    while let Some(ended) = workers.join_next().await {
        ended??;
    }
    let took = started.elapsed();
    if let Some(step) = Arc::into_inner(step) {
        step.done(format!(
            "{:.0} sessions/s",
            count as f64 / took.as_secs_f64()
        ));
    }
    Ok(took)
}

/// Deletes every session of these users, `count` in all.
pub(crate) async fn delete(url: &str, users: &[Uuid], count: usize) -> anyhow::Result<()> {
    let step = Step::counted(format!("deleting {count} sessions"), count as u64);
    let client = Client::new();
    let each = stream::iter(users.to_vec()).map(|user| delete_of_user(&client, url, user, &step));
    each.buffer_unordered(DELETERS).try_collect::<()>().await?;
    step.done("the service is as it was, but for the users' version numbers");
    Ok(())
}

async fn delete_of_user(client: &Client, url: &str, user: Uuid, step: &Step) -> anyhow::Result<()> {
    loop {
        let list = client
            .get(format!("{url}/api/sessions/?user_id={user}&limit=1000"))
            .send()
            .await?;
        let page: serde_json::Value = serde_json::from_slice(&list.bytes().await?)?;
        let results = page["results"]
            .as_array()
            .context("the list of sessions has no results")?;
        if results.is_empty() {
            return Ok(());
        }
        for session in results {
            let id = session["session_id"].as_str().unwrap_or_default();
            let answer = client
                .delete(format!("{url}/api/sessions/{id}/?user_id={user}"))
                .send()
                .await?;
            if answer.status() != StatusCode::NO_CONTENT {
                bail!("deleting session {id} was answered {}", answer.status());
            }
            step.tick();
        }
    }
}
