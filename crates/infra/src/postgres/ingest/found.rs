//! What is there once the users of a group are locked, and what therefore becomes of each session.

use std::collections::{BTreeSet, HashMap, HashSet};

use deadpool_postgres::Object;
use time::OffsetDateTime;
use time_series_domain::ingest::{
    Digest, IdempotencyKey, StoredPart, StoredSession, WriteDecision, decide,
};
use time_series_domain::ports::StoreError;
use time_series_domain::session::SessionExtent;
use time_series_domain::{SchemaVersion, SessionId, Timestamp, UserId};
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;
use uuid::Uuid;

use super::store_group::{by_user, read_version};
use super::turns::Pending;
use crate::postgres::error::{PgError, unreadable};
use crate::postgres::metric_type::{read_schema_version, schema_columns};
use crate::postgres::pipeline::send;
use crate::postgres::session::StoredSpan;
use crate::postgres::transaction::Transaction;

const LOCK_USERS: &str = include_str!("lock_users.sql");
const SCHEMA_GENERATIONS: &str = include_str!("schema_generations.sql");
const STORED_SESSIONS: &str = include_str!("stored_sessions.sql");
const STORED_PARTS: &str = include_str!("stored_parts.sql");

/// What is there.
pub(super) struct Found {
    /// The schemas of the group's metric types.
    schemas: HashSet<SchemaVersion>,
    /// Metric types that are being changed right now.
    busy: Vec<i32>,
    /// The users' versions before the first session of the group.
    pub(super) versions: HashMap<UserId, u64>,
    sessions: HashMap<(UserId, SessionId), StoredAs>,
    /// Parts that may be those that are appended.
    parts: HashMap<(UserId, SessionId), Vec<StoredPart>>,
}

/// What is known of the session that has the id already.
pub(super) struct StoredAs {
    digest: Digest,
    start_ts: Option<Timestamp>,
    pub(super) points: u64,
    pub(super) span: StoredSpan,
}

/// Whom and what the first statement of a group locks.
pub(super) struct Locks {
    users: Vec<Uuid>,
    /// How much each user's version is raised.
    by: Vec<i64>,
    metric_types: Vec<i32>,
    /// The schemas that the group was checked against: metric types, and a generation for each.
    schemas: (Vec<i32>, Vec<i64>),
}

