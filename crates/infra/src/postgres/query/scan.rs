//! Scans of one snapshot: the data version, merged day summaries and blocks.

use std::ops::Range;
use std::pin::pin;

use deadpool_postgres::Object;
use futures_util::TryStreamExt;
use time::{Date, OffsetDateTime};
use time_series_domain::ports::{
    Arrays, BlockScan, DataVersion, DayScan, LeafCondition, ScanRequest, ScanSink, SummaryParts,
};
use time_series_domain::summary::Moments;
use time_series_domain::{ChannelId, Sample, SessionId, Summary, Timestamp, UserId};
use tokio_postgres::types::{FromSql, ToSql};
use tokio_postgres::{Row, Statement};
use uuid::Uuid;

use crate::postgres::error::{PgError, corrupt};
use crate::postgres::ingest::{date, read_version};
use crate::postgres::pipeline::send;
use crate::postgres::pool::Postgres;
use crate::postgres::transaction::Transaction;

use super::presence::present;
use super::scanned_reader::ScannedReader;
use super::statements::{
    BLOCKS_IN_ONE_SCAN, BLOCKS_OF_MANY_RANGES, BLOCKS_OF_RANGE, FILTERED_BLOCKS,
};

const SESSION_SPAN: &str = include_str!("session_span.sql");
pub(super) const DATA_VERSION: &str = include_str!("data_version.sql");
const DAYS_BASIC: &str = include_str!("days_basic.sql");
const DAYS_FULL: &str = include_str!("days_full.sql");
const SESSION_STARTS: &str = include_str!("session_starts.sql");

/// Maximum ranges that are read with one statement each. Planning more of them costs more than it
/// saves.
const FEW_RANGES: usize = 8;

impl Postgres {
    pub(super) async fn read_data_version(&self, users: &[UserId]) -> Result<DataVersion, PgError> {
        let client = self.connection("reading a version").await?;
        let statement = client.prepare_cached(DATA_VERSION).await?;
        data_version_of_row(&client.query_one(&statement, &[&uuids(users)]).await?)
    }

    pub(super) async fn scan_snapshot(
        &self,
        request: &ScanRequest,
        sink: &mut dyn ScanSink,
    ) -> Result<DataVersion, PgError> {
        let is_hypertable = self.chunks().await?.is_some();
        let client = self.connection("scanning for an aggregate").await?;
        let data_version = client.prepare_cached(DATA_VERSION).await?;
        let days = match &request.days {
            Some(days) => Some((
                client.prepare_cached(days_statement(days)).await?,
                DayParams::new(days),
            )),
            None => None,
        };
        let users = uuids(&request.users);
        let (snapshot, data_version, rows) =
            begin(client, &data_version, &users, days.as_ref()).await?;
        if let Err(e) = self
            .check_view(&snapshot, data_version, &request.users, &request.view)
            .await
        {
            snapshot.rollback().await?;
            return Err(e);
        }
        for row in &rows {
            read_days(row, request.days.as_ref(), sink)?;
        }
        let span = match request.session_id {
            Some(session) => session_span(&snapshot, &users, session).await?,
            None => Some((Timestamp::MIN, Timestamp::MAX)),
        };
        if let Some(range) = request.starts.as_ref().filter(|_| span.is_some()) {
            send_starts(&snapshot, request, &users, range, sink).await?;
        }
        if let Some(span) = span {
            for scan in &request.blocks {
                read_blocks(&snapshot, request, &within(scan, span), is_hypertable, sink).await?;
            }
        }
        if !request.presence.metric_types.is_empty() {
            sink.present(
                present(
                    &snapshot,
                    &request.users,
                    request.session_id,
                    &request.presence,
                )
                .await?,
            );
        }
        snapshot.commit().await?;
        Ok(data_version)
    }
}

/// Returns the time span of a session's points, outside of which it has no blocks.
pub(super) async fn session_span(
    client: &Object,
    users: &[Uuid],
    session: SessionId,
) -> Result<Option<(Timestamp, Timestamp)>, PgError> {
    let statement = client.prepare_cached(SESSION_SPAN).await?;
    let row = client.query_one(&statement, &[&session.0, &users]).await?;
    let time = |name: &'static str| {
        let time: Option<OffsetDateTime> =
            row.try_get(name).map_err(|e| corrupt("session", name, e))?;
        Ok::<_, PgError>(time.map(Timestamp::from))
    };
    Ok(time("t_min")?.zip(time("t_max")?))
}

