//! Functions over what groups came to.

use std::collections::BTreeMap;

use uuid::Uuid;

use crate::wide::axis::Axis;
use crate::wide::functions::{Ties, Timed, aggregate};
use crate::wide::model::{Cell, Group, GroupBy, Path, Question, Row, Rows};
use crate::wide::texts::{self, Said};
use crate::wide::want::Want;

/// Rows of groups put together by bucket: for each function, a cell for each function over it.
pub(crate) fn across(asked: &Question<'_>, rows: Rows, start: i64) -> Rows {
    let mut members: BTreeMap<(String, i64), Vec<(Group, Row)>> = BTreeMap::new();
    for ((series, bucket, group), row) in rows {
        let bucket = match &asked.axis {
            Axis::Calendar(_) | Axis::Whole if asked.group_by != GroupBy::User => {
                asked.axis.bucket(row.begins[0], start)
            }
            _ => bucket,
        };
        members
            .entry((series, bucket))
            .or_default()
            .push((group, row));
    }
    let nobody = Group {
        user: None,
        session: None,
    };
    let joined = |members: &[(Group, Row)]| Row {
        cells: (0..asked.functions.len())
            .flat_map(|place| cells(asked, place, members))
            .collect(),
        begins: members
            .iter()
            .map(|(_, row)| row.begins)
            .min()
            .unwrap_or_default(),
    };
    members
        .into_iter()
        .map(|((series, bucket), members)| ((series, bucket, nobody), joined(&members)))
        .collect()
}

/// The cells of one function: one for each function over it.
fn cells(asked: &Question<'_>, place: usize, members: &[(Group, Row)]) -> Vec<Cell> {
    let over =
        |one: &dyn Fn(&str) -> Cell| asked.over.iter().map(|function| one(function)).collect();
    if let Cell::Text(_) = members[0].1.cells[place] {
        return over(&|function| Cell::Text(of_text(asked, function, place, members)));
    }
    let ties = if asked.group_by == GroupBy::User {
        Ties::ByValue
    } else {
        Ties::Any
    };
    // A held value has no point, so its place on a session's axis is unknown.
    let is_timeless = asked.is_aligned() && asked.functions.contains(&"time_avg");
    let mut leaves: BTreeMap<Path, Vec<Timed>> = BTreeMap::new();
    for (_, row) in members {
        let Cell::Leaves(found) = &row.cells[place] else {
            unreachable!("rows of a series are alike")
        };
        for (path, want) in found {
            let values = leaves.entry(path.clone()).or_default();
            let at = if is_timeless {
                [0; 2]
            } else {
                asked.clocks(row.begins)
            };
            values.extend(want.span().map(|span| Timed { at, span }));
        }
    }
    let ties = if is_timeless { Ties::Any } else { ties };
    over(&|function| {
        Cell::Leaves(
            leaves
                .iter()
                .map(|(path, values)| (path.clone(), aggregate(function, values, ties)))
                .collect(),
        )
    })
}

fn of_text(asked: &Question<'_>, function: &str, place: usize, members: &[(Group, Row)]) -> Want {
    let wants = members.iter().map(|(group, row)| match &row.cells[place] {
        Cell::Text(want) => (group, row, want),
        Cell::Leaves(_) => unreachable!("rows of a series are alike"),
    });
    let numbers: Option<Vec<Timed>> = wants
        .clone()
        .map(|(_, row, want)| {
            want.span().map(|span| Timed {
                at: asked.clocks(row.begins),
                span,
            })
        })
        .collect();
    if let Some(numbers) = numbers {
        return aggregate(
            function,
            &numbers,
            if asked.group_by == GroupBy::User {
                Ties::ByValue
            } else {
                Ties::Any
            },
        );
    }
    let said = wants.map(|(group, row, want)| Said {
        at: asked.clocks(row.begins),
        party: (
            group.user.unwrap_or_default(),
            group.session.unwrap_or_default(),
        ),
        rank: (Uuid::nil(), 0),
        values: want.values().into_iter().cloned().collect(),
    });
    texts::aggregate(function, &said.collect::<Vec<_>>())
}
