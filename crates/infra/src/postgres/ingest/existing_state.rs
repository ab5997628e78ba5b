//! Loads the rows that a batch conflicts with, under the user locks, and decides the outcome of
//! each write.

use std::collections::{BTreeSet, HashMap, HashSet};

use deadpool_postgres::Object;
use time::OffsetDateTime;
use time_series_domain::ingest::{
    AppendRecord, Digest, IdempotencyKey, StoredSession, WriteDecision, decide,
};
use time_series_domain::model::SessionExtent;
use time_series_domain::ports::{SessionWriteError, WriteError};
use time_series_domain::{SchemaVersion, SessionId, Timestamp, UserId};
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;
use uuid::Uuid;

use super::batch::{by_user, read_version};
use super::write_queue::QueuedWrite;
use crate::postgres::error::{PgError, corrupt};
use crate::postgres::metric_type::{read_schema_version, schema_columns};
use crate::postgres::pipeline::send;
use crate::postgres::session::StoredSpan;
use crate::postgres::transaction::Transaction;

const LOCK_USERS: &str = include_str!("lock_users.sql");
const SCHEMA_GENERATIONS: &str = include_str!("schema_generations.sql");
const STORED_SESSIONS: &str = include_str!("stored_sessions.sql");
const EARLIER_APPENDS: &str = include_str!("earlier_appends.sql");

/// The stored rows that a batch conflicts with, read under the user locks.
pub(super) struct ExistingState {
    /// The current schemas of the metric types of the batch.
    schemas: HashSet<SchemaVersion>,
    /// Metric types that are being changed.
    busy: Vec<i32>,
    /// The versions of the users before the first write of the batch.
    pub(super) versions: HashMap<UserId, u64>,
    sessions: HashMap<(UserId, SessionId), ExistingSession>,
    /// Earlier appends with the key or the points of a write.
    appends: HashMap<(UserId, SessionId), Vec<AppendRecord>>,
}

/// A stored session with the id of a write.
pub(super) struct ExistingSession {
    digest: Digest,
    start_ts: Option<Timestamp>,
    pub(super) points: u64,
    pub(super) span: StoredSpan,
}

/// Parameters of the statement that locks the users and the metric types of a batch.
pub(super) struct Locks {
    users: Vec<Uuid>,
    /// The increment of each user's version.
    by: Vec<i64>,
    metric_types: Vec<i32>,
    /// The schemas that validated the batch: metric types and their generations.
    schemas: (Vec<i32>, Vec<i64>),
}

impl Locks {
    pub(super) fn of(writes: &[QueuedWrite]) -> Self {
        let counts = by_user(writes.iter().map(|write| write.session.user_id));
        let (users, by) = counts.into_iter().unzip();
        let schemas: BTreeSet<SchemaVersion> = writes
            .iter()
            .flat_map(|write| &write.session.schemas)
            .copied()
            .collect();
        let mut metric_types: Vec<i32> =
            schemas.iter().map(|schema| schema.metric_type.0).collect();
        metric_types.dedup();
        Self {
            users,
            by,
            metric_types,
            schemas: schema_columns(schemas.into_iter()),
        }
    }

    pub(super) fn params(&self) -> [&(dyn ToSql + Sync); 3] {
        [&self.users, &self.by, &self.metric_types]
    }

    pub(super) fn schemas(&self) -> [&(dyn ToSql + Sync); 2] {
        [&self.schemas.0, &self.schemas.1]
    }
}

/// Returns the versions of the users before the first write, from the rows after the increments.
pub(super) fn versions_before(
    raised: &[Row],
    writes: &[QueuedWrite],
) -> Result<HashMap<UserId, u64>, PgError> {
    let mut versions = HashMap::with_capacity(raised.len());
    for row in raised {
        let user = row
            .try_get("user_id")
            .map_err(|e| corrupt("user_version", "user_id", e))?;
        versions.insert(UserId(user), read_version(row)?);
    }
    for write in writes {
        versions
            .entry(write.session.user_id)
            .and_modify(|version| *version -= 1);
    }
    Ok(versions)
}

/// Locks the users and the schemas until the commit, and loads the sessions with the ids of the
/// batch.
pub(super) async fn lock_and_load(
    transaction: &Transaction,
    writes: &[QueuedWrite],
) -> Result<ExistingState, PgError> {
    let locks = Locks::of(writes);
    let (ids, owners): (Vec<Uuid>, Vec<Uuid>) = writes
        .iter()
        .map(|write| (write.session.session_id.0, write.session.user_id.0))
        .unzip();
    let client: &Object = transaction;
    let lock = client.prepare_cached(LOCK_USERS).await?;
    let find = client.prepare_cached(STORED_SESSIONS).await?;
    let generations = client.prepare_cached(SCHEMA_GENERATIONS).await?;
    // READ COMMITTED: statements after the locks see the commits that the locks waited for.
    let find_params: [&(dyn ToSql + Sync); 2] = [&ids, &owners];
    let lock_params = locks.params();
    let metric_types: [&(dyn ToSql + Sync); 1] = [&locks.metric_types];
    let opened = send(transaction.open()).await?;
    let raised = send(client.query(&lock, &lock_params)).await?;
    let stored = send(client.query(&find, &find_params)).await?;
    let generations = send(client.query(&generations, &metric_types)).await?;
    let appends = send(load_earlier_appends(client, writes)).await?;
    opened.await?;
    let raised = raised.await?;
    let stored = stored.await?;
    let generations = generations.await?;
    let appends = appends.await?;
    let busy = raised.first().map(|row| {
        row.try_get("busy")
            .map_err(|e| corrupt("metric_type", "id", e))
    });
    Ok(ExistingState {
        schemas: generations
            .iter()
            .filter_map(|row| read_schema_version(row).transpose())
            .collect::<Result<_, _>>()?,
        busy: busy.transpose()?.unwrap_or_default(),
        versions: versions_before(&raised, writes)?,
        sessions: stored
            .iter()
            .map(ExistingSession::read)
            .collect::<Result<_, _>>()?,
        appends,
    })
}