async fn send_starts(
    client: &Object,
    request: &ScanRequest,
    users: &[Uuid],
    range: &Range<Timestamp>,
    sink: &mut dyn ScanSink,
) -> Result<(), PgError> {
    let statement = client.prepare_cached(SESSION_STARTS).await?;
    let (start, end) = (
        range.start.to_offset_date_time(),
        range.end.to_offset_date_time(),
    );
    let session = request.session_id.map(|s| s.0);
    let params: [&(dyn ToSql + Sync); 4] = [&users, &session, &start, &end];
    let mut rows = pin!(client.query_raw(&statement, params).await?);
    while let Some(row) = rows.try_next().await? {
        let column = |name| move |e| corrupt("session", name, e);
        let user = UserId(row.try_get("user_id").map_err(column("user_id"))?);
        let session = SessionId(row.try_get("session_id").map_err(column("session_id"))?);
        let start: OffsetDateTime = row.try_get("start").map_err(column("t_min"))?;
        sink.session(user, session, start.into())?;
    }
    Ok(())
}

fn uuids(users: &[UserId]) -> Vec<Uuid> {
    users.iter().map(|u| u.0).collect()
}

/// Returns the scan with its ranges clipped to a time span, whose end is inclusive.
fn within(scan: &BlockScan, (first, last): (Timestamp, Timestamp)) -> BlockScan {
    let clip = |s: &Range<Timestamp>| s.start.max(first)..s.end.min(last.plus_micros(1));
    let ranges = scan
        .ranges
        .iter()
        .map(clip)
        .filter(|s| !s.is_empty())
        .collect();
    BlockScan {
        ranges,
        ..scan.clone()
    }
}

/// Begins the snapshot and reads its data version and day summaries in one round trip.
async fn begin(
    client: Object,
    data_version: &Statement,
    users: &[Uuid],
    days: Option<&(Statement, DayParams)>,
) -> Result<(Transaction, DataVersion, Vec<Row>), PgError> {
    let snapshot = Transaction::unopened(client);
    let read_days = async {
        match days {
            Some((statement, days)) => snapshot.query(statement, &days.params(&users)).await,
            None => Ok(Vec::new()),
        }
    };
    let of_users: [&(dyn ToSql + Sync); 1] = [&users];
    let opened = send(snapshot.open_snapshot()).await?;
    let data_version = send(snapshot.query_one(data_version, &of_users)).await?;
    let rows = send(read_days).await?;
    opened.await?;
    let (data_version, rows) = (data_version_of_row(&data_version.await?)?, rows.await?);
    Ok((snapshot, data_version, rows))
}

pub(super) fn data_version_of_row(row: &Row) -> Result<DataVersion, PgError> {
    let generation: i64 = row
        .try_get("generation")
        .map_err(|e| corrupt("catalogue", "generation", e))?;
    Ok(DataVersion {
        version: read_version(row)?,
        generation: u64::try_from(generation).map_err(|e| corrupt("catalogue", "generation", e))?,
    })
}

const fn days_statement(days: &DayScan) -> &'static str {
    match days.parts {
        SummaryParts::Basic => DAYS_BASIC,
        SummaryParts::Full => DAYS_FULL,
    }
}

/// The parameters of a scan of day summaries.
struct DayParams {
    channels: Vec<i32>,
    first: Option<Date>,
    end: Option<Date>,
    bounds: Vec<Date>,
    by_user: bool,
}

impl DayParams {
    fn new(scan: &DayScan) -> Self {
        let bounds: Vec<Date> = scan
            .windows
            .iter()
            .flat_map(|w| [date(w.days.start), date(w.days.end)])
            .collect();
        Self {
            channels: scan.channels.iter().map(|c| c.0).collect(),
            first: bounds.first().copied(),
            end: bounds.last().copied(),
            bounds,
            by_user: scan.by_user,
        }
    }

    fn params<'a>(&'a self, users: &'a &[Uuid]) -> [&'a (dyn ToSql + Sync); 6] {
        [
            users,
            &self.channels,
            &self.first,
            &self.end,
            &self.bounds,
            &self.by_user,
        ]
    }
}

fn read_days(row: &Row, scan: Option<&DayScan>, sink: &mut dyn ScanSink) -> Result<(), PgError> {
    let moments = Moments {
        n: u64::try_from(day_column::<i64>(row, "n")?).unwrap_or(0),
        sum: day_column(row, "sum")?,
        m2: 0.0,
    };
    let (min, max): (f64, f64) = (day_column(row, "min")?, day_column(row, "max")?);
    let summary = if scan.is_some_and(|s| s.parts == SummaryParts::Full) {
        let sample = |at: &'static str, value: &'static str| -> Result<Sample, PgError> {
            Ok(Sample {
                time: day_column::<OffsetDateTime>(row, at)?.into(),
                value: day_column(row, value)?,
            })
        };
        let moments = Moments {
            m2: day_column(row, "m2")?,
            ..moments
        };
        Summary::from_parts(
            moments,
            min,
            max,
            sample("first_at", "first")?,
            sample("last_at", "last")?,
        )
    } else {
        let absent = Sample {
            time: Timestamp::EPOCH,
            value: 0.0,
        };
        Summary::from_parts(moments, min, max, absent, absent)
    };
    let slot: i32 = day_column(row, "slot")?;
    // Slots 1, 3, 5, … are the windows 0, 1, 2, ….
    let window = usize::try_from(slot / 2).map_err(|e| corrupt("day_summary", "day", e))?;
    let user: Option<Uuid> = day_column(row, "one_user")?;
    sink.days(
        user.map(UserId),
        ChannelId(day_column(row, "channel_id")?),
        window,
        summary,
    )?;
    Ok(())
}

