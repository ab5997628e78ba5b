//! Finds which metric types users have points of, without reading the points.

use deadpool_postgres::Object;
use time_series_domain::ports::{PointSource, Presence};
use time_series_domain::{MetricTypeId, SessionId, UserId};
use tokio_postgres::types::ToSql;
use uuid::Uuid;

use crate::postgres::error::{PgError, corrupt};
use crate::postgres::metric_type::of_users;

const PRESENT: &str = include_str!("present.sql");

/// Maximum metric types that are looked up one by one in the index. With more, the metric types of
/// the users' blocks are read first.
const FEW_METRIC_TYPES: usize = 32;

/// Returns the metric types of a presence request of which the users, or one of their sessions,
/// have a block that overlaps the range.
pub(super) async fn present(
    client: &Object,
    users: &[UserId],
    session: Option<SessionId>,
    presence: &Presence,
) -> Result<Vec<MetricTypeId>, PgError> {
    let range = &presence.range;
    let mut metric_types: Vec<i32> = presence.metric_types.iter().map(|id| id.0).collect();
    if metric_types.len() > FEW_METRIC_TYPES && !range.is_empty() {
        let (_, own) = of_users(client, users, &PointSource::Blocks(range.clone()), true).await?;
        let own: Vec<i32> = own.iter().map(|version| version.metric_type.0).collect();
        metric_types.retain(|id| own.binary_search(id).is_ok());
    }
    if metric_types.is_empty() || range.is_empty() {
        return Ok(Vec::new());
    }
    let users: Vec<Uuid> = users.iter().map(|user| user.0).collect();
    let first_day = range.start.utc_day().start().to_offset_date_time();
    let (start, end) = (
        range.start.to_offset_date_time(),
        range.end.to_offset_date_time(),
    );
    let session = session.map(|session| session.0);
    let params: [&(dyn ToSql + Sync); 6] =
        [&users, &metric_types, &first_day, &start, &end, &session];
    let statement = client.prepare_cached(PRESENT).await?;
    let rows = client.query(&statement, &params).await?;
    let id = |row: &tokio_postgres::Row| {
        row.try_get("metric_type_id")
            .map(MetricTypeId)
            .map_err(|e| corrupt("block", "metric_type_id", e))
    };
    rows.iter().map(id).collect()
}
