//! Asks the service, in turn with SQL, and times both.

use std::time::{Duration, Instant};

use reqwest::header::{AUTHORIZATION, HeaderMap};
use reqwest::{Client, StatusCode};
use serde_json::Value;

use super::data::Data;
use super::rows::Rows;
use crate::bench::figure::Obstacle;
use crate::bench::spread::Spread;

/// Both are asked so often before it counts.
const WARM_UP: usize = 5;
/// What takes long is not repeated for longer than this …
const PATIENCE: Duration = Duration::from_mins(1);
/// … unless it was not asked so often yet.
const FEWEST: usize = 3;

/// Asks.
pub(super) struct Ask {
    pub(super) client: Client,
    pub(super) repeat: usize,
}

/// What came of it.
pub(super) struct Taken {
    pub(super) answers: Result<Spread, Obstacle>,
    pub(super) sql: Option<Spread>,
    pub(super) rows: Option<u64>,
    pub(super) remark: Option<String>,
}

/// One answer.
struct Answer {
    took: Duration,
    rows: Option<u64>,
}

impl Ask {
    /// As an admin, if `ADMIN_TOKEN` is set: several users at once are only theirs to ask for.
    pub(super) fn new(repeat: usize) -> anyhow::Result<Self> {
        let mut headers = HeaderMap::new();
        if let Ok(token) = std::env::var("ADMIN_TOKEN")
            && !token.is_empty()
        {
            headers.insert(AUTHORIZATION, format!("Bearer {token}").parse()?);
        }
        Ok(Self {
            client: Client::builder().default_headers(headers).build()?,
            repeat,
        })
    }

    /// Asks the service at `url` and the table of rows in turn.
    pub(super) async fn measure(
        &self,
        url: &str,
        sql: Option<(&Rows, &'static str)>,
        data: &Data,
    ) -> anyhow::Result<Taken> {
        let prepared = match sql {
            Some((rows, sql)) => Some((rows, rows.prepare(sql).await?)),
            None => None,
        };
        let mut obstacle = None;
        let (mut times, mut sql_times, mut rows, mut sql_rows) =
            (Vec::new(), Vec::new(), None, None);
        let mut started = Instant::now();
        for number in 0..WARM_UP.min(self.repeat) + self.repeat {
            let warm_up = number < WARM_UP.min(self.repeat);
            if obstacle.is_none() {
                match self.once(url, rows.is_none()).await? {
                    Ok(answer) => {
                        rows = rows.or(answer.rows);
                        times.push(milliseconds(answer.took));
                    }
                    Err(refused) => obstacle = Some(refused),
                }
            }
            if let Some((rows, statement)) = &prepared {
                let (took, count) = rows.ask(statement, data).await?;
                sql_rows = Some(count);
                sql_times.push(milliseconds(took));
            }
            if obstacle.is_some() && prepared.is_none() {
                break;
            }
            if warm_up && number + 1 == WARM_UP.min(self.repeat) {
                times.clear();
                sql_times.clear();
                started = Instant::now();
            }
            if !warm_up
                && times.len().max(sql_times.len()) >= FEWEST
                && started.elapsed() > PATIENCE
            {
                break;
            }
        }
        let remark = match (rows, sql_rows) {
            (Some(rows), Some(sql_rows)) if rows != sql_rows => {
                Some(format!("the service answered {rows} rows, SQL {sql_rows}"))
            }
            _ => None,
        };
        let nothing = || Obstacle::new("nothing measured", "");
        let answers = match obstacle {
            Some(obstacle) => Err(obstacle),
            None => Spread::of(times).ok_or_else(nothing),
        };
        Ok(Taken {
            answers,
            sql: Spread::of(sql_times),
            rows,
            remark,
        })
    }

    async fn once(&self, url: &str, count: bool) -> anyhow::Result<Result<Answer, Obstacle>> {
        let started = Instant::now();
        let answer = self.client.get(url).send().await?;
        let status = answer.status();
        let body = answer.bytes().await?;
        let took = started.elapsed();
        if status != StatusCode::OK {
            return Ok(Err(refusal(status, &body)));
        }
        let rows = if count {
            serde_json::from_slice::<Value>(&body)?["metadata"]["count"].as_u64()
        } else {
            None
        };
        Ok(Ok(Answer { took, rows }))
    }
}

/// What an answer other than 200 says.
pub(super) fn refusal(status: StatusCode, body: &[u8]) -> Obstacle {
    let problem: Value = serde_json::from_slice(body).unwrap_or_default();
    let code = problem["code"].as_str().unwrap_or_default();
    let fault = problem["errors"][0]["message"]
        .as_str()
        .or_else(|| problem["detail"].as_str())
        .unwrap_or_default();
    let fault: String = fault.chars().take(200).collect();
    Obstacle::new(
        format!("{} {code}", status.as_u16()).trim_end(),
        format!("answered {status}: {fault}"),
    )
}

fn milliseconds(took: Duration) -> f64 {
    took.as_secs_f64() * 1e3
}
