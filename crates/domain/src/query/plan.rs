//! Chooses the coarsest level that is exact for each stretch of the range.

use std::ops::Range;
use std::sync::Arc;

use super::AggFunction;
use super::aggregate::AggregateQuery;
use crate::bucket::Windows;
use crate::channel::ChannelId;
use crate::metric_type::MetricType;
use crate::ports::{Arrays, BlockScan, DayScan, ScanRequest, SummaryParts};
use crate::{MetricTypeId, Timestamp};

/// With more edges than this, looking each block up costs more than reading its arrays.
const MOST_EDGES: usize = 10_000;
/// What reads fewer days than this is answered in a millisecond and not worth a look into the cache.
const CHEAP_SUMMARY_DAYS: i64 = 90;
const CHEAP_BLOCK_DAYS: i64 = 2;

/// What will be read for a query.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) request: ScanRequest,
    /// The part of the range in which points can lie.
    pub(super) range: Range<Timestamp>,
    /// The series to aggregate, by name.
    pub(super) series: Vec<Arc<MetricType>>,
    /// Series without numbers, left out.
    pub(super) skipped: Vec<String>,
}

impl Plan {
    /// Plans `query` over `selected` metric types; `possible` is where points can lie.
    pub(super) fn new(
        query: &AggregateQuery,
        selected: Vec<Arc<MetricType>>,
        skipped: Vec<String>,
        possible: (Timestamp, Timestamp),
    ) -> Self {
        let range = query.range.start.max(possible.0)..query.range.end.min(possible.1);
        let (numeric, textual): (Vec<_>, Vec<_>) = selected.iter().partition(|t| !t.channels.is_empty());
        let windows = match query.session_id {
            Some(_) => Windows::without_days(&range),
            None => Windows::split(&query.calendar, &range),
        };
        let mut blocks = Vec::new();
        if !numeric.is_empty() && !windows.stretches.is_empty() {
            blocks.push(BlockScan {
                metric_types: ids(&numeric),
                arrays: Self::arrays(query, &windows.stretches),
                stretches: windows.stretches,
                remainder: false,
            });
        }
        if !textual.is_empty() && !range.is_empty() {
            blocks.push(BlockScan {
                metric_types: ids(&textual),
                stretches: vec![range.clone()],
                arrays: Arrays::Always,
                remainder: true,
            });
        }
        let channels: Vec<ChannelId> = numeric.iter().flat_map(|t| &t.channels).map(|c| c.id).collect();
        let days = (!channels.is_empty() && !windows.windows.is_empty()).then_some(DayScan {
            channels,
            windows: windows.windows,
            parts: parts(&query.functions),
        });
        Self {
            request: ScanRequest { user_id: query.user_id, session_id: query.session_id, days, blocks },
            range,
            series: selected,
            skipped,
        }
    }

    /// Whether a look into the cache could be worth its time.
    pub(super) fn may_be_expensive(&self) -> bool {
        let days = |r: &Range<Timestamp>| r.end.utc_day().0 - r.start.utc_day().0;
        let block_days: i64 = self.request.blocks.iter().flat_map(|b| &b.stretches).map(days).sum();
        let windows = self.request.days.iter().flat_map(|d| &d.windows);
        let summary_days: i64 = windows.map(|w| w.days.end.0 - w.days.start.0).sum();
        block_days > CHEAP_BLOCK_DAYS || summary_days > CHEAP_SUMMARY_DAYS
    }

    /// Arrays are needed where a bucket's edge, or an end of the range, cuts a block.
    fn arrays(query: &AggregateQuery, stretches: &[Range<Timestamp>]) -> Arrays {
        let mut edges = Vec::new();
        for stretch in stretches {
            edges.push(stretch.start);
            for bucket in query.calendar.buckets(stretch.clone()) {
                edges.push(bucket.end.min(stretch.end));
                if edges.len() > MOST_EDGES {
                    return Arrays::Always;
                }
            }
        }
        edges.dedup();
        Arrays::WhereCut(edges)
    }
}

fn ids(types: &[&Arc<MetricType>]) -> Vec<MetricTypeId> {
    types.iter().map(|t| t.id).collect()
}

fn parts(functions: &[AggFunction]) -> SummaryParts {
    if functions.iter().all(|f| f.parts() == SummaryParts::Basic) { SummaryParts::Basic } else { SummaryParts::Full }
}
