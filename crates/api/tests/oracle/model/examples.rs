//! Small examples of the model that can be verified by hand.

use uuid::Uuid;

use crate::compare::aggregate_rows::bucket_label;
use crate::fixture::calendar::{Calendar, SECOND, Step};
use crate::fixture::catalogue::catalogue;
use crate::fixture::json::Json;
use crate::fixture::metric_type::MetricType;
use crate::fixture::session::{Point, Session};
use crate::model::aggregate::{Fill, GroupBy, Query, UserSessions};
use crate::model::axis::Axis;
use crate::model::expected::Expected;
use crate::model::rows::Column;
use crate::query::condition::Condition;

const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;

/// The index of `num.bare`, whose values are numbers.
fn bare_index() -> usize {
    catalogue()
        .iter()
        .position(|m| m.series == "num.bare")
        .expect("num.bare is in the catalogue")
}

/// A session of `num.bare`. Each point is a minute after midnight and a number.
fn session(id: u128, start_hour: Option<i64>, points: &[(i64, f64)]) -> Session {
    let metric_index = bare_index();
    Session {
        id: Uuid::from_u128(id),
        start: start_hour.map(|hour| hour * HOUR),
        points: points
            .iter()
            .map(|(minute, number)| Point {
                metric_index,
                time: minute * MINUTE,
                value: Json::number(*number),
            })
            .collect(),
    }
}

/// A query for hours of the first day.
fn query<'a>(
    catalogue: &'a [MetricType],
    sessions: &'a [Session],
    function: &'static str,
) -> Query<'a> {
    Query {
        catalogue,
        metric_indices: vec![bare_index()],
        users: vec![UserSessions {
            user: Uuid::nil(),
            sessions: sessions.iter().collect(),
        }],
        session: None,
        start: 0,
        end: 24 * HOUR,
        axis: Axis::Calendar(Calendar {
            step: Step::Elapsed(3_600),
            ..Calendar::utc()
        }),
        group_by: GroupBy::Nothing,
        functions: vec![function],
        over: Vec::new(),
        conditions: Vec::new(),
        fill: Fill::None,
        lookback: 0,
    }
}

/// Returns the time or the offset and the first result of each row.
fn rows(query: &Query<'_>) -> Vec<String> {
    let result = |column: &Column| match column {
        Column::Leaves(leaves) => leaves.values().map(number).collect(),
        Column::Text(expected) => number(expected),
    };
    let label = |bucket: i64| {
        bucket_label(query, bucket)
            .replace("1970-01-01T", "")
            .replace(":00+00:00", "")
    };
    query
        .answer()
        .iter()
        .map(|(key, row)| format!("{} {}", label(key.bucket), result(&row.columns[0])))
        .collect()
}

fn number(expected: &Expected) -> String {
    expected.bounds().map_or("null".to_owned(), |bounds| {
        format!("{}", (bounds.midpoint() * 1e6).round() / 1e6)
    })
}

#[test]
fn time_avg_holds_a_number_until_the_next_of_its_session() {
    let catalogue = catalogue();
    // The first session has 4 from 1:30 to 3:15 and 8 to 3:45; the single number of the other
    // holds for no time.
    let sessions = [
        session(1, None, &[(90, 4.0), (195, 8.0), (225, 2.0)]),
        session(2, None, &[(150, 100.0)]),
    ];
    let all = query(&catalogue, &sessions, "time_avg");
    assert_eq!(rows(&all), ["01:00 4", "02:00 4", "03:00 6.666667"]);
    let without_eight = Query {
        conditions: vec![Condition {
            leaf: "value".to_owned(),
            operator: "!=",
            number: 8.0,
        }],
        ..query(&catalogue, &sessions, "time_avg")
    };
    assert_eq!(rows(&without_eight), ["01:00 4", "02:00 4", "03:00 4"]);
}

#[test]
fn time_avg_of_one_instant_is_the_mean() {
    let catalogue = catalogue();
    let sessions = [session(2, None, &[(150, 100.0), (150, 50.0)])];
    let query = query(&catalogue, &sessions, "time_avg");
    assert_eq!(rows(&query), ["02:00 75"]);
}

/// A query from 02:00 to 07:00.
fn filled<'a>(
    catalogue: &'a [MetricType],
    sessions: &'a [Session],
    function: &'static str,
    fill: Fill,
) -> Query<'a> {
    Query {
        start: 2 * HOUR,
        end: 7 * HOUR,
        fill,
        ..query(catalogue, sessions, function)
    }
}

