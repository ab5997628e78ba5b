//! Reads of aggregate queries and raw points. Each read uses one snapshot.

mod points;
mod presence;
mod scan;
mod scanned_reader;
mod statements;

#[cfg(test)]
pub(super) use statements::ALL as STATEMENTS;

use async_trait::async_trait;
use time_series_domain::UserId;
use time_series_domain::ports::{AggregateStore, DataVersion, ScanRequest, ScanSink, StoreError};

use super::pool::Postgres;

#[async_trait]
impl AggregateStore for Postgres {
    async fn data_version(&self, users: &[UserId]) -> Result<DataVersion, StoreError> {
        self.run("reading a version", || self.read_data_version(users))
            .await
    }

    async fn scan(
        &self,
        request: &ScanRequest,
        sink: &mut dyn ScanSink,
    ) -> Result<DataVersion, StoreError> {
        // Not retried, since the sink has received rows. A read-only snapshot has no conflicts.
        let doing = "scanning for an aggregate";
        let started = std::time::Instant::now();
        let result = self.scan_snapshot(request, sink).await;
        metrics::histogram!("db_client_operation_duration_seconds", "operation" => doing.replace(' ', "_"))
            .record(started.elapsed().as_secs_f64());
        result.map_err(|e| e.into_store_error(doing))
    }
}
