//! Appends to stored sessions: the blocks that change, the sessions' rows, and what is remembered of each part.

use std::collections::HashMap;

use deadpool_postgres::Object;
use time::OffsetDateTime;
use time_series_domain::block::{Block, BlockHead, Cluster, SeriesColumns, plan_append};
use time_series_domain::ingest::{EncodedSession, IdempotencyKey};
use time_series_domain::{MetricTypeId, Timestamp, UtcDay};
use tokio_postgres::types::ToSql;
use uuid::Uuid;

use super::session_rows::{metric_types, time};
use crate::postgres::block_reader::BlockReader;
use crate::postgres::error::{PgError, unreadable};

const BLOCK_HEADS: &str = include_str!("block_heads.sql");
const TAKE_BLOCKS: &str = include_str!("take_blocks.sql");
const EXTEND_SESSIONS: &str = include_str!("extend_sessions.sql");
const INSERT_PARTS: &str = include_str!("insert_parts.sql");

/// The stored blocks of a session by series and day, each by (`t_min`, `seq`).
type Heads = HashMap<(MetricTypeId, UtcDay), Vec<BlockHead>>;
/// What tells a block of a session from its others.
type BlockKey = (MetricTypeId, u32, Timestamp);

/// An append that adds points, and what it is answered.
pub(super) struct Part<'a> {
    pub(super) session: &'a EncodedSession,
    pub(super) key: Option<&'a IdempotencyKey>,
    pub(super) total_points: u64,
    pub(super) version: u64,
}

/// The points of one series and day, and what they change.
struct DayPlan {
    appended: SeriesColumns,
    stored: Vec<BlockHead>,
    clusters: Vec<Cluster>,
}

/// Takes the blocks out that an append changes, and gives those to be written: they, with its points in them.
pub(super) async fn merge_into_blocks(client: &Object, part: &EncodedSession) -> Result<Vec<Block>, PgError> {
    let mut heads = read_heads(client, part).await?;
    let mut plans = Vec::new();
    for series in part.appended() {
        for (day, appended) in series.days() {
            let stored = heads.remove(&(appended.metric_type, day)).unwrap_or_default();
            let clusters = plan_append(&stored, &appended);
            plans.push(DayPlan { appended, stored, clusters });
        }
    }
    let changed: Vec<BlockKey> = plans.iter().flat_map(DayPlan::changed).collect();
    let mut taken = take(client, part, &changed).await?;
    let mut blocks = Vec::new();
    for DayPlan { appended, stored, clusters } in &plans {
        let mut next_seq = stored.iter().map(|head| head.seq + 1).max().unwrap_or(0);
        for cluster in clusters {
            let heads = stored[cluster.stored.clone()].iter();
            let old: Option<Vec<Block>> =
                heads.map(|h| taken.remove(&(appended.metric_type, h.seq, h.t_min))).collect();
            let old = old.ok_or_else(|| unreadable("block", "seq", "a block is gone that was there"))?;
            let new = cluster.blocks(&old, appended, next_seq);
            next_seq = new.last().map_or(next_seq, |block| block.seq + 1);
            blocks.extend(new);
        }
    }
    Ok(blocks)
}

impl DayPlan {
    fn changed(&self) -> impl Iterator<Item = BlockKey> {
        let heads = self.clusters.iter().flat_map(|cluster| &self.stored[cluster.stored.clone()]);
        heads.map(|head| (self.appended.metric_type, head.seq, head.t_min))
    }
}

