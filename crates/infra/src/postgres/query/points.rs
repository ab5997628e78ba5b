//! Raw points: blocks in order of time, last blocks and extents of series.

use std::ops::Range;
use std::pin::pin;

use async_trait::async_trait;
use futures_util::TryStreamExt;
use time::OffsetDateTime;
use time_series_domain::ports::{
    BlockSink, CatalogueView, DataVersion, Order, PointScan, PointStore, ScannedBlock,
    SeriesExtent, StoreError,
};
use time_series_domain::{MetricTypeId, Timestamp, UserId, UtcDay};
use tokio_postgres::types::ToSql;

use super::presence::present;
use super::scan::{DATA_VERSION, FilterParams, data_version_of_row, session_span};
use super::scanned_reader::ScannedReader;
use crate::postgres::error::{PgError, corrupt};
use crate::postgres::pool::Postgres;
use crate::postgres::transaction::Transaction;

const BLOCKS: &str = include_str!("blocks_in_order.sql");
const NEXT: &str = include_str!("next_block.sql");
const PREVIOUS: &str = include_str!("previous_block.sql");
const LAST_BLOCKS: &str = include_str!("last_blocks.sql");
const EXTENTS: &str = include_str!("extents.sql");

/// Minimum blocks of a window. The window after one with fewer is twice as long, the one after a
/// window with more than `MANY_BLOCKS` half as long.
const FEW_BLOCKS: usize = 256;
/// Maximum blocks of a window, see `FEW_BLOCKS`.
const MANY_BLOCKS: usize = 4_096;
/// Maximum days of a window.
const LONGEST_WINDOW: i64 = 512;

#[async_trait]
impl PointStore for Postgres {
    async fn scan_in_order(
        &self,
        scan: &PointScan,
        sink: &mut dyn BlockSink,
    ) -> Result<(), StoreError> {
        let operation = "reading points";
        self.scan_windows(scan, sink)
            .await
            .map_err(|e| e.into_store_error(operation))
    }

    async fn last_blocks(
        &self,
        user: UserId,
        series: &[MetricTypeId],
        view: &CatalogueView,
    ) -> Result<(DataVersion, Vec<ScannedBlock>), StoreError> {
        self.run("reading the latest points", || {
            self.read_last_blocks(user, series, view)
        })
        .await
    }

    async fn extents(
        &self,
        user: UserId,
        series: &[MetricTypeId],
        range: Range<Timestamp>,
        view: &CatalogueView,
    ) -> Result<(DataVersion, Vec<SeriesExtent>), StoreError> {
        self.run("reading the extents of series", || {
            self.read_extents(user, series, &range, view)
        })
        .await
    }
}

impl Postgres {
    /// Begins a snapshot in which a view of the metric types holds.
    async fn snapshot(
        &self,
        user: UserId,
        view: &CatalogueView,
    ) -> Result<(Transaction, DataVersion), PgError> {
        let snapshot =
            Transaction::begin_snapshot(self.connection("reading points").await?).await?;
        let data_version = snapshot.prepare_cached(DATA_VERSION).await?;
        let row = snapshot.query_one(&data_version, &[&vec![user.0]]).await?;
        let data_version = data_version_of_row(&row)?;
        if let Err(e) = self
            .check_view(&snapshot, data_version, &[user], view)
            .await
        {
            snapshot.rollback().await?;
            return Err(e);
        }
        Ok((snapshot, data_version))
    }

    async fn scan_windows(
        &self,
        scan: &PointScan,
        sink: &mut dyn BlockSink,
    ) -> Result<(), PgError> {
        let (snapshot, data_version) = self.snapshot(scan.user_id, &scan.view).await?;
        let present = present(&snapshot, &[scan.user_id], scan.session_id, &scan.presence).await?;
        sink.begin(data_version, present).await?;
        let mut windows = Windows {
            scan,
            snapshot: &snapshot,
            remaining: scan.range.clone(),
            days: 1,
        };
        if let Some(session) = scan.session_id {
            windows.remaining = match session_span(&snapshot, &[scan.user_id.0], session).await? {
                Some((first, last)) => {
                    windows.remaining.start.max(first)
                        ..windows.remaining.end.min(last.plus_micros(1))
                }
                None => Timestamp::MIN..Timestamp::MIN,
            };
        }
        while let Some(window) = windows.next().await? {
            let blocks = windows.read(&window, sink).await?;
            let Some(blocks) = blocks else { break };
            windows.days = match blocks {
                few if few < FEW_BLOCKS => (windows.days * 2).min(LONGEST_WINDOW),
                many if many > MANY_BLOCKS => (windows.days / 2).max(1),
                _ => windows.days,
            };
        }
        snapshot.commit().await
    }

    async fn read_last_blocks(
        &self,
        user: UserId,
        series: &[MetricTypeId],
        view: &CatalogueView,
    ) -> Result<(DataVersion, Vec<ScannedBlock>), PgError> {
        let (snapshot, data_version) = self.snapshot(user, view).await?;
        let statement = snapshot.prepare_cached(LAST_BLOCKS).await?;
        let rows = snapshot.query(&statement, &[&user.0, &ids(series)]).await?;
        let reader = ScannedReader::of(&statement);
        let blocks = rows
            .iter()
            .map(|row| reader.read(row))
            .collect::<Result<_, _>>()?;
        snapshot.commit().await?;
        Ok((data_version, blocks))
    }

