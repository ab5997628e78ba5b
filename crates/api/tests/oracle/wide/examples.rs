//! Answers of the model that anybody can check by hand.

use uuid::Uuid;

use crate::calendar::{Calendar, SECOND, Step};
use crate::json::Json;
use crate::metrics::{Metric, catalogue};
use crate::model::{Point, Session};
use crate::wide::axis::Axis;
use crate::wide::compare::label;
use crate::wide::model::{Cell, Condition, Fill, GroupBy, Question};
use crate::wide::want::Want;

const HOUR: i64 = 3_600 * SECOND;

/// A session of `num.bare` that starts at an hour, with numbers at minutes after midnight.
fn session(number: u128, start: Option<i64>, points: &[(i64, f64)]) -> Session {
    let bare = catalogue()
        .iter()
        .position(|m| m.series == "num.bare")
        .expect("a series of ours");
    let point = |(minute, number): &(i64, f64)| Point {
        metric: bare,
        time: minute * 60 * SECOND,
        value: Json::number(*number),
    };
    Session {
        id: Uuid::from_u128(number),
        start: start.map(|at| at * HOUR),
        points: points.iter().map(point).collect(),
    }
}

fn question<'a>(
    catalogue: &'a [Metric],
    sessions: &'a [Session],
    function: &'static str,
) -> Question<'a> {
    Question {
        catalogue,
        chosen: vec![2],
        users: vec![(Uuid::nil(), sessions.iter().collect())],
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

/// The hours, minutes or offsets of an answer's rows, and what they say.
fn told(asked: &Question<'_>) -> Vec<String> {
    let says = |cell: &Cell| match cell {
        Cell::Leaves(leaves) => leaves.values().map(number).collect(),
        Cell::Text(want) => number(want),
    };
    let rows = asked.answer();
    let short = |bucket: i64| {
        label(asked, bucket)
            .replace("1970-01-01T", "")
            .replace(":00+00:00", "")
    };
    rows.iter()
        .map(|((_, bucket, _), row)| format!("{} {}", short(*bucket), says(&row.cells[0])))
        .collect()
}

fn number(want: &Want) -> String {
    want.span().map_or("null".to_owned(), |span| {
        format!("{}", (span.middle() * 1e6).round() / 1e6)
    })
}

#[test]
fn a_value_holds_until_the_next_of_its_session() {
    let catalogue = catalogue();
    // 4 from 1:30 to 3:15, 8 from there to 3:45; of another session 100 at 2:30, which holds for nothing.
    let sessions = [
        session(1, None, &[(90, 4.0), (195, 8.0), (225, 2.0)]),
        session(2, None, &[(150, 100.0)]),
    ];
    let asked = question(&catalogue, &sessions, "time_avg");
    assert_eq!(told(&asked), ["01:00 4", "02:00 4", "03:00 6.666667"]);
    let alone = [session(2, None, &[(150, 100.0), (150, 50.0)])];
    assert_eq!(
        told(&question(&catalogue, &alone, "time_avg")),
        ["02:00 75"]
    );
    let cut = Question {
        conditions: vec![Condition {
            leaf: "value".to_owned(),
            op: "!=",
            number: 8.0,
        }],
        ..question(&catalogue, &sessions, "time_avg")
    };
    assert_eq!(told(&cut), ["01:00 4", "02:00 4", "03:00 4"]);
}

#[test]
fn gaps_are_filled_from_their_neighbours() {
    let catalogue = catalogue();
    let sessions = [session(1, None, &[(70, 1.0), (130, 2.0), (310, 8.0)])];
    let asked = |function, fill, lookback| Question {
        start: 2 * HOUR,
        end: 7 * HOUR,
        fill,
        lookback,
        ..question(&catalogue, &sessions, function)
    };
    assert_eq!(
        told(&asked("max", Fill::Zero, 0)),
        ["02:00 2", "03:00 0", "04:00 0", "05:00 8", "06:00 0"]
    );
    assert_eq!(
        told(&asked("max", Fill::Previous, 0)),
        ["02:00 2", "03:00 2", "04:00 2", "05:00 8", "06:00 8"]
    );
    assert_eq!(
        told(&asked("max", Fill::Linear, 0)),
        ["02:00 2", "03:00 4", "04:00 6", "05:00 8", "06:00 null"]
    );
    assert_eq!(
        told(&asked("count", Fill::Previous, 0)),
        ["02:00 1", "03:00 0", "04:00 0", "05:00 1", "06:00 0"]
    );
    let late = |fill, lookback| Question {
        start: 150 * 60 * SECOND,
        ..asked("max", fill, lookback)
    };
    assert_eq!(
        told(&late(Fill::Null, 0)),
        [
            "02:00 null",
            "03:00 null",
            "04:00 null",
            "05:00 8",
            "06:00 null"
        ]
    );
    assert_eq!(
        told(&late(Fill::Previous, 0)),
        [
            "02:00 null",
            "03:00 null",
            "04:00 null",
            "05:00 8",
            "06:00 8"
        ]
    );
    // The part of the first bucket before the range is what is known.
    assert_eq!(
        told(&late(Fill::Previous, HOUR)),
        ["02:00 2", "03:00 2", "04:00 2", "05:00 8", "06:00 8"]
    );
    assert_eq!(
        told(&late(Fill::Linear, HOUR)),
        ["02:00 2", "03:00 4", "04:00 6", "05:00 8", "06:00 null"]
    );
    let none = Question {
        start: 6 * HOUR,
        lookback: 60 * SECOND,
        ..asked("max", Fill::Previous, 0)
    };
    assert!(
        told(&none).is_empty(),
        "nothing in the range, nothing in the minute before it"
    );
}

#[test]
fn sessions_are_laid_over_each_other() {
    let catalogue = catalogue();
    let sessions = [
        session(1, Some(2), &[(110, 1.0), (125, 2.0)]),
        session(2, None, &[(370, 4.0), (495, 8.0)]),
    ];
    let align = |function, fill| Question {
        axis: Axis::Offset(HOUR),
        fill,
        ..question(&catalogue, &sessions, function)
    };
    assert_eq!(
        told(&align("sum", Fill::None)),
        ["-PT1H 1", "PT0S 6", "PT2H 8"]
    );
    assert_eq!(
        told(&align("sum", Fill::Linear)),
        ["-PT1H 1", "PT0S 6", "PT1H 7", "PT2H 8"]
    );
}

#[test]
fn over_sessions_each_counts_once_where_it_begins() {
    let catalogue = catalogue();
    let sessions = [
        session(1, None, &[(70, 1.0), (130, 9.0)]),
        session(2, None, &[(80, 3.0)]),
        session(3, None, &[(190, 4.0), (400, 6.0)]),
    ];
    let over = |function, over| Question {
        over: vec![over],
        ..question(&catalogue, &sessions, function)
    };
    assert_eq!(told(&over("avg", "avg")), ["01:00 4", "03:00 5"]);
    assert_eq!(told(&over("avg", "count")), ["01:00 2", "03:00 1"]);
    assert_eq!(told(&over("max", "first")), ["01:00 9", "03:00 6"]);
    let late = Question {
        start: 2 * HOUR,
        ..over("count", "sum")
    };
    assert_eq!(
        told(&late),
        ["02:00 1", "03:00 2"],
        "a session begins with its first point in the range"
    );
    let by_user = Question {
        group_by: GroupBy::User,
        ..over("count", "sum")
    };
    assert_eq!(told(&by_user), ["01:00 2", "02:00 1", "03:00 1", "06:00 1"]);
}
