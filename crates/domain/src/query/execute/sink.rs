//! Sink of a scan: passes day summaries, session starts and blocks to the fold.

use super::fold::Fold;
use super::rows::RangePart;
use crate::channel::ChannelId;
use crate::ports::{ScanSink, ScannedBlock, StoreError};
use crate::query::answer::Group;
use crate::{MetricTypeId, SessionId, Summary, Timestamp, UserId};

impl ScanSink for Fold<'_> {
    fn days(
        &mut self,
        user: Option<UserId>,
        channel: ChannelId,
        window: usize,
        summary: Summary,
    ) -> Result<(), StoreError> {
        self.stats.day_rows += 1;
        self.timed(|fold| {
            let part = if window < fold.plan.lookback_windows {
                RangePart::Lookback
            } else {
                RangePart::Requested
            };
            let window = fold
                .plan
                .request
                .days
                .as_ref()
                .and_then(|days| days.windows.get(window));
            let (Some(&(series, channel)), Some(window)) = (fold.channel_of.get(&channel), window)
            else {
                return Ok(());
            };
            if summary.count() == 0 {
                return Ok(());
            }
            let group = match user {
                Some(user) => fold.group(user, None),
                None => fold.groups.number(Group::default()),
            };
            fold.merge(
                series,
                part,
                (window.bucket, group),
                std::iter::once((channel, summary)),
            )
        })
    }

    fn session(
        &mut self,
        user: UserId,
        session: SessionId,
        start: Timestamp,
    ) -> Result<(), StoreError> {
        self.starts.insert((user, session), start);
        Ok(())
    }

    fn present(&mut self, metric_types: Vec<MetricTypeId>) {
        self.present = metric_types;
    }

    fn block(&mut self, block: ScannedBlock) -> Result<(), StoreError> {
        self.timed(|fold| fold.block(&block))
    }
}
