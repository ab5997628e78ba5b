//! Makes sessions, posts them, and deletes them again.

use std::fmt::Write;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use reqwest::{Client, StatusCode};
use time_series_domain::{Clock, Timestamp};
use time_series_infra::local::SystemClock;
use uuid::Uuid;

use super::target::Target;
use super::{Shape, Stress};
use crate::progress::Step;

const MICROS_PER_SECOND: i64 = 1_000_000;
/// The sessions start within the last two years, as far as the queries look.
const DAYS: i64 = 728;
/// A session lasts at most so long, so that none ends in the future.
const ROOM_DAYS: i64 = 2;

/// The sessions of one run.
pub(crate) struct Load {
    users: Vec<Uuid>,
    sessions: usize,
    points: usize,
    concurrency: usize,
    shape: Shape,
    now: Timestamp,
}

/// How the posting went.
pub(crate) struct Posted {
    pub(crate) took: Duration,
    pub(crate) points: usize,
}

impl Load {
    pub(crate) fn new(stress: &Stress) -> Self {
        Self {
            users: (0..stress.users).map(|_| Uuid::new_v4()).collect(),
            sessions: stress.sessions,
            points: stress.points,
            concurrency: stress.concurrency,
            shape: stress.shape,
            now: SystemClock.now(),
        }
    }

    pub(crate) fn first_user(&self) -> Uuid {
        self.users[0]
    }

    /// Posts every session once; the first refusal ends it.
    pub(crate) async fn post(&self, target: &Target) -> anyhow::Result<Posted> {
        let step = Step::counted(format!("posting {} sessions", self.sessions), self.sessions as u64);
        let client = Client::new();
        let url = format!("{}/api/sessions/", target.url);
        let next = AtomicUsize::new(0);
        let started = Instant::now();
        let worker = async || {
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= self.sessions {
                    return Ok::<(), anyhow::Error>(());
                }
                let answer = client.post(&url).body(self.session(number)?).send().await?;
                if answer.status() != StatusCode::CREATED {
                    bail!("session {number} was answered {}: {}", answer.status(), answer.text().await?);
                }
                step.tick();
            }
        };
        let workers: Vec<_> = (0..self.concurrency).map(|_| worker()).collect();
        futures_util::future::try_join_all(workers).await?;
        let took = started.elapsed();
        step.done(format!("{:.0} sessions/s", self.sessions as f64 / took.as_secs_f64()));
        Ok(Posted { took, points: self.sessions * self.points })
    }

    /// Deletes the sessions of our users.
    pub(crate) async fn delete(&self, url: &str) -> anyhow::Result<()> {
        let step = Step::counted(format!("deleting {} sessions", self.sessions), self.sessions as u64);
        let client = Client::new();
        for user in &self.users {
            loop {
                let list = client.get(format!("{url}/api/sessions/?user_id={user}&limit=1000")).send().await?;
                let page: serde_json::Value = serde_json::from_slice(&list.bytes().await?)?;
                let results = page["results"].as_array().context("the list of sessions has no results")?;
                if results.is_empty() {
                    break;
                }
                for session in results {
                    let id = session["session_id"].as_str().unwrap_or_default();
                    let answer = client.delete(format!("{url}/api/sessions/{id}/?user_id={user}")).send().await?;
                    if answer.status() != StatusCode::NO_CONTENT {
                        bail!("deleting session {id} was answered {}", answer.status());
                    }
                    step.tick();
                }
            }
        }
        step.done("the service is as it was, but for the users' version numbers");
        Ok(())
    }

    /// Session `number` as JSON; the same whenever it is made in one run.
    fn session(&self, number: usize) -> anyhow::Result<String> {
        let mut random = fastrand::Rng::with_seed(number as u64);
        let span = (DAYS - ROOM_DAYS) * 86_400 * MICROS_PER_SECOND;
        let position = i128::from(span) * number as i128 / self.sessions as i128;
        let start = self.now.plus_days(-DAYS).plus_micros(i64::try_from(position)?);
        let start = Timestamp::from_micros(start.micros() / MICROS_PER_SECOND * MICROS_PER_SECOND);
        let user = self.users[number % self.users.len()];
        let session = Uuid::new_v5(&user, &number.to_le_bytes());
        let mut body = format!(r#"{{"user_id":"{user}","session_id":"{session}","start_ts":"{start}","data":["#);
        for i in 0..self.points {
            let (series, after) = match self.shape {
                Shape::Seed => (random.usize(0..3), random.i64(1..=60) * 60),
                Shape::Hz => (i % 3, i64::try_from(i / 3)?),
            };
            let time = start.plus_micros(after * MICROS_PER_SECOND);
            let comma = if i == 0 { "" } else { "," };
            match series {
                0 => write!(
                    body,
                    r#"{comma}{{"series":"session.urine.color","time":"{time}","value":{{"r":{},"g":{},"b":{}}}}}"#,
                    random.u8(..),
                    random.u8(..),
                    random.u8(..)
                )?,
                1 => write!(
                    body,
                    r#"{comma}{{"series":"session.gut_health_score","time":"{time}","value":{{"value":{}}}}}"#,
                    f64::from(random.u32(0..=1_000)) / 10.0
                )?,
                _ => write!(
                    body,
                    r#"{comma}{{"series":"session.urine.night_count","time":"{time}","value":{{"value":{}}}}}"#,
                    random.u8(0..=5)
                )?,
            }
        }
        body.push_str("]}");
        Ok(body)
    }
}
