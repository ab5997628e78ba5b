//! In-memory implementation of the aggregate store. Computes everything from the blocks.

use std::ops::Range;

use async_trait::async_trait;

use super::{MemoryStore, State, User};
use crate::block::{Block, MIN_SUMMARISED_POINTS};
use crate::ports::{
    AggregateStore, Arrays, BlockContent, BlockMatch, BlockScan, DataVersion, DayScan, Presence,
    ScanRequest, ScanSink, ScannedBlock, StoreError,
};
use crate::{MetricTypeId, SessionId, Summary, Timestamp, UserId};

#[async_trait]
impl AggregateStore for MemoryStore {
    async fn data_version(&self, users: &[UserId]) -> Result<DataVersion, StoreError> {
        Ok(self.state().data_version(users))
    }

    async fn scan(
        &self,
        request: &ScanRequest,
        sink: &mut dyn ScanSink,
    ) -> Result<DataVersion, StoreError> {
        let state = self.state();
        state.check(&request.users, &request.view)?;
        for (id, user) in request
            .users
            .iter()
            .filter_map(|id| Some((*id, state.users.get(id)?)))
        {
            if let Some(range) = &request.starts {
                send_starts(id, user, request.session_id, range, sink)?;
            }
            if let Some(days) = &request.days {
                state.scan_days(id, user, days, sink)?;
            }
            for scan in &request.blocks {
                scan_blocks(id, user, request.session_id, scan, sink)?;
            }
        }
        if !request.presence.metric_types.is_empty() {
            sink.present(state.present(&request.users, request.session_id, &request.presence));
        }
        Ok(state.data_version(&request.users))
    }
}

impl State {
    pub(super) fn data_version(&self, users: &[UserId]) -> DataVersion {
        let version = users
            .iter()
            .filter_map(|user| self.users.get(user))
            .map(|u| u.version)
            .sum();
        DataVersion {
            version,
            generation: self.generation,
        }
    }

    /// Returns the metric types of a presence request of which the users, or one of their sessions,
    /// have points in the range.
    pub(super) fn present(
        &self,
        users: &[UserId],
        session: Option<SessionId>,
        presence: &Presence,
    ) -> Vec<MetricTypeId> {
        let users = || users.iter().filter_map(|user| self.users.get(user));
        let is_present = |id: &MetricTypeId| {
            users()
                .flat_map(|user| blocks(user, std::slice::from_ref(id)))
                .any(|(owner, block)| {
                    let touches =
                        block.t_min() < presence.range.end && presence.range.start <= block.t_max();
                    touches && session.is_none_or(|session| session == owner)
                })
        };
        let metric_types = presence
            .metric_types
            .iter()
            .copied()
            .filter(|_| !presence.range.is_empty());
        metric_types.filter(is_present).collect()
    }

    fn scan_days(
        &self,
        id: UserId,
        user: &User,
        scan: &DayScan,
        sink: &mut dyn ScanSink,
    ) -> Result<(), StoreError> {
        for metric_type in &self.metric_types {
            for (index, channel) in metric_type.channels.iter().enumerate() {
                if !scan.channels.contains(&channel.id) {
                    continue;
                }
                for (number, window) in scan.windows.iter().enumerate() {
                    let mut merged = Summary::EMPTY;
                    for (_, block) in blocks(user, &[metric_type.id]) {
                        if window.days.contains(&block.t_min().utc_day()) {
                            merged.merge(&block.samples(index).collect());
                        }
                    }
                    if merged.count() > 0 {
                        sink.days(scan.by_user.then_some(id), channel.id, number, merged)?;
                    }
                }
            }
        }
        Ok(())
    }
}

fn send_starts(
    id: UserId,
    user: &User,
    only: Option<SessionId>,
    range: &Range<Timestamp>,
    sink: &mut dyn ScanSink,
) -> Result<(), StoreError> {
    for (session, kept) in user
        .sessions
        .iter()
        .filter(|(session, _)| only.is_none_or(|only| only == **session))
    {
        if let Some((first, _)) = kept
            .record
            .span
            .filter(|(first, last)| *first < range.end && range.start <= *last)
        {
            sink.session(id, *session, kept.record.start_ts.unwrap_or(first))?;
        }
    }
    Ok(())
}

fn scan_blocks(
    id: UserId,
    user: &User,
    session: Option<SessionId>,
    scan: &BlockScan,
    sink: &mut dyn ScanSink,
) -> Result<(), StoreError> {
    for (owner, block) in blocks(user, &scan.metric_types) {
        let touches = scan
            .ranges
            .iter()
            .any(|s| block.t_min() < s.end && s.start <= block.t_max());
        if !touches || session.is_some_and(|s| s != owner) {
            continue;
        }
        if let Some(content) = content(scan, block) {
            sink.block(ScannedBlock {
                user_id: id,
                session_id: owner,
                metric_type: block.metric_type,
                seq: block.seq,
                t_min: block.t_min(),
                t_max: block.t_max(),
                content,
            })?;
        }
    }
    Ok(())
}

/// Returns the requested part of a block; `None` if none of its points meets the conditions.
fn content(scan: &BlockScan, block: &Block) -> Option<BlockContent> {
    let whole = || Some(BlockContent::Whole(Box::new(block.clone())));
    if block.len() < MIN_SUMMARISED_POINTS {
        return whole();
    }
    let summaries = block.summarise();
    let matches: Vec<BlockMatch> = scan
        .conditions
        .iter()
        .map(|c| c.block_match(&summaries, block.len() as u64))
        .collect();
    if matches.contains(&BlockMatch::None) {
        return None;
    }
    let needs_arrays = match &scan.arrays {
        Arrays::Always => true,
        Arrays::WhereCut(edges) => edges
            .iter()
            .any(|&e| block.t_min() < e && e <= block.t_max()),
    };
    if needs_arrays || matches.contains(&BlockMatch::Some) {
        whole()
    } else {
        Some(BlockContent::Summaries(summaries))
    }
}

fn blocks<'a>(
    user: &'a User,
    types: &'a [MetricTypeId],
) -> impl Iterator<Item = (SessionId, &'a Block)> {
    let all = user
        .sessions
        .iter()
        .flat_map(|(id, session)| session.blocks.iter().map(move |b| (*id, b)));
    all.filter(|(_, block)| types.contains(&block.metric_type))
}
