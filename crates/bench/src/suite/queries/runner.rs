//! Runs a query on the service and, alternating, in SQL.

use std::time::{Duration, Instant};

use reqwest::header::{AUTHORIZATION, HeaderMap};
use reqwest::{Client, StatusCode};
use serde_json::Value;
use tokio_postgres::Statement;

use super::datasets::Data;
use super::rows::Rows;
use crate::suite::figure::Failure;
use crate::suite::statistics::{Statistics, milliseconds};

/// Repetitions before the measurement.
const WARM_UP: usize = 5;
/// Duration after which a slow query is not repeated, once it has [`MIN_REPEATS`] measurements.
const MAX_DURATION: Duration = Duration::from_mins(1);
const MIN_REPEATS: usize = 3;

/// Runs queries.
pub(super) struct Runner {
    pub(super) client: Client,
    pub(super) repeat: usize,
}

/// The measurement of a query, in milliseconds.
pub(super) struct Measurement {
    pub(super) service: Result<Statistics, Failure>,
    pub(super) sql: Option<Statistics>,
    pub(super) rows: Option<u64>,
    pub(super) remark: Option<String>,
}

/// A response.
struct Response {
    took: Duration,
    rows: Option<u64>,
}

impl Runner {
    /// Sends `ADMIN_TOKEN` if it is set, since queries over several users are reserved to admins.
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

    /// Measures the query at `url` and, alternating, the same query in SQL.
    ///
    /// After a failed request only SQL is measured.
    pub(super) async fn measure(
        &self,
        url: &str,
        sql: Option<(&Rows, &'static str)>,
        data: &Data,
    ) -> anyhow::Result<Measurement> {
        let prepared = match sql {
            Some((rows, sql)) => Some((rows, rows.prepare(sql).await?)),
            None => None,
        };
        let mut samples = Samples::default();
        for _ in 0..WARM_UP.min(self.repeat) {
            self.sample(url, prepared.as_ref(), data, &mut samples)
                .await?;
        }
        samples.service.clear();
        samples.sql.clear();
        let started = Instant::now();
        for _ in 0..self.repeat {
            let is_finished = samples.failure.is_some() && prepared.is_none();
            let is_slow = samples.service.len().max(samples.sql.len()) >= MIN_REPEATS
                && started.elapsed() > MAX_DURATION;
            if is_finished || is_slow {
                break;
            }
            self.sample(url, prepared.as_ref(), data, &mut samples)
                .await?;
        }
        Ok(samples.into_measurement())
    }

    /// Runs the query once on the service and once in SQL.
    async fn sample(
        &self,
        url: &str,
        sql: Option<&(&Rows, Statement)>,
        data: &Data,
        samples: &mut Samples,
    ) -> anyhow::Result<()> {
        if samples.failure.is_none() {
            match self.request(url, samples.rows.is_none()).await? {
                Ok(response) => {
                    samples.rows = samples.rows.or(response.rows);
                    samples.service.push(milliseconds(response.took));
                }
                Err(failure) => samples.failure = Some(failure),
            }
        }
        if let Some((rows, statement)) = sql {
            let (took, count) = rows.query(statement, data).await?;
            samples.sql_rows = Some(count);
            samples.sql.push(milliseconds(took));
        }
        Ok(())
    }

    async fn request(&self, url: &str, count: bool) -> anyhow::Result<Result<Response, Failure>> {
        let started = Instant::now();
        let response = self.client.get(url).send().await?;
        let status = response.status();
        let body = response.bytes().await?;
        let took = started.elapsed();
        if status != StatusCode::OK {
            return Ok(Err(failure_of(status, &body)));
        }
        let rows = if count {
            serde_json::from_slice::<Value>(&body)?["metadata"]["count"].as_u64()
        } else {
            None
        };
        Ok(Ok(Response { took, rows }))
    }
}

/// The samples of a query so far, in milliseconds.
#[derive(Default)]
struct Samples {
    service: Vec<f64>,
    sql: Vec<f64>,
    /// The number of rows of a response.
    rows: Option<u64>,
    sql_rows: Option<u64>,
    failure: Option<Failure>,
}

impl Samples {
    fn into_measurement(self) -> Measurement {
        let remark = match (self.rows, self.sql_rows) {
            (Some(rows), Some(sql_rows)) if rows != sql_rows => {
                Some(format!("the service returned {rows} rows, SQL {sql_rows}"))
            }
            _ => None,
        };
        let service = match self.failure {
            Some(failure) => Err(failure),
            None => {
                Statistics::of(self.service).ok_or_else(|| Failure::new("nothing measured", ""))
            }
        };
        Measurement {
            service,
            sql: Statistics::of(self.sql),
            rows: self.rows,
            remark,
        }
    }
}

/// Describes a response other than 200 by its problem document.
pub(super) fn failure_of(status: StatusCode, body: &[u8]) -> Failure {
    let problem: Value = serde_json::from_slice(body).unwrap_or_default();
    let code = problem["code"].as_str().unwrap_or_default();
    let message = problem["errors"][0]["message"]
        .as_str()
        .or_else(|| problem["detail"].as_str())
        .unwrap_or_default();
    let message: String = message.chars().take(200).collect();
    Failure::new(
        format!("{} {code}", status.as_u16()).trim_end(),
        format!("received {status}: {message}"),
    )
}
