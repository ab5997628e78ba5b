//! What handlers need.

use std::net::SocketAddr;
use std::sync::Arc;

use async_trait::async_trait;
use metrics_exporter_prometheus::PrometheusHandle;
use secrecy::SecretString;
use time_series_domain::Clock;
use time_series_domain::fingerprint::Fingerprint;
use time_series_domain::ingest::IngestSession;
use time_series_domain::metric_type::MetricTypes;
use time_series_domain::ports::SessionStore;
use time_series_domain::query::CachedAggregate;
use time_series_domain::query::points::ReadPoints;

use crate::request::{Cursors, Intake, QueryGate};

/// The use cases, over whatever the composition root chose.
pub(crate) struct AppState {
    pub(crate) ingest: IngestSession,
    pub(crate) aggregate: CachedAggregate,
    pub(crate) points: ReadPoints,
    /// How many values may be held to be thinned out.
    pub(crate) max_values: usize,
    pub(crate) queries: QueryGate,
    pub(crate) metric_types: MetricTypes,
    pub(crate) sessions: Arc<dyn SessionStore>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) readiness: Arc<dyn Readiness>,
    pub(crate) admins: Admins,
    pub(crate) cursors: Cursors,
    pub(crate) max_body_bytes: usize,
    /// Bytes of bodies in memory; lines of bulk uploads apart, which wait for room and would take all there is.
    pub(crate) intake: Intake,
    pub(crate) bulk_intake: Intake,
    /// Fingerprint of what answers depend on besides query and data: this build and its limits.
    pub(crate) edition: Fingerprint,
    pub(crate) metrics: PrometheusHandle,
}

/// Who may change metric types.
pub(crate) enum Admins {
    /// Whoever has the token.
    Token(SecretString),
    /// Whoever reaches this loopback address.
    Local,
    /// Nobody: the service listens on this address without a token.
    Nobody(SocketAddr),
}

/// Whether the service can do its work now.
#[async_trait]
pub(crate) trait Readiness: Send + Sync {
    /// Whether the database answers and has the tables that this program needs.
    async fn check(&self) -> Result<(), NotReady>;
}

/// Why the service cannot do its work; may be shown to anybody.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotReady {
    /// It may come back by itself.
    #[error("the database cannot be reached")]
    Unreachable,
    /// Somebody has to migrate it.
    #[error("the database lacks migrations; run `cargo xtask migrate`")]
    Behind,
}
