//! What aggregate queries read, from one snapshot.

mod points;
mod presence;
mod scan;
mod scanned_reader;

use async_trait::async_trait;
use time_series_domain::UserId;
use time_series_domain::ports::{AggregateStore, ScanHead, ScanRequest, ScanSink, StoreError};

use super::pool::Postgres;

#[async_trait]
impl AggregateStore for Postgres {
    async fn head(&self, users: &[UserId]) -> Result<ScanHead, StoreError> {
        self.run("reading a version", || self.scan_head(users))
            .await
    }

    async fn scan(
        &self,
        request: &ScanRequest,
        sink: &mut dyn ScanSink,
    ) -> Result<ScanHead, StoreError> {
        // Never run again: the sink has seen part of it. A read-only snapshot loses no race.
        let doing = "scanning for an aggregate";
        let started = std::time::Instant::now();
        let result = self.scan_snapshot(request, sink).await;
        metrics::histogram!("db_client_operation_duration_seconds", "operation" => doing.replace(' ', "_"))
            .record(started.elapsed().as_secs_f64());
        result.map_err(|e| e.into_store_error(doing))
    }
}

#[cfg(test)]
pub(super) const STATEMENTS: &[&str] = &[
    include_str!("head.sql"),
    include_str!("session_span.sql"),
    include_str!("blocks_in_order.sql"),
    include_str!("next_block.sql"),
    include_str!("previous_block.sql"),
    include_str!("last_blocks.sql"),
    include_str!("extents.sql"),
    include_str!("session_starts.sql"),
    include_str!("present.sql"),
    include_str!("filtered_blocks_of_stretch.sql"),
    include_str!("days_basic.sql"),
    include_str!("days_full.sql"),
    include_str!("blocks_of_stretch.sql"),
    include_str!("blocks_of_many_stretches.sql"),
    include_str!("blocks_in_one_scan.sql"),
];