    async fn read_extents(
        &self,
        user: UserId,
        series: &[MetricTypeId],
        range: &Range<Timestamp>,
        view: &CatalogueView,
    ) -> Result<(DataVersion, Vec<SeriesExtent>), PgError> {
        let (snapshot, data_version) = self.snapshot(user, view).await?;
        let statement = snapshot.prepare_cached(EXTENTS).await?;
        let (days, start) = (day_start(range.start), range.start.to_offset_date_time());
        let params: [&(dyn ToSql + Sync); 5] = [
            &user.0,
            &ids(series),
            &days,
            &range.end.to_offset_date_time(),
            &start,
        ];
        let mut extents = Vec::new();
        for row in snapshot.query(&statement, &params).await? {
            let time = |name: &'static str| -> Result<Timestamp, PgError> {
                row.try_get::<_, OffsetDateTime>(name)
                    .map(Into::into)
                    .map_err(|e| corrupt("block", name, e))
            };
            let number = |name: &'static str| -> Result<u64, PgError> {
                let number: i64 = row.try_get(name).map_err(|e| corrupt("block", name, e))?;
                u64::try_from(number).map_err(|e| corrupt("block", name, e))
            };
            let id = row
                .try_get("metric_type_id")
                .map_err(|e| corrupt("block", "metric_type_id", e))?;
            extents.push(SeriesExtent {
                metric_type: MetricTypeId(id),
                first_time: time("first_time")?,
                last_time: time("last_time")?,
                points: number("points")?,
                sessions: number("sessions")?,
            });
        }
        snapshot.commit().await?;
        Ok((data_version, extents))
    }
}

/// Consecutive windows of whole days, so that no scan sorts all blocks before the first one is
/// read.
struct Windows<'a> {
    scan: &'a PointScan,
    snapshot: &'a Transaction,
    /// The range that is still to be read.
    remaining: Range<Timestamp>,
    /// The number of days of the next window.
    days: i64,
}

impl Windows<'_> {
    /// Returns the next window that has blocks.
    async fn next(&mut self) -> Result<Option<Range<Timestamp>>, PgError> {
        if self.remaining.is_empty() || self.scan.metric_types.is_empty() {
            return Ok(None);
        }
        let (statement, start) = match self.scan.order {
            Order::Ascending => (NEXT, day_start(self.remaining.start)),
            Order::Descending => (PREVIOUS, day_start(self.remaining.start)),
        };
        let statement = self.snapshot.prepare_cached(statement).await?;
        let end = self.remaining.end.to_offset_date_time();
        let params: [&(dyn ToSql + Sync); 4] = [
            &self.scan.user_id.0,
            &ids(&self.scan.metric_types),
            &start,
            &end,
        ];
        let row = self.snapshot.query_one(&statement, &params).await?;
        let found: Option<OffsetDateTime> = row
            .try_get("t_min")
            .map_err(|e| corrupt("block", "t_min", e))?;
        let Some(found) = found.map(Timestamp::from) else {
            return Ok(None);
        };
        let day = found.utc_day();
        let window = match self.scan.order {
            Order::Ascending => {
                let end = UtcDay(day.0 + self.days).start().min(self.remaining.end);
                let window = day.start().max(self.remaining.start)..end;
                self.remaining.start = end;
                window
            }
            Order::Descending => {
                let start = UtcDay(day.0 + 1 - self.days)
                    .start()
                    .max(self.remaining.start);
                let window = start..day.next().start().min(self.remaining.end);
                self.remaining.end = start;
                window
            }
        };
        Ok(Some(window))
    }

    /// Passes the blocks of a window to the sink. Returns their number, or `None` if the sink
    /// breaks.
    async fn read(
        &self,
        window: &Range<Timestamp>,
        sink: &mut dyn BlockSink,
    ) -> Result<Option<usize>, PgError> {
        let statement = self.snapshot.prepare_cached(BLOCKS).await?;
        let is_descending = self.scan.order == Order::Descending;
        let session = self.scan.session_id.map(|s| s.0);
        let (start, end) = (
            window.start.to_offset_date_time(),
            window.end.to_offset_date_time(),
        );
        let types = ids(&self.scan.metric_types);
        let day = day_start(window.start);
        let filtered: Vec<i32> = self
            .scan
            .conditions
            .iter()
            .map(|(metric_type, _)| metric_type.0)
            .collect();
        let filter = FilterParams::new(self.scan.conditions.iter().map(|(_, condition)| condition));
        let mut params: Vec<&(dyn ToSql + Sync)> = vec![
            &self.scan.user_id.0,
            &types,
            &session,
            &day,
            &end,
            &start,
            &filtered,
        ];
        params.extend(filter.params());
        params.push(&is_descending);
        let reader = ScannedReader::of(&statement);
        let mut rows = pin!(self.snapshot.query_raw(&statement, params).await?);
        let mut blocks = 0;
        while let Some(row) = rows.try_next().await? {
            blocks += 1;
            if sink.block(reader.read(&row)?).await?.is_break() {
                return Ok(None);
            }
        }
        Ok(Some(blocks))
    }
}

/// Returns the start of the day of `t`. Blocks do not span midnight, so that a block with a time at
/// or after `t` begins at or after the returned time.
fn day_start(t: Timestamp) -> OffsetDateTime {
    t.utc_day().start().to_offset_date_time()
}

fn ids(series: &[MetricTypeId]) -> Vec<i32> {
    series.iter().map(|id| id.0).collect()
}
