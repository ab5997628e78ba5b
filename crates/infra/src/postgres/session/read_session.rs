//! Reads session records: one or a page.

use std::collections::BTreeMap;

use deadpool_postgres::Object;
use time::OffsetDateTime;
use time_series_domain::model::SeriesPoints;
use time_series_domain::{
    MetricTypeId, SessionId, SessionPage, SessionPosition, SessionRecord, Timestamp, UserId,
};
use tokio_postgres::Row;
use tokio_postgres::types::FromSql;
use uuid::Uuid;

use crate::postgres::error::{PgError, corrupt};
use crate::postgres::ingest::read_version;
use crate::postgres::pool::Postgres;
use crate::postgres::transaction::Transaction;

const GET: &str = include_str!("get_session.sql");
const OWNERS: &str = include_str!("session_owners.sql");
const LIST: &str = include_str!("list_sessions.sql");
const SERIES_POINTS: &str = include_str!("series_points.sql");
const USER_VERSION: &str = include_str!("user_version.sql");

impl Postgres {
    pub(in crate::postgres) async fn read_session(
        &self,
        user: UserId,
        session: SessionId,
    ) -> Result<Option<(SessionRecord, u64)>, PgError> {
        let snapshot =
            Transaction::begin_snapshot(self.connection("reading a session").await?).await?;
        let get = snapshot.prepare_cached(GET).await?;
        let rows = snapshot.query(&get, &[&session.0, &user.0]).await?;
        let records = read_records(&snapshot, user, &rows).await?;
        let version = user_version(&snapshot, user).await?;
        snapshot.commit().await?;
        Ok(records.into_iter().next().map(|record| (record, version)))
    }

    pub(in crate::postgres) async fn session_owners(
        &self,
        session: SessionId,
    ) -> Result<Vec<UserId>, PgError> {
        let client = self.connection("looking for a session").await?;
        let owners = client.prepare_cached(OWNERS).await?;
        let rows = client.query(&owners, &[&session.0]).await?;
        rows.iter()
            .map(|row| column(row, "user_id").map(UserId))
            .collect()
    }

    pub(in crate::postgres) async fn list_sessions(
        &self,
        user: UserId,
        after: Option<SessionPosition>,
        limit: usize,
    ) -> Result<SessionPage, PgError> {
        let snapshot =
            Transaction::begin_snapshot(self.connection("listing sessions").await?).await?;
        let select = snapshot.prepare_cached(LIST).await?;
        // Before the first session: later than any start.
        let (start_ts, session_id) = match after {
            Some(after) => (after.start_ts, after.session_id.0),
            None => (Some(Timestamp::MAX), Uuid::max()),
        };
        let start_ts = start_ts.map(Timestamp::to_offset_date_time);
        let one_more = i64::try_from(limit + 1).unwrap_or(i64::MAX);
        let rows = snapshot
            .query(&select, &[&user.0, &start_ts, &session_id, &one_more])
            .await?;
        let sessions = read_records(&snapshot, user, &rows[..rows.len().min(limit)]).await?;
        let version = user_version(&snapshot, user).await?;
        snapshot.commit().await?;
        let last = sessions.last().map(|s| SessionPosition {
            start_ts: s.start_ts,
            session_id: s.session_id,
        });
        Ok(SessionPage {
            next: last.filter(|_| rows.len() > limit),
            sessions,
            version,
        })
    }
}

async fn user_version(client: &Object, user: UserId) -> Result<u64, PgError> {
    let statement = client.prepare_cached(USER_VERSION).await?;
    let row = client.query_opt(&statement, &[&user.0]).await?;
    row.map_or(Ok(0), |row| read_version(&row))
}

async fn read_records(
    client: &Object,
    user: UserId,
    rows: &[Row],
) -> Result<Vec<SessionRecord>, PgError> {
    let mut records: Vec<SessionRecord> = rows.iter().map(read_record).collect::<Result<_, _>>()?;
    let spans = || records.iter().filter_map(|r| r.span);
    let (Some(first), Some(last)) = (spans().map(|s| s.0).min(), spans().map(|s| s.1).max()) else {
        return Ok(records);
    };
    let mut types: Vec<i32> = Vec::new();
    for row in rows {
        types.extend(column::<Vec<i32>>(row, "metric_types")?);
    }
    types.sort_unstable();
    types.dedup();
    let ids: Vec<Uuid> = records.iter().map(|r| r.session_id.0).collect();
    let statement = client.prepare_cached(SERIES_POINTS).await?;
    let (first, last) = (first.to_offset_date_time(), last.to_offset_date_time());
    let counted = client
        .query(&statement, &[&user.0, &types, &first, &last, &ids])
        .await?;
    let mut series: BTreeMap<Uuid, Vec<SeriesPoints>> = BTreeMap::new();
    for row in &counted {
        let points: i64 = column(row, "points")?;
        series
            .entry(column(row, "session_id")?)
            .or_default()
            .push(SeriesPoints {
                metric_type: MetricTypeId(column(row, "metric_type_id")?),
                points: u64::try_from(points).unwrap_or(0),
            });
    }
    for record in &mut records {
        record.series = series.remove(&record.session_id.0).unwrap_or_default();
    }
    Ok(records)
}

fn read_record(row: &Row) -> Result<SessionRecord, PgError> {
    let time = |name| column::<Option<OffsetDateTime>>(row, name).map(|t| t.map(Timestamp::from));
    Ok(SessionRecord {
        user_id: UserId(column(row, "user_id")?),
        session_id: SessionId(column(row, "session_id")?),
        start_ts: time("start_ts")?,
        points: u64::try_from(column::<i32>(row, "point_count")?).unwrap_or(0),
        span: time("t_min")?.zip(time("t_max")?),
        series: Vec::new(),
        created_at: column::<OffsetDateTime>(row, "created_at")?.into(),
    })
}

fn column<'r, T: FromSql<'r>>(row: &'r Row, name: &'static str) -> Result<T, PgError> {
    row.try_get(name).map_err(|e| corrupt("session", name, e))
}
