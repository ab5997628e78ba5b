//! What a query would read, from day summaries, before it is run.

use std::collections::HashMap;
use std::ops::Range;

use super::Plan;
use crate::bucket::{DaySplit, DayWindow, Interval};
use crate::channel::ChannelId;
use crate::ports::{
    DayScan, Presence, ScanRequest, ScanSink, ScannedBlock, StoreError, SummaryParts,
};
use crate::query::ask::{Axis, GroupBy};
use crate::{SessionId, Summary, Timestamp, UserId, UtcDay};

/// What reads the arrays of fewer days than this is run without being estimated first.
const CHEAP_DAYS: i64 = 7;

/// Counts the values that a query would read.
pub(in crate::query) struct Estimate {
    pub(in crate::query) request: ScanRequest,
    /// By window, the values of each channel.
    found: HashMap<(ChannelId, usize), u64>,
    /// A window is what is whole of a bucket, and not all there is.
    by_bucket: bool,
}

impl Estimate {
    /// How to estimate a plan; `None` if it is cheap anyway, or if summaries cannot tell what it reads.
    pub(in crate::query) fn of(plan: &Plan) -> Option<Self> {
        let users = i64::try_from(plan.request.users.len()).unwrap_or(i64::MAX);
        if !plan.reads_every_point() || plan.block_days().saturating_mul(users) < CHEAP_DAYS {
            return None;
        }
        let numeric = plan.series.iter().flat_map(|s| &s.metric_type.channels);
        let (windows, by_bucket) = windows(plan)?;
        let days = DayScan {
            channels: numeric.map(|c| c.id).collect(),
            windows,
            parts: SummaryParts::Basic,
            by_user: false,
        };
        let request = ScanRequest {
            users: plan.request.users.clone(),
            view: plan.request.view.clone(),
            session_id: None,
            starts: None,
            days: Some(days),
            blocks: Vec::new(),
            presence: Presence {
                metric_types: Vec::new(),
                range: plan.range.clone(),
            },
        };
        Some(Self {
            request,
            found: HashMap::new(),
            by_bucket,
        })
    }

    /// How many points are read at least: of each series the values of its fullest channel.
    pub(in crate::query) fn points(&self, plan: &Plan) -> u64 {
        let channel = |id: ChannelId| {
            self.found
                .iter()
                .filter(|((c, _), _)| *c == id)
                .map(|(_, n)| n)
                .sum::<u64>()
        };
        let of_series = plan
            .series
            .iter()
            .map(|s| s.metric_type.channels.iter().map(|c| channel(c.id)).max());
        of_series.flatten().sum()
    }

    /// The values of the fullest bucket, as far as it holds whole days, where everything in a bucket is merged.
    pub(in crate::query) fn most_values(&self, plan: &Plan, group_by: GroupBy) -> u64 {
        let is_short = plan
            .axis
            .calendar()
            .is_none_or(|c| matches!(c.interval(), Interval::Seconds(_)));
        if is_short || !self.by_bucket || group_by != GroupBy::Nothing {
            return 0;
        }
        self.found.values().copied().max().unwrap_or(0)
    }
}

/// The whole days of each bucket of the lookback and of what is asked, and true; those of the whole range where no bucket
/// holds a whole day of UTC, and false. `None` if there is no whole day.
fn windows(plan: &Plan) -> Option<(Vec<DayWindow>, bool)> {
    if let Axis::Calendar(calendar) = &plan.axis {
        let cut = plan.asked_from.clamp(plan.range.start, plan.range.end);
        let parts = [plan.range.start..cut, cut..plan.range.end];
        let of_part = |part: &Range<Timestamp>| DaySplit::split(calendar, part).windows;
        let windows: Vec<DayWindow> = parts
            .iter()
            .filter(|p| !p.is_empty())
            .flat_map(of_part)
            .collect();
        if !windows.is_empty() {
            return Some((windows, true));
        }
    }
    let days = UtcDay::ceil(plan.range.start)..plan.range.end.utc_day();
    (!days.is_empty()).then(|| {
        (
            vec![DayWindow {
                bucket: plan.range.start,
                days,
            }],
            false,
        )
    })
}

impl ScanSink for Estimate {
    fn days(
        &mut self,
        _: Option<UserId>,
        channel: ChannelId,
        window: usize,
        summary: Summary,
    ) -> Result<(), StoreError> {
        *self.found.entry((channel, window)).or_default() += summary.count();
        Ok(())
    }

    fn session(&mut self, _: UserId, _: SessionId, _: Timestamp) -> Result<(), StoreError> {
        Ok(())
    }

    fn block(&mut self, _: ScannedBlock) -> Result<(), StoreError> {
        Ok(())
    }
}
