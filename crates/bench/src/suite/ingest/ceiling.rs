//! The ceiling: the speed of the database alone, for COPY and for an empty commit.

use std::fmt::Write;
use std::pin::pin;
use std::time::{Duration, Instant};

use anyhow::Context;
use bytes::Bytes;
use futures_util::{SinkExt, TryStreamExt};
use serde_json::Value;
use time_series_dev_servers::connect;
use uuid::Uuid;

use crate::load::Sessions;

/// Number of timed commits.
const COMMITS: usize = 300;

const CREATE: &str = "CREATE TABLE IF NOT EXISTS bench_block (LIKE block INCLUDING ALL)";
const OUT: &str = include_str!("blocks_out.sql");
const CREATE_ORIGINAL: &str = include_str!("create_original.sql");
/// Maximum number of sessions whose points are copied as rows.
const ROW_SESSIONS: usize = 200;
/// Bytes of a COPY message.
const CHUNK_BYTES: usize = 64 << 10;
const IN: &str = "COPY bench_block FROM STDIN (FORMAT BINARY)";

/// Measures COPY of the blocks of these users into an empty table with indexes, including the
/// commit, over one connection.
pub(super) async fn copy_blocks(
    url: &str,
    users: &[Uuid],
    repeats: usize,
) -> anyhow::Result<Vec<Duration>> {
    let (client, connection) = connect(url).await?;
    client.batch_execute(CREATE).await?;
    let users: Vec<String> = users.iter().map(Uuid::to_string).collect();
    client
        .execute(
            "SELECT set_config('bench.users', $1, false)",
            &[&users.join(",")],
        )
        .await?;
    let blocks: Vec<_> = client.copy_out(OUT).await?.try_collect().await?;
    let mut took = Vec::new();
    for _ in 0..repeats {
        client.batch_execute("TRUNCATE bench_block").await?;
        let started = Instant::now();
        let mut sink = pin!(client.copy_in(IN).await?);
        for chunk in &blocks {
            sink.send(chunk.clone()).await?;
        }
        sink.finish().await?;
        took.push(started.elapsed());
    }
    client.batch_execute("DROP TABLE bench_block").await?;
    drop(client);
    connection.await??;
    Ok(took)
}

/// Measures the points per second of COPY into a table like that of the original system: one row
/// per point, with its value as jsonb, and three indexes.
pub(super) async fn copy_rows(
    url: &str,
    sessions: &impl Sessions,
    repeats: usize,
) -> anyhow::Result<Vec<f64>> {
    let mut rows = String::new();
    let mut points = 0_u32;
    for number in 0..sessions.count().min(ROW_SESSIONS) {
        let session: Value = serde_json::from_str(&sessions.body(number))?;
        let id = session["session_id"]
            .as_str()
            .context("a session has no id")?;
        for point in session["data"]
            .as_array()
            .context("a session has no points")?
        {
            let (series, time) = point["series"]
                .as_str()
                .zip(point["time"].as_str())
                .context("a point has no time")?;
            writeln!(rows, "{id}\t{series}\t{time}\t{}", point["value"])?;
            points += 1;
        }
    }
    let rows = Bytes::from(rows);
    let (client, connection) = connect(url).await?;
    client.batch_execute(CREATE_ORIGINAL).await?;
    let mut rates = Vec::new();
    for _ in 0..repeats {
        client.batch_execute("TRUNCATE bench_original").await?;
        let started = Instant::now();
        let mut sink = pin!(
            client
                .copy_in("COPY bench_original (session_id, series_id, time, value) FROM STDIN")
                .await?
        );
        for start in (0..rows.len()).step_by(CHUNK_BYTES) {
            sink.send(rows.slice(start..rows.len().min(start + CHUNK_BYTES)))
                .await?;
        }
        sink.finish().await?;
        rates.push(f64::from(points) / started.elapsed().as_secs_f64());
    }
    client.batch_execute("DROP TABLE bench_original").await?;
    drop(client);
    connection.await??;
    Ok(rates)
}

/// Measures commits of a small row, including the fsync.
pub(super) async fn commits(url: &str) -> anyhow::Result<Vec<Duration>> {
    let (client, connection) = connect(url).await?;
    client
        .batch_execute("CREATE TABLE IF NOT EXISTS bench_commit (n integer)")
        .await?;
    let insert = client
        .prepare("INSERT INTO bench_commit VALUES (1)")
        .await?;
    let mut took = Vec::new();
    for _ in 0..COMMITS {
        let started = Instant::now();
        client.execute(&insert, &[]).await?;
        took.push(started.elapsed());
    }
    client.batch_execute("DROP TABLE bench_commit").await?;
    drop(client);
    connection.await??;
    Ok(took)
}
