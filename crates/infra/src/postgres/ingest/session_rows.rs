//! Rows of the table `session` as parameter arrays.

use time::OffsetDateTime;
use time_series_domain::Timestamp;
use time_series_domain::ingest::EncodedSession;
use tokio_postgres::types::ToSql;
use uuid::Uuid;

/// Parameter arrays of `insert_sessions.sql`.
#[derive(Default)]
pub(super) struct SessionRows {
    user_id: Vec<Uuid>,
    session_id: Vec<Uuid>,
    start_ts: Vec<Option<OffsetDateTime>>,
    t_min: Vec<Option<OffsetDateTime>>,
    t_max: Vec<Option<OffsetDateTime>>,
    point_count: Vec<i32>,
    digest: Vec<Vec<u8>>,
    metric_types: Vec<String>,
}

impl SessionRows {
    pub(super) fn push(&mut self, session: &EncodedSession) {
        let span = session.span();
        self.user_id.push(session.user_id.0);
        self.session_id.push(session.session_id.0);
        self.start_ts.push(time(session.start_ts));
        self.t_min.push(time(span.map(|s| s.0)));
        self.t_max.push(time(span.map(|s| s.1)));
        self.point_count
            .push(i32::try_from(session.points).unwrap_or(i32::MAX));
        self.digest.push(session.digest().as_bytes().to_vec());
        self.metric_types.push(metric_types(session));
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.user_id.is_empty()
    }

    pub(super) fn params(&self) -> [&(dyn ToSql + Sync); 8] {
        [
            &self.user_id,
            &self.session_id,
            &self.start_ts,
            &self.t_min,
            &self.t_max,
            &self.point_count,
            &self.digest,
            &self.metric_types,
        ]
    }
}

impl SessionRows {
    /// Returns [`Self::params`] followed by the expected schemas.
    pub(super) fn params_with<'a>(
        &'a self,
        schemas: [&'a (dyn ToSql + Sync); 2],
    ) -> [&'a (dyn ToSql + Sync); 10] {
        let [metric_type_ids, generations] = schemas;
        let [
            user_id,
            session_id,
            start_ts,
            t_min,
            t_max,
            point_count,
            digest,
            metric_types,
        ] = self.params();
        [
            user_id,
            session_id,
            start_ts,
            t_min,
            t_max,
            point_count,
            digest,
            metric_types,
            metric_type_ids,
            generations,
        ]
    }
}

pub(super) fn time(time: Option<Timestamp>) -> Option<OffsetDateTime> {
    time.map(Timestamp::to_offset_date_time)
}

/// Returns the metric types as the text of an array: an array of arrays must be rectangular.
pub(super) fn metric_types(session: &EncodedSession) -> String {
    let types: Vec<String> = session
        .metric_types()
        .iter()
        .map(|t| t.0.to_string())
        .collect();
    format!("{{{}}}", types.join(","))
}
