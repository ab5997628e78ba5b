//! What the database alone can do: COPY of the same blocks, and an empty commit.

use std::pin::pin;
use std::time::{Duration, Instant};

use futures_util::{SinkExt, TryStreamExt};
use uuid::Uuid;

use crate::database::connect;

/// Commits that are timed.
const COMMITS: usize = 300;

const CREATE: &str = "CREATE TABLE IF NOT EXISTS bench_block (LIKE block INCLUDING ALL)";
const OUT: &str = include_str!("blocks_out.sql");
const IN: &str = "COPY bench_block FROM STDIN (FORMAT BINARY)";

/// How long COPY takes for the blocks of these users, over one connection, committed, index and all; each time into an
/// empty table.
pub(super) async fn copy_blocks(url: &str, users: &[Uuid], repeats: usize) -> anyhow::Result<Vec<Duration>> {
    let (client, connection) = connect(url).await?;
    client.batch_execute(CREATE).await?;
    let users: Vec<String> = users.iter().map(Uuid::to_string).collect();
    client.execute("SELECT set_config('bench.users', $1, false)", &[&users.join(",")]).await?;
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

/// How long it takes to commit a small row, fsync included.
pub(super) async fn commits(url: &str) -> anyhow::Result<Vec<Duration>> {
    let (client, connection) = connect(url).await?;
    client.batch_execute("CREATE TABLE IF NOT EXISTS bench_commit (n integer)").await?;
    let insert = client.prepare("INSERT INTO bench_commit VALUES (1)").await?;
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