impl Locks {
    pub(super) fn of(group: &[Pending]) -> Self {
        let counts = by_user(group.iter().map(|p| p.session.user_id));
        let (users, by) = counts.into_iter().unzip();
        let schemas: BTreeSet<SchemaVersion> = group
            .iter()
            .flat_map(|p| &p.session.schemas)
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

/// The users' versions before the first session of the group, from what raised them by one for each.
pub(super) fn versions_before(
    raised: &[Row],
    group: &[Pending],
) -> Result<HashMap<UserId, u64>, PgError> {
    let mut versions = HashMap::with_capacity(raised.len());
    for row in raised {
        let user = row
            .try_get("user_id")
            .map_err(|e| unreadable("user_version", "user_id", e))?;
        versions.insert(UserId(user), read_version(row)?);
    }
    for pending in group {
        versions
            .entry(pending.session.user_id)
            .and_modify(|version| *version -= 1);
    }
    Ok(versions)
}

/// Locks the users, keeps the schemas as they are until the commit, and finds the sessions of those ids.
pub(super) async fn lock_and_look(
    transaction: &Transaction,
    group: &[Pending],
) -> Result<Found, PgError> {
    let locks = Locks::of(group);
    let (ids, owners): (Vec<Uuid>, Vec<Uuid>) = group
        .iter()
        .map(|p| (p.session.session_id.0, p.session.user_id.0))
        .unzip();
    let client: &Object = transaction;
    let (lock, find) = (
        client.prepare_cached(LOCK_USERS).await?,
        client.prepare_cached(STORED_SESSIONS).await?,
    );
    let generations = client.prepare_cached(SCHEMA_GENERATIONS).await?;
    // READ COMMITTED: the locks come first, what follows sees what they waited for.
    let find_params: [&(dyn ToSql + Sync); 2] = [&ids, &owners];
    let lock_params = locks.params();
    let metric_types: [&(dyn ToSql + Sync); 1] = [&locks.metric_types];
    let opened = send(transaction.open()).await?;
    let raised = send(client.query(&lock, &lock_params)).await?;
    let stored = send(client.query(&find, &find_params)).await?;
    let generations = send(client.query(&generations, &metric_types)).await?;
    let parts = send(look_for_parts(client, group)).await?;
    opened.await?;
    let (raised, stored, generations, parts) = (
        raised.await?,
        stored.await?,
        generations.await?,
        parts.await?,
    );
    let busy = raised.first().map(|row| {
        row.try_get("busy")
            .map_err(|e| unreadable("metric_type", "id", e))
    });
    Ok(Found {
        schemas: generations
            .iter()
            .filter_map(|row| read_schema_version(row).transpose())
            .collect::<Result<_, _>>()?,
        busy: busy.transpose()?.unwrap_or_default(),
        versions: versions_before(&raised, group)?,
        sessions: stored
            .iter()
            .map(StoredAs::read)
            .collect::<Result<_, _>>()?,
        parts,
    })
}

/// The parts that those which are appended may repeat; asks only if there are any.
async fn look_for_parts(
    client: &Object,
    group: &[Pending],
) -> Result<HashMap<(UserId, SessionId), Vec<StoredPart>>, PgError> {
    let mut parts: HashMap<_, Vec<StoredPart>> = HashMap::new();
    let appends: Vec<&Pending> = group
        .iter()
        .filter(|pending| pending.write.appends())
        .collect();
    if appends.is_empty() {
        return Ok(parts);
    }
    let (ids, owners): (Vec<Uuid>, Vec<Uuid>) = appends
        .iter()
        .map(|p| (p.session.session_id.0, p.session.user_id.0))
        .unzip();
    let digests: Vec<&[u8]> = appends
        .iter()
        .map(|p| p.session.points_digest.as_bytes())
        .collect();
    let keys: Vec<Option<&str>> = appends
        .iter()
        .map(|p| p.write.key().map(IdempotencyKey::as_str))
        .collect();
    let statement = client.prepare_cached(STORED_PARTS).await?;
    for row in client
        .query(&statement, &[&ids, &owners, &digests, &keys])
        .await?
    {
        parts
            .entry(read_ids(&row, "session_part")?)
            .or_default()
            .push(read_part(&row)?);
    }
    Ok(parts)
}

impl Found {
    pub(super) fn session(&self, pending: &Pending) -> Option<&StoredAs> {
        self.sessions
            .get(&(pending.session.user_id, pending.session.session_id))
    }

    /// Decides what becomes of a write.
    pub(super) fn decide(&self, pending: &Pending) -> Result<WriteDecision, StoreError> {
        let session = &pending.session;
        if session
            .schemas
            .iter()
            .any(|schema| self.busy.contains(&schema.metric_type.0))
        {
            return Err(StoreError::MetricTypeBusy);
        }
        if !session
            .schemas
            .iter()
            .all(|schema| self.schemas.contains(schema))
        {
            return Err(StoreError::CatalogueChanged);
        }
        let parts = self
            .parts
            .get(&(session.user_id, session.session_id))
            .map_or(&[][..], Vec::as_slice);
        let stored = self.session(pending).map(|stored| StoredSession {
            digest: stored.digest,
            extent: SessionExtent {
                start_ts: stored.start_ts,
                span: stored.span.times(),
            },
            points: stored.points,
            parts,
        });
        decide(&pending.write, session, stored.as_ref())
    }
}

impl StoredAs {
    fn read(row: &Row) -> Result<((UserId, SessionId), Self), PgError> {
        let start_ts: Option<OffsetDateTime> = row
            .try_get("start_ts")
            .map_err(|e| unreadable("session", "start_ts", e))?;
        let points: i32 = row
            .try_get("point_count")
            .map_err(|e| unreadable("session", "point_count", e))?;
        let stored = Self {
            digest: read_digest(row, "session")?,
            start_ts: start_ts.map(Timestamp::from),
            points: u64::try_from(points).map_err(|e| unreadable("session", "point_count", e))?,
            span: StoredSpan::read(row)?,
        };
        Ok((read_ids(row, "session")?, stored))
    }
}

fn read_part(row: &Row) -> Result<StoredPart, PgError> {
    let number = |name| {
        let number: i64 = row
            .try_get(name)
            .map_err(|e| unreadable("session_part", name, e))?;
        u64::try_from(number).map_err(|e| unreadable("session_part", name, e))
    };
    let key: Option<&str> = row
        .try_get("idempotency_key")
        .map_err(|e| unreadable("session_part", "idempotency_key", e))?;
    let key = key.map(IdempotencyKey::parse).transpose();
    Ok(StoredPart {
        points_digest: read_digest(row, "session_part")?,
        created: row
            .try_get("created")
            .map_err(|e| unreadable("session_part", "part_no", e))?,
        key: key.map_err(|e| unreadable("session_part", "idempotency_key", e))?,
        total_points: number("total_points")?,
        version: number("version")?,
    })
}

fn read_digest(row: &Row, table: &'static str) -> Result<Digest, PgError> {
    let digest: &[u8] = row
        .try_get("digest")
        .map_err(|e| unreadable(table, "digest", e))?;
    Digest::from_bytes(digest).ok_or_else(|| unreadable(table, "digest", "not 17 bytes"))
}

fn read_ids(row: &Row, table: &'static str) -> Result<(UserId, SessionId), PgError> {
    let id = |name| {
        row.try_get::<_, Uuid>(name)
            .map_err(|e| unreadable(table, name, e))
    };
    Ok((UserId(id("user_id")?), SessionId(id("session_id")?)))
}
