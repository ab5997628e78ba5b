//! Appends to stored sessions: rewrites the blocks that change, extends the sessions' rows, records
//! the appends.

use std::collections::HashMap;

use deadpool_postgres::Object;
use time::OffsetDateTime;
use time_series_domain::block::{Block, BlockHeader, BlockMerge, SeriesColumns, plan_append};
use time_series_domain::ingest::{EncodedSession, IdempotencyKey};
use time_series_domain::{MetricTypeId, Timestamp, UtcDay};
use tokio_postgres::Statement;
use tokio_postgres::types::ToSql;
use uuid::Uuid;

use super::session_rows::{metric_types, time};
use crate::postgres::block_reader::BlockReader;
use crate::postgres::error::{PgError, corrupt};
use crate::postgres::pipeline::send;

const BLOCK_HEADERS: &str = include_str!("block_headers.sql");
const TAKE_BLOCKS: &str = include_str!("take_blocks.sql");
const EXTEND_SESSIONS: &str = include_str!("extend_sessions.sql");
const INSERT_APPENDS: &str = include_str!("insert_appends.sql");

/// Headers of the stored blocks of a session by series and day, in order of (`t_min`, `seq`).
type Headers = HashMap<(MetricTypeId, UtcDay), Vec<BlockHeader>>;
/// Key of a block within its session.
type BlockKey = (MetricTypeId, u32, Timestamp);

/// A row of `session_part`: an append, or the write under a key that created the session.
pub(super) struct AppendRow<'a> {
    pub(super) session: &'a EncodedSession,
    pub(super) key: Option<&'a IdempotencyKey>,
    pub(super) total_points: u64,
    pub(super) version: u64,
    /// True if the write creates the session.
    pub(super) created: bool,
}

/// The new points of one series and day, and the stored blocks that they change.
struct DayPlan {
    appended: SeriesColumns,
    stored: Vec<BlockHeader>,
    clusters: Vec<BlockMerge>,
}

/// Deletes the blocks that an append changes and returns the blocks to be written in their place.
pub(super) async fn merge_into_blocks(
    client: &Object,
    sent: &EncodedSession,
) -> Result<Vec<Block>, PgError> {
    let mut headers = read_headers(client, sent).await?;
    let mut plans = Vec::new();
    for series in sent.appended() {
        for (day, appended) in series.days() {
            let stored = headers
                .remove(&(appended.metric_type, day))
                .unwrap_or_default();
            let clusters = plan_append(&stored, &appended);
            plans.push(DayPlan {
                appended,
                stored,
                clusters,
            });
        }
    }
    let changed: Vec<BlockKey> = plans.iter().flat_map(DayPlan::changed).collect();
    let mut taken = take_blocks(client, sent, &changed).await?;
    let mut blocks = Vec::new();
    for DayPlan {
        appended,
        stored,
        clusters,
    } in &plans
    {
        let mut next_seq = stored
            .iter()
            .map(|header| header.seq + 1)
            .max()
            .unwrap_or(0);
        for cluster in clusters {
            let headers = stored[cluster.stored.clone()].iter();
            let old: Option<Vec<Block>> = headers
                .map(|h| taken.remove(&(appended.metric_type, h.seq, h.t_min)))
                .collect();
            let old =
                old.ok_or_else(|| corrupt("block", "seq", "a block of the session is missing"))?;
            let new = cluster.blocks(&old, appended, next_seq);
            next_seq = new.last().map_or(next_seq, |block| block.seq + 1);
            blocks.extend(new);
        }
    }
    Ok(blocks)
}

impl DayPlan {
    fn changed(&self) -> impl Iterator<Item = BlockKey> {
        let headers = self
            .clusters
            .iter()
            .flat_map(|cluster| &self.stored[cluster.stored.clone()]);
        headers.map(|header| (self.appended.metric_type, header.seq, header.t_min))
    }
}

async fn read_headers(client: &Object, sent: &EncodedSession) -> Result<Headers, PgError> {
    let mut headers = Headers::new();
    let Some((first, last)) = sent.span() else {
        return Ok(headers);
    };
    let (start, end) = (first.utc_day().start(), last.utc_day().next().start());
    let types: Vec<i32> = sent.metric_types().iter().map(|t| t.0).collect();
    let statement = client.prepare_cached(BLOCK_HEADERS).await?;
    let params: [&(dyn ToSql + Sync); 5] = [
        &sent.user_id.0,
        &sent.session_id.0,
        &types,
        &start.to_offset_date_time(),
        &end.to_offset_date_time(),
    ];
    let reader = BlockReader::of(statement.columns());
    for row in client.query(&statement, &params).await? {
        let t_max: OffsetDateTime = row
            .try_get("t_max")
            .map_err(|e| corrupt("block", "t_max", e))?;
        let header = BlockHeader {
            seq: reader.seq(&row)?,
            t_min: reader.t_min(&row)?,
            t_max: t_max.into(),
            points: reader.points(&row)?,
        };
        headers
            .entry((reader.metric_type(&row)?, header.t_min.utc_day()))
            .or_default()
            .push(header);
    }
    Ok(headers)
}

