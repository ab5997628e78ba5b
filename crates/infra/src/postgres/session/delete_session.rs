//! Deletes sessions and recomputes the day summaries of their points.

use deadpool_postgres::Object;
use time::OffsetDateTime;
use time_series_domain::{MetricTypeId, SessionId, Timestamp, UserId};
use tokio_postgres::Row;

use crate::postgres::error::{PgError, corrupt};
use crate::postgres::ingest::{RAISE_VERSION, TouchedDays, read_version, recompute_days};
use crate::postgres::pool::Postgres;
use crate::postgres::transaction::Transaction;

const DELETE_BLOCKS: &str = include_str!("delete_blocks.sql");
const DELETE_SESSION: &str = include_str!("delete_session.sql");
const STORED_SESSION: &str = include_str!("../ingest/stored_session.sql");

/// The times and metric types of the blocks of a session, by which its partitions are found.
pub(in crate::postgres) struct StoredSpan {
    times: Option<(OffsetDateTime, OffsetDateTime)>,
    metric_types: Vec<i32>,
}

impl StoredSpan {
    /// The times of the first and last point.
    pub(in crate::postgres) fn times(&self) -> Option<(Timestamp, Timestamp)> {
        self.times
            .map(|(t_min, t_max)| (t_min.into(), t_max.into()))
    }

    pub(in crate::postgres) fn read(row: &Row) -> Result<Self, PgError> {
        let time = |name| {
            row.try_get::<_, Option<OffsetDateTime>>(name)
                .map_err(|e| corrupt("session", name, e))
        };
        Ok(Self {
            times: time("t_min")?.zip(time("t_max")?),
            metric_types: row
                .try_get("metric_types")
                .map_err(|e| corrupt("session", "metric_types", e))?,
        })
    }
}

impl Postgres {
    pub(in crate::postgres) async fn delete_session(
        &self,
        user: UserId,
        session: SessionId,
    ) -> Result<Option<u64>, PgError> {
        let client = self.connection("deleting a session").await?;
        let raise = client.prepare_cached(RAISE_VERSION).await?;
        let (transaction, row) = Transaction::begin_with(client, &raise, &[&user.0]).await?;
        let version = read_version(&row)?;
        let select = transaction.prepare_cached(STORED_SESSION).await?;
        let Some(stored) = transaction
            .query_opt(&select, &[&session.0, &user.0])
            .await?
        else {
            transaction.rollback().await?;
            return Ok(None);
        };
        delete_blocks(&transaction, user, session, &StoredSpan::read(&stored)?).await?;
        transaction.commit().await?;
        Ok(Some(version))
    }
}

/// Deletes the session and its blocks, and recomputes the day summaries of their days.
pub(in crate::postgres) async fn delete_blocks(
    client: &Object,
    user: UserId,
    session: SessionId,
    span: &StoredSpan,
) -> Result<(), PgError> {
    let delete_session = client.prepare_cached(DELETE_SESSION).await?;
    client
        .execute(&delete_session, &[&session.0, &user.0])
        .await?;
    let Some((t_min, t_max)) = span.times else {
        return Ok(());
    };
    let delete_blocks = client.prepare_cached(DELETE_BLOCKS).await?;
    let deleted = client
        .query(
            &delete_blocks,
            &[&user.0, &session.0, &span.metric_types, &t_min, &t_max],
        )
        .await?;
    let mut touched = TouchedDays::new();
    for row in deleted {
        let metric_type = row
            .try_get(0)
            .map_err(|e| corrupt("block", "metric_type_id", e))?;
        let t_min: OffsetDateTime = row.try_get(1).map_err(|e| corrupt("block", "t_min", e))?;
        touched.insert((MetricTypeId(metric_type), Timestamp::from(t_min).utc_day()));
    }
    recompute_days(client, user, &touched).await
}