/// Loads the earlier appends that the appends of the batch may repeat.
async fn load_earlier_appends(
    client: &Object,
    writes: &[QueuedWrite],
) -> Result<HashMap<(UserId, SessionId), Vec<AppendRecord>>, PgError> {
    let mut earlier: HashMap<_, Vec<AppendRecord>> = HashMap::new();
    let appends: Vec<&QueuedWrite> = writes
        .iter()
        .filter(|write| write.write.appends())
        .collect();
    if appends.is_empty() {
        return Ok(earlier);
    }
    let (ids, owners): (Vec<Uuid>, Vec<Uuid>) = appends
        .iter()
        .map(|write| (write.session.session_id.0, write.session.user_id.0))
        .unzip();
    let digests: Vec<&[u8]> = appends
        .iter()
        .map(|write| write.session.points_digest.as_bytes())
        .collect();
    let keys: Vec<Option<&str>> = appends
        .iter()
        .map(|write| write.write.key().map(IdempotencyKey::as_str))
        .collect();
    let statement = client.prepare_cached(EARLIER_APPENDS).await?;
    for row in client
        .query(&statement, &[&ids, &owners, &digests, &keys])
        .await?
    {
        earlier
            .entry(read_ids(&row, "session_part")?)
            .or_default()
            .push(read_append(&row)?);
    }
    Ok(earlier)
}

impl ExistingState {
    pub(super) fn session(&self, write: &QueuedWrite) -> Option<&ExistingSession> {
        self.sessions
            .get(&(write.session.user_id, write.session.session_id))
    }

    /// Decides the outcome of a write.
    pub(super) fn decide(&self, write: &QueuedWrite) -> Result<WriteDecision, SessionWriteError> {
        let session = &write.session;
        let mut schemas = session.schemas.iter();
        if schemas.any(|schema| self.busy.contains(&schema.metric_type.0)) {
            return Err(WriteError::MetricTypeBusy.into());
        }
        let mut schemas = session.schemas.iter();
        if !schemas.all(|schema| self.schemas.contains(schema)) {
            return Err(SessionWriteError::CatalogueChanged);
        }
        let appends = self.appends.get(&(session.user_id, session.session_id));
        let stored = self.session(write).map(|stored| StoredSession {
            digest: stored.digest,
            extent: SessionExtent {
                start_ts: stored.start_ts,
                span: stored.span.times(),
            },
            points: stored.points,
            appends: appends.map_or(&[][..], Vec::as_slice),
        });
        Ok(decide(&write.write, session, stored.as_ref())?)
    }
}

impl ExistingSession {
    fn read(row: &Row) -> Result<((UserId, SessionId), Self), PgError> {
        let start_ts: Option<OffsetDateTime> = row
            .try_get("start_ts")
            .map_err(|e| corrupt("session", "start_ts", e))?;
        let points: i32 = row
            .try_get("point_count")
            .map_err(|e| corrupt("session", "point_count", e))?;
        let stored = Self {
            digest: read_digest(row, "session")?,
            start_ts: start_ts.map(Timestamp::from),
            points: u64::try_from(points).map_err(|e| corrupt("session", "point_count", e))?,
            span: StoredSpan::read(row)?,
        };
        Ok((read_ids(row, "session")?, stored))
    }
}

fn read_append(row: &Row) -> Result<AppendRecord, PgError> {
    let number = |name| {
        let number: i64 = row
            .try_get(name)
            .map_err(|e| corrupt("session_part", name, e))?;
        u64::try_from(number).map_err(|e| corrupt("session_part", name, e))
    };
    let key: Option<&str> = row
        .try_get("idempotency_key")
        .map_err(|e| corrupt("session_part", "idempotency_key", e))?;
    let key = key.map(IdempotencyKey::parse).transpose();
    Ok(AppendRecord {
        points_digest: read_digest(row, "session_part")?,
        created: row
            .try_get("created")
            .map_err(|e| corrupt("session_part", "part_no", e))?,
        key: key.map_err(|e| corrupt("session_part", "idempotency_key", e))?,
        total_points: number("total_points")?,
        version: number("version")?,
    })
}

fn read_digest(row: &Row, table: &'static str) -> Result<Digest, PgError> {
    let digest: &[u8] = row
        .try_get("digest")
        .map_err(|e| corrupt(table, "digest", e))?;
    Digest::from_bytes(digest).ok_or_else(|| corrupt(table, "digest", "not 17 bytes"))
}

fn read_ids(row: &Row, table: &'static str) -> Result<(UserId, SessionId), PgError> {
    let id = |name| {
        row.try_get::<_, Uuid>(name)
            .map_err(|e| corrupt(table, name, e))
    };
    Ok((UserId(id("user_id")?), SessionId(id("session_id")?)))
}
