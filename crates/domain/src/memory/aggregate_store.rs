//! Scans in memory: everything is made of the blocks, there and then.

use async_trait::async_trait;

use super::{MemoryStore, State, User};
use crate::block::{Block, MIN_SUMMARISED_POINTS};
use crate::ports::{
    AggregateStore, Arrays, BlockContent, BlockScan, DayScan, ScanHead, ScanRequest, ScanSink, ScannedBlock, StoreError,
};
use crate::{MetricTypeId, SessionId, Summary, UserId};

#[async_trait]
impl AggregateStore for MemoryStore {
    async fn head(&self, user: UserId) -> Result<ScanHead, StoreError> {
        Ok(self.state().head(user))
    }

    async fn scan(&self, request: &ScanRequest, sink: &mut dyn ScanSink) -> Result<ScanHead, StoreError> {
        let state = self.state();
        if let Some(user) = state.users.get(&request.user_id) {
            if let Some(days) = &request.days {
                state.scan_days(user, days, sink)?;
            }
            for scan in &request.blocks {
                scan_blocks(user, request.session_id, scan, sink)?;
            }
        }
        Ok(state.head(request.user_id))
    }
}

impl State {
    fn head(&self, user: UserId) -> ScanHead {
        ScanHead { version: self.users.get(&user).map_or(0, |u| u.version), generation: self.generation }
    }

    fn scan_days(&self, user: &User, scan: &DayScan, sink: &mut dyn ScanSink) -> Result<(), StoreError> {
        for metric_type in &self.metric_types {
            for (place, channel) in metric_type.channels.iter().enumerate() {
                if !scan.channels.contains(&channel.id) {
                    continue;
                }
                for (number, window) in scan.windows.iter().enumerate() {
                    let mut merged = Summary::EMPTY;
                    for (_, block) in blocks(user, &[metric_type.id]) {
                        if window.days.contains(&block.t_min().utc_day()) {
                            merged.merge(&block.samples(place).collect());
                        }
                    }
                    if merged.count() > 0 {
                        sink.days(channel.id, number, merged)?;
                    }
                }
            }
        }
        Ok(())
    }
}

fn scan_blocks(
    user: &User,
    session: Option<SessionId>,
    scan: &BlockScan,
    sink: &mut dyn ScanSink,
) -> Result<(), StoreError> {
    for (owner, block) in blocks(user, &scan.metric_types) {
        let touches = scan.stretches.iter().any(|s| block.t_min() < s.end && s.start <= block.t_max());
        if !touches || session.is_some_and(|s| s != owner) {
            continue;
        }
        let needs_arrays = block.len() < MIN_SUMMARISED_POINTS
            || match &scan.arrays {
                Arrays::Always => true,
                Arrays::WhereCut(edges) => edges.iter().any(|&e| block.t_min() < e && e <= block.t_max()),
            };
        let content = if needs_arrays {
            BlockContent::Whole(Box::new(block.clone()))
        } else {
            BlockContent::Summaries(block.summarise())
        };
        sink.block(ScannedBlock {
            session_id: owner,
            metric_type: block.metric_type,
            seq: block.seq,
            t_min: block.t_min(),
            t_max: block.t_max(),
            content,
        })?;
    }
    Ok(())
}

fn blocks<'a>(user: &'a User, types: &'a [MetricTypeId]) -> impl Iterator<Item = (SessionId, &'a Block)> {
    let all = user.sessions.iter().flat_map(|(id, session)| session.blocks.iter().map(move |b| (*id, b)));
    all.filter(|(_, block)| types.contains(&block.metric_type))
}
