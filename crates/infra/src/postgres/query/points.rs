//! Whole blocks in order of time, the last ones, and how far series reach.

use std::ops::Range;
use std::pin::pin;

use async_trait::async_trait;
use futures_util::TryStreamExt;
use time::OffsetDateTime;
use time_series_domain::ports::{
    BlockSink, CatalogueView, Flow, Order, PointScan, PointStore, ScanHead, ScannedBlock,
    SeriesExtent, StoreError,
};
use time_series_domain::{MetricTypeId, Timestamp, UserId, UtcDay};
use tokio_postgres::types::ToSql;

use super::presence::present;
use super::scan::{FilterParams, HEAD, read_head, session_span};
use super::scanned_reader::ScannedReader;
use crate::postgres::error::{PgError, corrupt};
use crate::postgres::pool::Postgres;
use crate::postgres::transaction::Transaction;

const BLOCKS: &str = include_str!("blocks_in_order.sql");
const NEXT: &str = include_str!("next_block.sql");
const PREVIOUS: &str = include_str!("previous_block.sql");
const LAST_BLOCKS: &str = include_str!("last_blocks.sql");
const EXTENTS: &str = include_str!("extents.sql");

/// A window of days with fewer blocks is followed by one twice as long, one with more by one half as long.
const FEW_BLOCKS: usize = 256;
const MANY_BLOCKS: usize = 4_096;
const LONGEST_WINDOW: i64 = 512;

#[async_trait]
impl PointStore for Postgres {
    async fn scan_in_order(
        &self,
        scan: &PointScan,
        sink: &mut dyn BlockSink,
    ) -> Result<(), StoreError> {
        let doing = "reading points";
        self.scan_windows(scan, sink)
            .await
            .map_err(|e| e.into_store_error(doing))
    }

    async fn last_blocks(
        &self,
        user: UserId,
        series: &[MetricTypeId],
        view: &CatalogueView,
    ) -> Result<(ScanHead, Vec<ScannedBlock>), StoreError> {
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
    ) -> Result<(ScanHead, Vec<SeriesExtent>), StoreError> {
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
    ) -> Result<(Transaction, ScanHead), PgError> {
        let snapshot =
            Transaction::begin_snapshot(self.connection("reading points").await?).await?;
        let head = snapshot.prepare_cached(HEAD).await?;
        let row = snapshot.query_one(&head, &[&vec![user.0]]).await?;
        let head = read_head(&row)?;
        if let Err(e) = self.check_view(&snapshot, head, &[user], view).await {
            snapshot.rollback().await?;
            return Err(e);
        }
        Ok((snapshot, head))
    }

    async fn scan_windows(
        &self,
        scan: &PointScan,
        sink: &mut dyn BlockSink,
    ) -> Result<(), PgError> {
        let (snapshot, head) = self.snapshot(scan.user_id, &scan.view).await?;
        let present = present(&snapshot, &[scan.user_id], scan.session_id, &scan.presence).await?;
        sink.head(head, present).await?;
        let mut windows = Windows {
            scan,
            snapshot: &snapshot,
            left: scan.range.clone(),
            days: 1,
        };
        if let Some(session) = scan.session_id {
            windows.left = match session_span(&snapshot, &[scan.user_id.0], session).await? {
                Some((first, last)) => {
                    windows.left.start.max(first)..windows.left.end.min(last.plus_micros(1))
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
    ) -> Result<(ScanHead, Vec<ScannedBlock>), PgError> {
        let (snapshot, head) = self.snapshot(user, view).await?;
        let statement = snapshot.prepare_cached(LAST_BLOCKS).await?;
        let rows = snapshot.query(&statement, &[&user.0, &ids(series)]).await?;
        let reader = ScannedReader::of(&statement);
        let blocks = rows
            .iter()
            .map(|row| reader.read(row))
            .collect::<Result<_, _>>()?;
        snapshot.commit().await?;
        Ok((head, blocks))
    }

    async fn read_extents(
        &self,
        user: UserId,
        series: &[MetricTypeId],
        range: &Range<Timestamp>,
        view: &CatalogueView,
    ) -> Result<(ScanHead, Vec<SeriesExtent>), PgError> {
        let (snapshot, head) = self.snapshot(user, view).await?;
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
        Ok((head, extents))
    }
}

/// Windows of whole days, one after the other, so that no scan sorts everything before its first block.
struct Windows<'a> {
    scan: &'a PointScan,
    snapshot: &'a Transaction,
    /// What is still to be read.
    left: Range<Timestamp>,
    /// How many days the next window has.
    days: i64,
}

impl Windows<'_> {
    /// The next window that has blocks.
    async fn next(&mut self) -> Result<Option<Range<Timestamp>>, PgError> {
        if self.left.is_empty() || self.scan.metric_types.is_empty() {
            return Ok(None);
        }
        let (statement, start) = match self.scan.order {
            Order::Ascending => (NEXT, day_start(self.left.start)),
            Order::Descending => (PREVIOUS, day_start(self.left.start)),
        };
        let statement = self.snapshot.prepare_cached(statement).await?;
        let end = self.left.end.to_offset_date_time();
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
                let end = UtcDay(day.0 + self.days).start().min(self.left.end);
                let window = day.start().max(self.left.start)..end;
                self.left.start = end;
                window
            }
            Order::Descending => {
                let start = UtcDay(day.0 + 1 - self.days).start().max(self.left.start);
                let window = start..day.next().start().min(self.left.end);
                self.left.end = start;
                window
            }
        };
        Ok(Some(window))
    }

    /// Feeds the sink; how many blocks there were, or `None` if it has enough.
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
            if sink.block(reader.read(&row)?).await? == Flow::Enough {
                return Ok(None);
            }
        }
        Ok(Some(blocks))
    }
}

/// No block spans midnight: one with a time at or after `t` begins at or after this.
fn day_start(t: Timestamp) -> OffsetDateTime {
    t.utc_day().start().to_offset_date_time()
}

fn ids(series: &[MetricTypeId]) -> Vec<i32> {
    series.iter().map(|id| id.0).collect()
}