#[test]
fn fill_completes_the_buckets_of_the_range() {
    let catalogue = catalogue();
    let sessions = [session(1, None, &[(70, 1.0), (130, 2.0), (310, 8.0)])];
    let filled = |function, fill| rows(&filled(&catalogue, &sessions, function, fill));
    assert_eq!(
        filled("max", Fill::Zero),
        ["02:00 2", "03:00 0", "04:00 0", "05:00 8", "06:00 0"]
    );
    assert_eq!(
        filled("max", Fill::Previous),
        ["02:00 2", "03:00 2", "04:00 2", "05:00 8", "06:00 8"]
    );
    assert_eq!(
        filled("max", Fill::Linear),
        ["02:00 2", "03:00 4", "04:00 6", "05:00 8", "06:00 null"]
    );
    assert_eq!(
        filled("count", Fill::Previous),
        ["02:00 1", "03:00 0", "04:00 0", "05:00 1", "06:00 0"]
    );
}

#[test]
fn fill_uses_the_lookback_before_the_range() {
    let catalogue = catalogue();
    let sessions = [session(1, None, &[(70, 1.0), (130, 2.0), (310, 8.0)])];
    let from_half_past_two = |fill, lookback| {
        rows(&Query {
            start: 150 * MINUTE,
            lookback,
            ..filled(&catalogue, &sessions, "max", fill)
        })
    };
    assert_eq!(
        from_half_past_two(Fill::Null, 0),
        [
            "02:00 null",
            "03:00 null",
            "04:00 null",
            "05:00 8",
            "06:00 null"
        ]
    );
    assert_eq!(
        from_half_past_two(Fill::Previous, 0),
        [
            "02:00 null",
            "03:00 null",
            "04:00 null",
            "05:00 8",
            "06:00 8"
        ]
    );
    // The lookback includes the part of the first bucket that precedes the range.
    assert_eq!(
        from_half_past_two(Fill::Previous, HOUR),
        ["02:00 2", "03:00 2", "04:00 2", "05:00 8", "06:00 8"]
    );
    assert_eq!(
        from_half_past_two(Fill::Linear, HOUR),
        ["02:00 2", "03:00 4", "04:00 6", "05:00 8", "06:00 null"]
    );
}

#[test]
fn fill_adds_no_row_without_a_point_in_range_or_lookback() {
    let catalogue = catalogue();
    let sessions = [session(1, None, &[(70, 1.0), (130, 2.0), (310, 8.0)])];
    let query = Query {
        start: 6 * HOUR,
        lookback: MINUTE,
        ..filled(&catalogue, &sessions, "max", Fill::Previous)
    };
    assert_eq!(rows(&query), Vec::<String>::new());
}

#[test]
fn aligned_sessions_share_offsets() {
    let catalogue = catalogue();
    let sessions = [
        session(1, Some(2), &[(110, 1.0), (125, 2.0)]),
        session(2, None, &[(370, 4.0), (495, 8.0)]),
    ];
    let aligned = |fill| {
        rows(&Query {
            axis: Axis::Offset(HOUR),
            fill,
            ..query(&catalogue, &sessions, "sum")
        })
    };
    assert_eq!(aligned(Fill::None), ["-PT1H 1", "PT0S 6", "PT2H 8"]);
    assert_eq!(
        aligned(Fill::Linear),
        ["-PT1H 1", "PT0S 6", "PT1H 7", "PT2H 8"]
    );
}

#[test]
fn over_counts_each_session_once_in_the_bucket_of_its_first_point() {
    let catalogue = catalogue();
    let sessions = [
        session(1, None, &[(70, 1.0), (130, 9.0)]),
        session(2, None, &[(80, 3.0)]),
        session(3, None, &[(190, 4.0), (400, 6.0)]),
    ];
    let over = |function, over| Query {
        over: vec![over],
        ..query(&catalogue, &sessions, function)
    };
    assert_eq!(rows(&over("avg", "avg")), ["01:00 4", "03:00 5"]);
    assert_eq!(rows(&over("avg", "count")), ["01:00 2", "03:00 1"]);
    assert_eq!(rows(&over("max", "first")), ["01:00 9", "03:00 6"]);
    let from_two = Query {
        start: 2 * HOUR,
        ..over("count", "sum")
    };
    assert_eq!(
        rows(&from_two),
        ["02:00 1", "03:00 2"],
        "the first point in the range determines the bucket"
    );
    let by_user = Query {
        group_by: GroupBy::User,
        ..over("count", "sum")
    };
    assert_eq!(rows(&by_user), ["01:00 2", "02:00 1", "03:00 1", "06:00 1"]);
}
