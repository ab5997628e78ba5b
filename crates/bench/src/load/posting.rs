//! Posts the sessions of a load, and deletes them again.

#![expect(clippy::cast_precision_loss, reason = "figures for people")]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use futures_util::{StreamExt, TryStreamExt, stream};
use reqwest::{Client, StatusCode};
use time_series_devkit::progress::Step;
use tokio::task::JoinSet;
use uuid::Uuid;

use super::sessions::Sessions;

/// Users whose sessions are deleted concurrently.
const DELETE_CONCURRENCY: usize = 8;

/// Posts every session once, `concurrency` at a time, and returns the duration.
///
/// The first response other than 201 ends the load with an error.
pub(crate) async fn post_sessions<S: Sessions>(
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
        let sessions = sessions.clone();
        let step = step.clone();
        let client = client.clone();
        let next = next.clone();
        let url = format!("{url}/api/sessions/");
        workers.spawn(async move {
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= sessions.count() {
                    return Ok::<(), anyhow::Error>(());
                }
                let response = client.post(&url).body(sessions.body(number)).send().await?;
                if response.status() != StatusCode::CREATED {
                    bail!(
                        "session {number} received {}: {}",
                        response.status(),
                        response.text().await?
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

/// Deletes every session of these users, `count` in total.
pub(crate) async fn delete_sessions(url: &str, users: &[Uuid], count: usize) -> anyhow::Result<()> {
    let step = Step::counted(format!("deleting {count} sessions"), count as u64);
    let client = Client::new();
    let deletions =
        stream::iter(users.to_vec()).map(|user| delete_of_user(&client, url, user, &step));
    deletions
        .buffer_unordered(DELETE_CONCURRENCY)
        .try_collect::<()>()
        .await?;
    step.done("only the users' version numbers remain");
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
            let response = client
                .delete(format!("{url}/api/sessions/{id}/?user_id={user}"))
                .send()
                .await?;
            if response.status() != StatusCode::NO_CONTENT {
                bail!("deleting session {id} received {}", response.status());
            }
            step.tick();
        }
    }
}