/// Deletes blocks and returns them.
async fn take_blocks(
    client: &Object,
    sent: &EncodedSession,
    keys: &[BlockKey],
) -> Result<HashMap<BlockKey, Block>, PgError> {
    let times = || keys.iter().map(|(_, _, t_min)| *t_min);
    let (Some(first), Some(last)) = (times().min(), times().max()) else {
        return Ok(HashMap::new());
    };
    let types: Vec<i32> = keys
        .iter()
        .map(|(metric_type, _, _)| metric_type.0)
        .collect();
    let seqs: Vec<i32> = keys
        .iter()
        .map(|(_, seq, _)| i32::try_from(*seq).unwrap_or(i32::MAX))
        .collect();
    let starts: Vec<OffsetDateTime> = times().map(Timestamp::to_offset_date_time).collect();
    let statement = client.prepare_cached(TAKE_BLOCKS).await?;
    let (first, last) = (first.to_offset_date_time(), last.to_offset_date_time());
    let params: [&(dyn ToSql + Sync); 8] = [
        &sent.user_id.0,
        &sent.session_id.0,
        &types,
        &first,
        &last,
        &types,
        &seqs,
        &starts,
    ];
    let reader = BlockReader::of(statement.columns());
    let rows = client.query(&statement, &params).await?;
    let block = |row| {
        reader
            .block(row)
            .map(|block| ((block.metric_type, block.seq, block.t_min()), block))
    };
    rows.iter().map(block).collect()
}

/// Parameter arrays of `extend_sessions.sql`.
#[derive(Default)]
struct ExtendColumns {
    session_id: Vec<Uuid>,
    user_id: Vec<Uuid>,
    points: Vec<i32>,
    t_min: Vec<Option<OffsetDateTime>>,
    t_max: Vec<Option<OffsetDateTime>>,
    metric_types: Vec<String>,
}

/// Parameter arrays of `insert_appends.sql`.
#[derive(Default)]
struct AppendColumns<'a> {
    session_id: Vec<Uuid>,
    user_id: Vec<Uuid>,
    digest: Vec<&'a [u8]>,
    key: Vec<Option<&'a str>>,
    total_points: Vec<i64>,
    version: Vec<i64>,
    created: Vec<bool>,
}

/// The statements that extend `session` and insert into `session_part`; `None` without appends.
pub(super) struct AppendRows<'a>(Option<(Statement, ExtendColumns, Statement, AppendColumns<'a>)>);

impl<'a> AppendRows<'a> {
    pub(super) async fn prepare(
        client: &Object,
        appends: &'a [AppendRow<'a>],
    ) -> Result<Self, PgError> {
        if appends.is_empty() {
            return Ok(Self(None));
        }
        let (mut sessions, mut rows) = (ExtendColumns::default(), AppendColumns::default());
        for append in appends {
            if !append.created {
                sessions.push(append.session);
            }
            rows.push(append);
        }
        let extend = client.prepare_cached(EXTEND_SESSIONS).await?;
        let insert = client.prepare_cached(INSERT_APPENDS).await?;
        Ok(Self(Some((extend, sessions, insert, rows))))
    }

    /// Sends both statements in one round trip.
    pub(super) async fn run(&self, client: &Object) -> Result<(), tokio_postgres::Error> {
        let Some((extend, s, insert, p)) = &self.0 else {
            return Ok(());
        };
        let sessions: [&(dyn ToSql + Sync); 6] = [
            &s.session_id,
            &s.user_id,
            &s.points,
            &s.t_min,
            &s.t_max,
            &s.metric_types,
        ];
        let appends: [&(dyn ToSql + Sync); 7] = [
            &p.session_id,
            &p.user_id,
            &p.digest,
            &p.key,
            &p.total_points,
            &p.version,
            &p.created,
        ];
        let extended = send(client.execute(extend, &sessions)).await?;
        let inserted = send(client.execute(insert, &appends)).await?;
        extended.await?;
        inserted.await?;
        Ok(())
    }
}

impl ExtendColumns {
    fn push(&mut self, session: &EncodedSession) {
        let span = session.span();
        self.session_id.push(session.session_id.0);
        self.user_id.push(session.user_id.0);
        self.points
            .push(i32::try_from(session.points).unwrap_or(i32::MAX));
        self.t_min.push(time(span.map(|s| s.0)));
        self.t_max.push(time(span.map(|s| s.1)));
        self.metric_types.push(metric_types(session));
    }
}

impl<'a> AppendColumns<'a> {
    fn push(&mut self, append: &AppendRow<'a>) {
        let number = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
        self.session_id.push(append.session.session_id.0);
        self.user_id.push(append.session.user_id.0);
        self.digest.push(append.session.points_digest.as_bytes());
        self.key.push(append.key.map(IdempotencyKey::as_str));
        self.total_points.push(number(append.total_points));
        self.version.push(number(append.version));
        self.created.push(append.created);
    }
}
