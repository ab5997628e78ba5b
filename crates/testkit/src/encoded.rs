//! Encoded sessions for tests that need no service.

use std::sync::Arc;

use serde_json::json;
use time_series_domain::channel::{Channel, ChannelId};
use time_series_domain::ingest::{EncodedSession, SessionDraft, ValidSession};
use time_series_domain::metric_type::ValueSchema;
use time_series_domain::model::AppendTarget;
use time_series_domain::{
    Catalogue, Json, MetricType, MetricTypeId, SeriesName, SessionId, TimeRules, TimeSeriesPoint,
    Timestamp, UserId,
};

/// 2025-01-01T00:00:00Z.
const START: Timestamp = Timestamp::from_micros(1_735_689_600_000_000);

/// Returns a session that starts on 2025-01-01 and has a point of the number `1` at each of
/// `seconds`.
///
/// # Panics
/// Never, for seconds of the first month.
#[must_use]
pub fn encoded_session(user: UserId, session: SessionId, seconds: &[i64]) -> EncodedSession {
    let metric_type = number_type();
    let point = |second: &i64| TimeSeriesPoint {
        series: metric_type.series.clone(),
        time: START.plus_micros(second * 1_000_000),
        value: Json::parse("1").expect("JSON"),
    };
    let points = seconds.iter().map(point).collect();
    let draft = SessionDraft::new(user, session, Some(START), points);
    let catalogue = Catalogue::new(1, [metric_type.clone()]);
    let now = START.plus_days(40);
    let rules = TimeRules::default();
    let valid = ValidSession::check(draft, &catalogue, &rules, now, AppendTarget::Alone);
    EncodedSession::encode(valid.expect("a valid session"))
}

fn number_type() -> MetricType {
    let schema = ValueSchema::parse(json!({"type": "number"})).expect("a schema");
    let leaves = schema.numeric_leaves().to_vec();
    let channels = (1..).zip(leaves).map(|(id, pointer)| Channel {
        id: ChannelId(id),
        pointer,
    });
    MetricType {
        id: MetricTypeId(1),
        series: SeriesName::parse("number").expect("a name"),
        channels: channels.collect(),
        schema: Arc::new(schema),
        description: String::new(),
        unit: String::new(),
        generation: 1,
        schema_generation: 1,
        created_at: START,
        updated_at: START,
    }
}
