//! A session as it is stored: blocks, day summaries and digest.

use std::collections::{BTreeMap, HashMap};

use super::check_points::value_of_point;
use super::digest::DigestBuilder;
use super::location::Locations;
use super::raw_values::RawValues;
use super::valid_session::{ValidPoints, ValidSeries};
use super::{Digest, ValidSession};
use crate::block::{Block, SeriesColumns, cut, cut_values};
use crate::channel::ChannelId;
use crate::metric_type::{MetricType, StepBudget};
use crate::{
    MetricTypeId, SchemaVersion, SessionId, Summary, TimeRules, Timestamp, UserId, UtcDay,
};

/// The contribution of a session to the summary of one channel on one UTC day.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DaySummary {
    /// The channel.
    pub channel: ChannelId,
    /// The day.
    pub day: UtcDay,
    /// The summary, of at least one sample.
    pub summary: Summary,
}

/// A session ready to be stored in one transaction.
#[derive(Debug)]
pub struct EncodedSession {
    /// The user that owns the session.
    pub user_id: UserId,
    /// The id of the session.
    pub session_id: SessionId,
    /// The start of the recording; `None` if the client did not send one.
    pub start_ts: Option<Timestamp>,
    /// Number of points.
    pub points: u64,
    /// The blocks, by (metric type, first time, seq).
    pub blocks: Vec<Block>,
    /// For each block, the summaries of its channels.
    pub summaries: Vec<Vec<Summary>>,
    /// The contributions to the day summaries, by (channel, day).
    pub day_summaries: Vec<DaySummary>,
    /// Digest of the points.
    pub points_digest: Digest,
    /// The schemas that the points were validated against, by metric type.
    pub schemas: Vec<SchemaVersion>,
    /// The rules that the times were validated against.
    pub rules: TimeRules,
}

impl EncodedSession {
    /// Cuts a valid session into blocks. Values that are not columnar are parsed again, one at a
    /// time.
    ///
    /// # Panics
    /// Never: the values were parsed during validation.
    #[must_use]
    pub fn encode(session: ValidSession<'_>) -> Self {
        let mut schemas: Vec<SchemaVersion> = session
            .series
            .values()
            .map(|series| series.metric_type.schema_version())
            .collect();
        schemas.sort_unstable();
        let points = session.points() as u64;
        let ValidSession {
            user_id,
            session_id,
            start_ts,
            series,
            values,
            rules,
        } = session;
        let mut digest = DigestBuilder::new();
        let mut channels: HashMap<MetricTypeId, Vec<ChannelId>> = HashMap::new();
        let mut by_type: BTreeMap<MetricTypeId, Vec<Block>> = BTreeMap::new();
        for (
            name,
            ValidSeries {
                metric_type,
                points,
            },
        ) in series
        {
            digest.series(&name);
            channels.insert(
                metric_type.id,
                metric_type.channels.iter().map(|c| c.id).collect(),
            );
            let blocks = match (points, &values) {
                (ValidPoints::Numeric(series), _) => {
                    digest.numbers(&series);
                    cut(&series.into_columns(&metric_type), 0)
                }
                (ValidPoints::Values(numbers), Some((values, locations))) => {
                    encode_values(&metric_type, numbers, values, locations, &mut digest)
                }
                (ValidPoints::Values(_), None) => Vec::new(),
            };
            by_type.insert(metric_type.id, blocks);
        }
        let mut blocks: Vec<Block> = by_type.into_values().flatten().collect();
        for (seq, block) in (0..).zip(&mut blocks) {
            block.seq = seq;
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
            points_digest: digest.finish(),
            schemas,
            rules,
        }
    }

    /// The memory of the blocks and summaries, in bytes.
    #[must_use]
    pub fn heap_bytes(&self) -> usize {
        let blocks: usize = self
            .blocks
            .iter()
            .map(|block| size_of::<Block>() + block.heap_bytes())
            .sum();
        let summaries = self.summaries.iter().map(Vec::len).sum::<usize>() * size_of::<Summary>();
        blocks + summaries + self.day_summaries.len() * size_of::<DaySummary>()
    }

    /// Returns the digest of the session.
    #[must_use]
    pub fn digest(&self) -> Digest {
        self.points_digest.with_start(self.start_ts)
    }

    /// Returns the times of the earliest and the latest point.
    #[must_use]
    pub fn span(&self) -> Option<(Timestamp, Timestamp)> {
        let first = self.blocks.iter().map(Block::t_min).min()?;
        let last = self.blocks.iter().map(Block::t_max).max()?;
        Some((first, last))
    }

    /// Returns the points as columns, one item per series, to be appended.
    pub fn appended(&self) -> impl Iterator<Item = SeriesColumns> + '_ {
        let series = self.blocks.chunk_by(|a, b| a.metric_type == b.metric_type);
        series.map(|blocks| SeriesColumns::of_blocks(blocks[0].metric_type, blocks))
    }

    /// Returns the metric types of the points, ascending.
    #[must_use]
    pub fn metric_types(&self) -> Vec<MetricTypeId> {
        let mut ids: Vec<MetricTypeId> = self.blocks.iter().map(|b| b.metric_type).collect();
        ids.dedup();
        ids
    }
}

/// Returns the blocks of the points of one series.
fn encode_values(
    metric_type: &MetricType,
    mut numbers: Vec<u32>,
    values: &RawValues<'_>,
    locations: &Locations,
    digest: &mut DigestBuilder,
) -> Vec<Block> {
    let time = |number: &u32| {
        values
            .time(*number as usize)
            .expect("a valid point has a time")
    };
    // Stable: equal times keep their order of arrival.
    numbers.sort_by_key(time);
    let times: Vec<Timestamp> = numbers.iter().map(time).collect();
    cut_values(metric_type.id, &metric_type.pointers(), &times, |index| {
        let number = numbers[index] as usize;
        let value = values
            .value(number)
            .and_then(Result::ok)
            .expect("a valid point has a value");
        let value = value_of_point(
            value,
            locations.of(number),
            metric_type,
            &mut StepBudget::default(),
        );
        digest.point(times[index], &value);
        value
    })
}

/// Merges the summaries of blocks by channel and day: an upsert must not contain a key twice.
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
                merged
                    .entry((*channel, block.t_min().utc_day()))
                    .or_default()
                    .merge(summary);
            }
        }
    }
    let day_summary = |((channel, day), summary)| DaySummary {
        channel,
        day,
        summary,
    };
    merged.into_iter().map(day_summary).collect()
}
