//! Writes the table `day_summary`: merges the summaries of new points, recomputes days after a
//! delete.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::pin::pin;

use deadpool_postgres::Object;
use futures_util::TryStreamExt;
use time::{Date, OffsetDateTime};
use time_series_domain::{ChannelId, MetricTypeId, Sample, Summary, UserId, UtcDay};
use tokio_postgres::types::ToSql;
use tokio_postgres::{Row, Statement};
use uuid::Uuid;

use crate::postgres::block_reader::BlockReader;
use crate::postgres::error::{PgError, corrupt};

const MERGE: &str = include_str!("merge_day_summaries.sql");
const DELETE: &str = include_str!("delete_day_summaries.sql");
const CHANNELS: &str = include_str!("channels.sql");
const BLOCKS_OF_DAYS: &str = include_str!("blocks_of_days.sql");

/// The days of metric types that lost points.
pub(in crate::postgres) type TouchedDays = BTreeSet<(MetricTypeId, UtcDay)>;

/// Summaries to be merged into the table, by its key.
pub(super) type AddedDays = BTreeMap<(UserId, ChannelId, UtcDay), Summary>;

/// The statement that merges summaries, and its parameters.
pub(super) struct Merge {
    statement: Statement,
    columns: Columns,
}

impl Merge {
    pub(super) async fn prepare(client: &Object, added: &AddedDays) -> Result<Self, PgError> {
        let mut columns = Columns::default();
        for (key, summary) in added {
            columns.push(*key, summary);
        }
        Ok(Self {
            statement: client.prepare_cached(MERGE).await?,
            columns,
        })
    }

    /// Merges the summaries into the stored ones.
    pub(super) async fn run(&self, client: &Object) -> Result<(), tokio_postgres::Error> {
        if !self.columns.user.is_empty() {
            client
                .execute(&self.statement, &self.columns.params())
                .await?;
        }
        Ok(())
    }
}

/// Recomputes the summaries of days from their remaining blocks.
pub(in crate::postgres) async fn recompute_days(
    client: &Object,
    user: UserId,
    touched: &TouchedDays,
) -> Result<(), PgError> {
    if touched.is_empty() {
        return Ok(());
    }
    let statement = client.prepare_cached(BLOCKS_OF_DAYS).await?;
    let reader = BlockReader::of(statement.columns());
    let channels = channels(client, touched).await?;
    let mut merged = AddedDays::new();
    for &(metric_type, day) in touched {
        let start = day.start().to_offset_date_time();
        let params: [&(dyn ToSql + Sync); 3] = [&user.0, &metric_type.0, &start];
        let mut rows = pin!(client.query_raw(&statement, params).await?);
        while let Some(row) = rows.try_next().await? {
            let summaries = match reader.summaries(&row)? {
                Some(summaries) => summaries,
                None => reader.block(&row)?.summarise(),
            };
            for (position, summary) in summaries.iter().enumerate().filter(|(_, s)| s.count() > 0) {
                let channel = channels.get(&(metric_type, position)).ok_or_else(|| {
                    corrupt(
                        "channel",
                        "position",
                        format!("metric type {} has no channel {position}", metric_type.0),
                    )
                })?;
                merged
                    .entry((user, *channel, day))
                    .or_default()
                    .merge(summary);
            }
        }
    }
    let (types, days): (Vec<i32>, Vec<Date>) =
        touched.iter().map(|(t, day)| (t.0, date(*day))).unzip();
    let delete = client.prepare_cached(DELETE).await?;
    client.execute(&delete, &[&user.0, &types, &days]).await?;
    Ok(Merge::prepare(client, &merged).await?.run(client).await?)
}

/// Returns the channels of metric types, by position.
async fn channels(
    client: &Object,
    touched: &TouchedDays,
) -> Result<HashMap<(MetricTypeId, usize), ChannelId>, PgError> {
    let statement = client.prepare_cached(CHANNELS).await?;
    let types: Vec<i32> = touched
        .iter()
        .map(|(metric_type, _)| metric_type.0)
        .collect();
    let rows = client.query(&statement, &[&types]).await?;
    let channel = |row: &Row| {
        let number = |name| {
            row.try_get::<_, i32>(name)
                .map_err(|e| corrupt("channel", name, e))
        };
        let position =
            usize::try_from(number("position")?).map_err(|e| corrupt("channel", "position", e))?;
        Ok((
            (MetricTypeId(number("metric_type_id")?), position),
            ChannelId(number("id")?),
        ))
    };
    rows.iter().map(channel).collect()
}

pub(in crate::postgres) fn date(day: UtcDay) -> Date {
    day.start().to_offset_date_time().date()
}

/// Parameter arrays of `merge_day_summaries.sql`.
#[derive(Default)]
struct Columns {
    user: Vec<Uuid>,
    channel: Vec<i32>,
    day: Vec<Date>,
    n: Vec<i64>,
    sum: Vec<f64>,
    m2: Vec<f64>,
    min: Vec<f64>,
    max: Vec<f64>,
    first_at: Vec<OffsetDateTime>,
    first: Vec<f64>,
    last_at: Vec<OffsetDateTime>,
    last: Vec<f64>,
}

impl Columns {
    fn push(&mut self, (user, channel, day): (UserId, ChannelId, UtcDay), summary: &Summary) {
        let (Some(min), Some(max), Some(first), Some(last)) = (
            summary.min(),
            summary.max(),
            summary.first(),
            summary.last(),
        ) else {
            // A day without a sample has no row.
            return;
        };
        let moments = summary.moments();
        let time = |sample: Sample| sample.time.to_offset_date_time();
        self.user.push(user.0);
        self.channel.push(channel.0);
        self.day.push(date(day));
        self.n.push(i64::try_from(moments.n).unwrap_or(i64::MAX));
        self.sum.push(moments.sum);
        self.m2.push(moments.m2);
        self.min.push(min);
        self.max.push(max);
        self.first_at.push(time(first));
        self.first.push(first.value);
        self.last_at.push(time(last));
        self.last.push(last.value);
    }

    fn params(&self) -> [&(dyn ToSql + Sync); 12] {
        [
            &self.user,
            &self.channel,
            &self.day,
            &self.n,
            &self.sum,
            &self.m2,
            &self.min,
            &self.max,
            &self.first_at,
            &self.first,
            &self.last_at,
            &self.last,
        ]
    }
}