async fn read_heads(client: &Object, part: &EncodedSession) -> Result<Heads, PgError> {
    let mut heads = Heads::new();
    let Some((first, last)) = part.span() else { return Ok(heads) };
    let (start, end) = (first.utc_day().start(), last.utc_day().next().start());
    let types: Vec<i32> = part.metric_types().iter().map(|t| t.0).collect();
    let statement = client.prepare_cached(BLOCK_HEADS).await?;
    let params: [&(dyn ToSql + Sync); 5] =
        [&part.user_id.0, &part.session_id.0, &types, &start.to_offset_date_time(), &end.to_offset_date_time()];
    let reader = BlockReader::of(statement.columns());
    for row in client.query(&statement, &params).await? {
        let t_max: OffsetDateTime = row.try_get("t_max").map_err(|e| unreadable("block", "t_max", e))?;
        let head = BlockHead {
            seq: reader.seq(&row)?,
            t_min: reader.t_min(&row)?,
            t_max: t_max.into(),
            points: reader.points(&row)?,
        };
        heads.entry((reader.metric_type(&row)?, head.t_min.utc_day())).or_default().push(head);
    }
    Ok(heads)
}

async fn take(client: &Object, part: &EncodedSession, keys: &[BlockKey]) -> Result<HashMap<BlockKey, Block>, PgError> {
    let times = || keys.iter().map(|(_, _, t_min)| *t_min);
    let (Some(first), Some(last)) = (times().min(), times().max()) else { return Ok(HashMap::new()) };
    let types: Vec<i32> = keys.iter().map(|(metric_type, _, _)| metric_type.0).collect();
    let seqs: Vec<i32> = keys.iter().map(|(_, seq, _)| i32::try_from(*seq).unwrap_or(i32::MAX)).collect();
    let starts: Vec<OffsetDateTime> = times().map(Timestamp::to_offset_date_time).collect();
    let statement = client.prepare_cached(TAKE_BLOCKS).await?;
    let (first, last) = (first.to_offset_date_time(), last.to_offset_date_time());
    let params: [&(dyn ToSql + Sync); 8] =
        [&part.user_id.0, &part.session_id.0, &types, &first, &last, &types, &seqs, &starts];
    let reader = BlockReader::of(statement.columns());
    let rows = client.query(&statement, &params).await?;
    let block = |row| reader.block(row).map(|block| ((block.metric_type, block.seq, block.t_min()), block));
    rows.iter().map(block).collect()
}

/// Tells the sessions' rows of their new points.
pub(super) async fn extend_sessions(client: &Object, parts: &[Part<'_>]) -> Result<(), PgError> {
    let statement = client.prepare_cached(EXTEND_SESSIONS).await?;
    let (sessions, users) = ids(parts);
    let points: Vec<i32> = parts.iter().map(|p| i32::try_from(p.session.points).unwrap_or(i32::MAX)).collect();
    let spans: Vec<_> = parts.iter().map(|p| p.session.span()).collect();
    let first: Vec<_> = spans.iter().map(|span| time(span.map(|s| s.0))).collect();
    let last: Vec<_> = spans.iter().map(|span| time(span.map(|s| s.1))).collect();
    let types: Vec<String> = parts.iter().map(|p| metric_types(p.session)).collect();
    client.execute(&statement, &[&sessions, &users, &points, &first, &last, &types]).await?;
    Ok(())
}

/// Remembers what was appended and what it was answered.
pub(super) async fn insert_parts(client: &Object, parts: &[Part<'_>]) -> Result<(), PgError> {
    let statement = client.prepare_cached(INSERT_PARTS).await?;
    let (sessions, users) = ids(parts);
    let digests: Vec<&[u8]> = parts.iter().map(|p| p.session.digest.as_bytes()).collect();
    let keys: Vec<Option<&str>> = parts.iter().map(|p| p.key.map(IdempotencyKey::as_str)).collect();
    let number = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
    let totals: Vec<i64> = parts.iter().map(|p| number(p.total_points)).collect();
    let versions: Vec<i64> = parts.iter().map(|p| number(p.version)).collect();
    client.execute(&statement, &[&sessions, &users, &digests, &keys, &totals, &versions]).await?;
    Ok(())
}

fn ids(parts: &[Part<'_>]) -> (Vec<Uuid>, Vec<Uuid>) {
    parts.iter().map(|part| (part.session.session_id.0, part.session.user_id.0)).unzip()
}
