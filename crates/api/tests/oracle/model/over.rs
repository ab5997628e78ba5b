//! Reference implementation of `over`: functions of the results of groups.

use std::collections::BTreeMap;

use uuid::Uuid;

use crate::fixture::metric_type::Path;
use crate::model::aggregate::{GroupBy, Query};
use crate::model::axis::Axis;
use crate::model::expected::Expected;
use crate::model::functions::{TieBreak, TimedNumber, aggregate};
use crate::model::rows::{Column, GroupKey, Position, Row, RowKey, Rows};
use crate::model::text::{self, TextValue};

/// The row of a group.
struct Member {
    group: GroupKey,
    row: Row,
}

/// Combines the rows of groups by series and bucket. Each function becomes a column for each
/// function over it.
pub(crate) fn combined(query: &Query<'_>, rows: Rows, start: i64) -> Rows {
    let mut members: BTreeMap<RowKey, Vec<Member>> = BTreeMap::new();
    for (key, row) in rows {
        let RowKey {
            series,
            mut bucket,
            group,
        } = key;
        let counts_at_first_point = matches!(query.axis, Axis::Calendar(_) | Axis::Whole)
            && query.group_by != GroupBy::User;
        if counts_at_first_point {
            bucket = query.axis.bucket(row.first.instant, start);
        }
        let combined_key = RowKey {
            series,
            bucket,
            group: GroupKey::NONE,
        };
        let members = members.entry(combined_key).or_default();
        members.push(Member { group, row });
    }
    members
        .into_iter()
        .map(|(key, members)| (key, combined_row(query, &members)))
        .collect()
}

fn combined_row(query: &Query<'_>, members: &[Member]) -> Row {
    Row {
        columns: (0..query.functions.len())
            .flat_map(|index| combined_columns(query, index, members))
            .collect(),
        first: members
            .iter()
            .map(|member| member.row.first)
            .min()
            .unwrap_or(Position::at(0)),
    }
}

/// The columns of the function at `index`: one for each function over it.
fn combined_columns(query: &Query<'_>, index: usize, members: &[Member]) -> Vec<Column> {
    if members[0].row.columns[index].is_text() {
        return query
            .over
            .iter()
            .map(|function| Column::Text(over_text(query, function, index, members)))
            .collect();
    }
    // A bucket in which a number only holds has no point, so that its offset is undetermined.
    let is_timeless = query.is_aligned() && query.functions.contains(&"time_avg");
    let mut leaves: BTreeMap<Path, Vec<TimedNumber>> = BTreeMap::new();
    for Member { row, .. } in members {
        let position = if is_timeless {
            Position::at(0)
        } else {
            query.clocks(row.first)
        };
        for (path, expected) in row.columns[index].leaves() {
            let numbers = leaves.entry(path.clone()).or_default();
            let bounds = expected.bounds();
            numbers.extend(bounds.map(|bounds| TimedNumber { position, bounds }));
        }
    }
    let ties = if is_timeless {
        TieBreak::Any
    } else {
        tie_break(query)
    };
    query
        .over
        .iter()
        .map(|function| {
            Column::Leaves(
                leaves
                    .iter()
                    .map(|(path, numbers)| (path.clone(), aggregate(function, numbers, ties)))
                    .collect(),
            )
        })
        .collect()
}

fn tie_break(query: &Query<'_>) -> TieBreak {
    if query.group_by == GroupBy::User {
        TieBreak::ByValue
    } else {
        TieBreak::Any
    }
}

fn over_text(query: &Query<'_>, function: &str, index: usize, members: &[Member]) -> Expected {
    let numbers: Option<Vec<TimedNumber>> = members
        .iter()
        .map(|Member { row, .. }| {
            let bounds = row.columns[index].text().bounds()?;
            let position = query.clocks(row.first);
            Some(TimedNumber { position, bounds })
        })
        .collect();
    if let Some(numbers) = numbers {
        return aggregate(function, &numbers, tie_break(query));
    }
    let values: Vec<TextValue> = members
        .iter()
        .map(|Member { group, row }| TextValue {
            position: query.clocks(row.first),
            ordered_within: *group,
            session: Uuid::nil(),
            arrival: 0,
            alternatives: row.columns[index]
                .text()
                .json_values()
                .into_iter()
                .cloned()
                .collect(),
        })
        .collect();
    text::aggregate(function, &values)
}
