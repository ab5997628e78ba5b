//! In-memory implementation of the point store.

use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::ops::Range;

use async_trait::async_trait;

use super::{MemoryStore, User};
use crate::block::Block;
use crate::ports::{
    BlockContent, BlockSink, CatalogueView, DataVersion, Order, PointScan, PointStore,
    ScannedBlock, SeriesExtent, StoreError,
};
use crate::{MetricTypeId, SessionId, Timestamp, UserId};

#[async_trait]
impl PointStore for MemoryStore {
    async fn scan_in_order(
        &self,
        scan: &PointScan,
        sink: &mut dyn BlockSink,
    ) -> Result<(), StoreError> {
        let (data_version, present, blocks) = {
            let state = self.state();
            state.check(&[scan.user_id], &scan.view)?;
            let user = state.users.get(&scan.user_id);
            let in_scan = |b: &ScannedBlock| {
                scan.metric_types.contains(&b.metric_type)
                    && scan.session_id.is_none_or(|s| s == b.session_id)
                    && b.t_min < scan.range.end
                    && scan.range.start <= b.t_max
            };
            let mut blocks: Vec<ScannedBlock> = user
                .into_iter()
                .flat_map(|u| blocks(scan.user_id, u))
                .filter(in_scan)
                .collect();
            match scan.order {
                Order::Ascending => blocks.sort_by_key(|b| b.t_min),
                Order::Descending => blocks.sort_by_key(|b| Reverse(b.t_max)),
            }
            let present = state.present(&[scan.user_id], scan.session_id, &scan.presence);
            (state.data_version(&[scan.user_id]), present, blocks)
        };
        sink.begin(data_version, present).await?;
        for block in blocks {
            if sink.block(block).await?.is_break() {
                break;
            }
        }
        Ok(())
    }

    async fn last_blocks(
        &self,
        user: UserId,
        series: &[MetricTypeId],
        view: &CatalogueView,
    ) -> Result<(DataVersion, Vec<ScannedBlock>), StoreError> {
        let state = self.state();
        state.check(&[user], view)?;
        let of_user = || {
            state
                .users
                .get(&user)
                .into_iter()
                .flat_map(|u| blocks(user, u))
        };
        let last = |id: &MetricTypeId| {
            of_user()
                .filter(|b| b.metric_type == *id)
                .max_by_key(|b| (b.t_max, b.session_id, b.seq))
        };
        Ok((
            state.data_version(&[user]),
            series.iter().filter_map(last).collect(),
        ))
    }

    async fn extents(
        &self,
        user: UserId,
        series: &[MetricTypeId],
        range: Range<Timestamp>,
        view: &CatalogueView,
    ) -> Result<(DataVersion, Vec<SeriesExtent>), StoreError> {
        let state = self.state();
        state.check(&[user], view)?;
        let extent = |id: &MetricTypeId| {
            let all = state.users.get(&user).into_iter().flat_map(blocks_of);
            let of_series: Vec<(SessionId, &Block)> = all
                .filter(|(_, b)| {
                    b.metric_type == *id && b.t_min() < range.end && range.start <= b.t_max()
                })
                .collect();
            let sessions: BTreeSet<SessionId> =
                of_series.iter().map(|(session, _)| *session).collect();
            Some(SeriesExtent {
                metric_type: *id,
                first_time: of_series.iter().map(|(_, b)| b.t_min()).min()?,
                last_time: of_series.iter().map(|(_, b)| b.t_max()).max()?,
                points: of_series.iter().map(|(_, b)| b.len() as u64).sum(),
                sessions: sessions.len() as u64,
            })
        };
        Ok((
            state.data_version(&[user]),
            series.iter().filter_map(extent).collect(),
        ))
    }
}

fn blocks_of(user: &User) -> impl Iterator<Item = (SessionId, &Block)> {
    user.sessions
        .iter()
        .flat_map(|(id, session)| session.blocks.iter().map(move |b| (*id, b)))
}

fn blocks(id: UserId, user: &User) -> impl Iterator<Item = ScannedBlock> + '_ {
    blocks_of(user).map(move |(session_id, block)| ScannedBlock {
        user_id: id,
        session_id,
        metric_type: block.metric_type,
        seq: block.seq,
        t_min: block.t_min(),
        t_max: block.t_max(),
        content: BlockContent::Whole(Box::new(block.clone())),
    })
}
