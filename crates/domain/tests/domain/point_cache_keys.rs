//! Cache keys of lists of points and of their pages.

use time_series_domain::ports::Order;
use time_series_domain::query::points::{PointPosition, PointSpec};
use time_series_domain::{MetricTypeId, SeriesMode, Timestamp};

use crate::cache_keys::{Change, assert_all_differ, filter, fingerprint, selector, session, user};

fn point_query() -> PointSpec {
    PointSpec {
        user_id: user(1),
        session_id: Some(session(1)),
        selector: selector("a,b", SeriesMode::Auto),
        range: Timestamp::from_micros(1_000)..Timestamp::from_micros(2_000),
        filter: Some(filter("r>1")),
        order: Order::Ascending,
        after: Some(position()),
        limit: Some(10),
    }
}

fn position() -> PointPosition {
    PointPosition {
        time: Timestamp::from_micros(5),
        metric_type: MetricTypeId(6),
        session_id: session(7),
        ordinal: 8,
    }
}

/// Changes of the selection of a list of points.
const LIST_CHANGES: &[Change<PointSpec>] = &[
    ("another user", |q| q.user_id = user(2)),
    ("another session", |q| q.session_id = Some(session(2))),
    ("no session", |q| q.session_id = None),
    ("another series", |q| {
        q.selector = selector("b", SeriesMode::Auto);
    }),
    ("an earlier start", |q| {
        q.range.start = Timestamp::from_micros(999);
    }),
    ("a later end", |q| {
        q.range.end = Timestamp::from_micros(2_001);
    }),
    ("another filter", |q| q.filter = Some(filter("r>2"))),
    ("no filter", |q| q.filter = None),
    ("another order", |q| q.order = Order::Descending),
];

/// Changes of the page of the list.
const PAGE_CHANGES: &[Change<PointSpec>] = &[
    ("the first page", |q| q.after = None),
    ("another time", |q| {
        q.after = Some(PointPosition {
            time: Timestamp::from_micros(6),
            ..position()
        });
    }),
    ("another series", |q| {
        q.after = Some(PointPosition {
            metric_type: MetricTypeId(5),
            ..position()
        });
    }),
    ("another place's session", |q| {
        q.after = Some(PointPosition {
            session_id: session(8),
            ..position()
        });
    }),
    ("another ordinal", |q| {
        q.after = Some(PointPosition {
            ordinal: 7,
            ..position()
        });
    }),
    ("another limit", |q| q.limit = Some(11)),
    ("no limit", |q| q.limit = None),
];

#[test]
fn every_change_of_a_query_of_points_changes_its_fingerprint() {
    let mut all = vec![("no change", fingerprint(&point_query()))];
    for (label, change) in LIST_CHANGES.iter().chain(PAGE_CHANGES) {
        let mut changed = point_query();
        change(&mut changed);
        all.push((label, fingerprint(&changed)));
    }
    assert_all_differ(&all);
}

#[test]
fn pages_of_one_list_share_its_fingerprint() {
    let mut lists = vec![("no change", point_query().list())];
    for (label, change) in LIST_CHANGES {
        let mut changed = point_query();
        change(&mut changed);
        lists.push((label, changed.list()));
    }
    assert_all_differ(&lists);
    for (label, change) in PAGE_CHANGES {
        let mut changed = point_query();
        change(&mut changed);
        assert_eq!(changed.list(), point_query().list(), "{label}");
    }
}
