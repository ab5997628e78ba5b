//! Random queries for raw points, before the data are known.

use proptest::prelude::*;
use proptest::sample::{Index, select};

use crate::query::condition::{ConditionSpec, condition_specs};
use crate::query::series::{SELECTIONS, SeriesSpec};
use crate::query::time_range::{TimeRangeSpec, time_range};

/// A query for points before the data are known.
#[derive(Debug, Clone)]
pub(crate) struct PointsSpec {
    pub(crate) series: SeriesSpec,
    /// The stored session that the query is restricted to.
    pub(crate) session: Option<Index>,
    /// True if a query for one session uses the route below that session.
    pub(crate) uses_session_route: bool,
    pub(crate) range: TimeRangeSpec,
    pub(crate) conditions: Vec<ConditionSpec>,
    pub(crate) descending: Option<bool>,
    /// Approximate number of pages.
    pub(crate) pages: usize,
    /// The `method` of downsampling.
    pub(crate) method: Option<&'static str>,
    /// `max_points` as a percentage of the points of the longest series.
    pub(crate) max_points_percent: usize,
}

pub(crate) fn points_spec() -> impl Strategy<Value = PointsSpec> {
    let series = prop_oneof![
        1 => select(SELECTIONS.to_vec()).prop_map(SeriesSpec::Selection),
        1 => any::<Index>().prop_map(SeriesSpec::OfPoint),
        1 => Just(SeriesSpec::Selection("")),
    ];
    let session = proptest::option::weighted(0.4, any::<Index>());
    let range = time_range((prop::bool::weighted(0.6), prop::bool::weighted(0.6)));
    let data = (series, session, any::<bool>(), range, condition_specs());
    let descending = select(vec![None, Some(false), Some(true)]);
    let method = select(vec![None, Some("lttb"), Some("minmax")]);
    let output = (descending, 1_usize..14, method, 1_usize..130);
    (data, output).prop_map(|(data, output)| {
        let (series, session, uses_session_route, range, conditions) = data;
        let (descending, pages, method, max_points_percent) = output;
        PointsSpec {
            series,
            session,
            uses_session_route,
            range,
            conditions,
            descending,
            pages,
            method,
            max_points_percent,
        }
    })
}
