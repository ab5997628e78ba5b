//! A session as it is stored: blocks, day summaries and digest.

use std::collections::{BTreeMap, HashMap};

use super::valid_session::ValidSeries;
use super::{Digest, ValidSession};
use crate::block::{Block, SeriesColumns, cut};
use crate::channel::ChannelId;
use crate::{MetricTypeId, SchemaVersion, SessionId, Summary, TimeRules, Timestamp, UserId, UtcDay};

/// What a session adds to the summary of one channel on one UTC day.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DaySummary {
    /// The channel.
    pub channel: ChannelId,
    /// The day.
    pub day: UtcDay,
    /// At least one sample.
    pub summary: Summary,
}

/// A session ready to be stored in one transaction. Made from a [`ValidSession`] only.
#[derive(Debug)]
pub struct EncodedSession {
    /// Whose recording it is.
    pub user_id: UserId,
    /// Its id.
    pub session_id: SessionId,
    /// When the recording started.
    pub start_ts: Option<Timestamp>,
    /// How many points it has.
    pub points: u64,
    /// Its blocks, by (metric type, first time, seq).
    pub blocks: Vec<Block>,
    /// The summaries of each block's channels.
    pub summaries: Vec<Vec<Summary>>,
    /// What it adds to the day summaries, by (channel, day).
    pub day_summaries: Vec<DaySummary>,
    /// What its points are compared by.
    pub points_digest: Digest,
    /// The schemas that its points were checked against, by metric type.
    pub schemas: Vec<SchemaVersion>,
    /// The rules that its times were checked by.
    pub rules: TimeRules,
}

impl EncodedSession {
    /// Cuts a valid session into blocks.
    #[must_use]
    pub fn encode(session: ValidSession) -> Self {
        let (user_id, session_id) = (session.user_id, session.session_id);
        let (start_ts, rules) = (session.start_ts, session.rules);
        let mut schemas: Vec<SchemaVersion> =
            session.series.values().map(|series| series.metric_type.schema_version()).collect();
        schemas.sort_unstable();
        let points = session.points() as u64;
        let points_digest = Digest::of_points(&session);
        let channels = |s: &ValidSeries| (s.metric_type.id, s.metric_type.channels.iter().map(|c| c.id).collect());
        let channels: HashMap<MetricTypeId, Vec<ChannelId>> = session.series.values().map(channels).collect();
        let mut columns = session.into_columns();
        columns.sort_by_key(|c| c.metric_type);
        let mut blocks: Vec<Block> = Vec::new();
        for series in &columns {
            let next_seq = blocks.last().map_or(0, |b| b.seq + 1);
            blocks.extend(cut(series, next_seq));
        }
        let summaries: Vec<Vec<Summary>> = blocks.iter().map(Block::summarise).collect();
        Self {
            user_id,
            session_id,
            start_ts,
            points,
            day_summaries: day_summaries(&blocks, &summaries, &channels),
            summaries,
            blocks,
            points_digest,
            schemas,
            rules,
        }
    }

    /// What it is compared by as a session.
    #[must_use]
    pub fn digest(&self) -> Digest {
        self.points_digest.with_start(self.start_ts)
    }

    /// The times of its earliest and latest point.
    #[must_use]
    pub fn span(&self) -> Option<(Timestamp, Timestamp)> {
        let first = self.blocks.iter().map(Block::t_min).min()?;
        let last = self.blocks.iter().map(Block::t_max).max()?;
        Some((first, last))
    }

    /// Its points as columns again, a series each, to be appended.
    pub fn appended(&self) -> impl Iterator<Item = SeriesColumns> + '_ {
        let series = self.blocks.chunk_by(|a, b| a.metric_type == b.metric_type);
        series.map(|blocks| SeriesColumns::of_blocks(blocks[0].metric_type, blocks))
    }

    /// The metric types that it has points of, ascending.
    #[must_use]
    pub fn metric_types(&self) -> Vec<MetricTypeId> {
        let mut ids: Vec<MetricTypeId> = self.blocks.iter().map(|b| b.metric_type).collect();
        ids.dedup();
        ids
    }
}

/// Merged here, since a key may stand only once in an upsert.
fn day_summaries(
    blocks: &[Block],
    summaries: &[Vec<Summary>],
    channels: &HashMap<MetricTypeId, Vec<ChannelId>>,
) -> Vec<DaySummary> {
    let mut merged: BTreeMap<(ChannelId, UtcDay), Summary> = BTreeMap::new();
    for (block, summaries) in blocks.iter().zip(summaries) {
        let channels = channels.get(&block.metric_type).into_iter().flatten();
        for (channel, summary) in channels.zip(summaries) {
            if summary.count() > 0 {
                merged.entry((*channel, block.t_min().utc_day())).or_default().merge(summary);
            }
        }
    }
    let day_summary = |((channel, day), summary)| DaySummary { channel, day, summary };
    merged.into_iter().map(day_summary).collect()
}