fn day_column<'r, T: FromSql<'r>>(row: &'r Row, name: &'static str) -> Result<T, PgError> {
    row.try_get(name)
        .map_err(|e| corrupt("day_summary", name, e))
}

async fn read_blocks(
    client: &Object,
    request: &ScanRequest,
    scan: &BlockScan,
    is_hypertable: bool,
    sink: &mut dyn ScanSink,
) -> Result<(), PgError> {
    let (always, edges) = match &scan.arrays {
        Arrays::Always => (true, vec![OffsetDateTime::UNIX_EPOCH]),
        Arrays::WhereCut(edges) => (
            false,
            edges.iter().map(|e| e.to_offset_date_time()).collect(),
        ),
    };
    let types: Vec<i32> = scan.metric_types.iter().map(|t| t.0).collect();
    let session = request.session_id.map(|s| s.0);
    let users = uuids(&request.users);
    let common: [&(dyn ToSql + Sync); 6] =
        [&users, &types, &session, &edges, &scan.remainder, &always];
    let at = Timestamp::to_offset_date_time;
    let day_start = |t: Timestamp| at(t.utc_day().start());
    let starts: Vec<OffsetDateTime> = scan.ranges.iter().map(|s| at(s.start)).collect();
    let ends: Vec<OffsetDateTime> = scan.ranges.iter().map(|s| at(s.end)).collect();
    let day_starts: Vec<OffsetDateTime> = scan.ranges.iter().map(|s| day_start(s.start)).collect();
    let filter = FilterParams::new(scan.conditions.iter());
    if !scan.conditions.is_empty() {
        let statement = client.prepare_cached(FILTERED_BLOCKS).await?;
        for ((start, end), day_start) in starts.iter().zip(&ends).zip(&day_starts) {
            let mut params = common.to_vec();
            params.extend([start as &(dyn ToSql + Sync), end, day_start]);
            params.extend(filter.params());
            feed(client, &statement, &params, sink).await?;
        }
    } else if scan.ranges.len() <= FEW_RANGES {
        let statement = client.prepare_cached(BLOCKS_OF_RANGE).await?;
        for ((start, end), day_start) in starts.iter().zip(&ends).zip(&day_starts) {
            let mut params = common.to_vec();
            params.extend([start as &(dyn ToSql + Sync), end, day_start]);
            feed(client, &statement, &params, sink).await?;
        }
    } else if is_hypertable {
        let statement = client.prepare_cached(BLOCKS_IN_ONE_SCAN).await?;
        let bounds: Vec<OffsetDateTime> = day_starts
            .iter()
            .zip(&ends)
            .flat_map(|(s, e)| [*s, *e])
            .collect();
        let mut params = common.to_vec();
        let (first, last) = (day_starts.first(), ends.last());
        let start = starts.first();
        params.extend([&first as &(dyn ToSql + Sync), &last, &bounds, &start]);
        feed(client, &statement, &params, sink).await?;
    } else {
        let statement = client.prepare_cached(BLOCKS_OF_MANY_RANGES).await?;
        let mut params = common.to_vec();
        params.extend([&starts as &(dyn ToSql + Sync), &ends, &day_starts]);
        feed(client, &statement, &params, sink).await?;
    }
    Ok(())
}

/// Conditions as parameters of a statement: one array per field.
pub(super) struct FilterParams {
    channels: Vec<i32>,
    least: Vec<f64>,
    greatest: Vec<f64>,
    outside: Vec<bool>,
}

impl FilterParams {
    pub(super) fn new<'a>(conditions: impl Iterator<Item = &'a LeafCondition>) -> Self {
        let conditions: Vec<_> = conditions.collect();
        let conditions = || conditions.iter();
        Self {
            channels: conditions()
                .map(|c| i32::try_from(c.channel).unwrap_or(i32::MAX))
                .collect(),
            least: conditions().map(|c| c.least).collect(),
            greatest: conditions().map(|c| c.greatest).collect(),
            outside: conditions().map(|c| c.outside).collect(),
        }
    }

    pub(super) fn params(&self) -> [&(dyn ToSql + Sync); 4] {
        [&self.channels, &self.least, &self.greatest, &self.outside]
    }
}

async fn feed(
    client: &Object,
    statement: &Statement,
    params: &[&(dyn ToSql + Sync)],
    sink: &mut dyn ScanSink,
) -> Result<(), PgError> {
    let reader = ScannedReader::of(statement);
    let mut rows = pin!(client.query_raw(statement, params.iter().copied()).await?);
    while let Some(row) = rows.try_next().await? {
        sink.block(reader.read(&row)?)?;
    }
    Ok(())
}
