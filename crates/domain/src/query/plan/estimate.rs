//! Estimate, from day summaries, of the points that a query would read.

use std::collections::HashMap;
use std::ops::Range;

use super::scan_plan::Plan;
use crate::bucket::{DaySplit, DayWindow, Interval};
use crate::channel::ChannelId;
use crate::ports::{
    DayScan, Presence, ScanRequest, ScanSink, ScannedBlock, StoreError, SummaryParts,
};
use crate::query::spec::{Axis, GroupBy};
use crate::{SessionId, Summary, Timestamp, UserId, UtcDay};

/// Minimum days of arrays for which a query is estimated before it is executed.
const MIN_ESTIMATED_DAYS: i64 = 7;

/// Counts the values that a query would read.
pub(in crate::query) struct Estimate {
    pub(in crate::query) request: ScanRequest,
    /// The number of values by channel and window.
    values: HashMap<(ChannelId, usize), u64>,
    /// True if each window is the whole days of one bucket; otherwise there is one window.
    by_bucket: bool,
}

impl Estimate {
    /// Returns the estimate of a plan; `None` if the plan is cheap, or if day summaries do not show
    /// what it reads.
    pub(in crate::query) fn of(plan: &Plan) -> Option<Self> {
        let users = i64::try_from(plan.request.users.len()).unwrap_or(i64::MAX);
        if !plan.reads_every_point() || plan.block_days().saturating_mul(users) < MIN_ESTIMATED_DAYS
        {
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
            values: HashMap::new(),
            by_bucket,
        })
    }

    /// Returns the minimum number of points read: the values of the fullest channel of each series.
    pub(in crate::query) fn points(&self, plan: &Plan) -> u64 {
        let channel = |id: ChannelId| {
            self.values
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

    /// Returns the minimum number of values of the fullest bucket, counted over its whole days; 0
    /// if buckets are short or divided into groups.
    pub(in crate::query) fn most_values(&self, plan: &Plan, group_by: GroupBy) -> u64 {
        let is_short = plan
            .axis
            .calendar()
            .is_none_or(|c| matches!(c.interval(), Interval::Seconds(_)));
        if is_short || !self.by_bucket || group_by != GroupBy::Nothing {
            return 0;
        }
        self.values.values().copied().max().unwrap_or(0)
    }
}

/// Returns the whole UTC days of each bucket of lookback and range, and true. If no bucket contains
/// a whole day, returns those of the whole range as one window, and false. Returns `None` if the
/// range contains no whole day.
fn windows(plan: &Plan) -> Option<(Vec<DayWindow>, bool)> {
    if let Axis::Calendar(calendar) = &plan.axis {
        let range_start = plan.range_start.clamp(plan.range.start, plan.range.end);
        let parts = [plan.range.start..range_start, range_start..plan.range.end];
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
        *self.values.entry((channel, window)).or_default() += summary.count();
        Ok(())
    }

    fn session(&mut self, _: UserId, _: SessionId, _: Timestamp) -> Result<(), StoreError> {
        Ok(())
    }

    fn block(&mut self, _: ScannedBlock) -> Result<(), StoreError> {
        Ok(())
    }
}
