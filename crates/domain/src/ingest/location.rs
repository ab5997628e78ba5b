//! Where in the body a point stands.

use super::leaf_columns::{Leaf, Leaves, sent_pointer};
use crate::json::Pointer;

/// Where the points of a session stand in the body.
#[derive(Debug, Default)]
pub(super) struct Locations {
    /// Entries of `data` that are columns, with their first points; empty where every entry is a point.
    columns: Vec<Columns>,
    /// The lines of points that are rows.
    lines: Vec<u64>,
}

#[derive(Debug)]
struct Columns {
    entry: usize,
    first: usize,
    len: usize,
    /// The leaves, if there is an array for each.
    leaves: Option<Leaves>,
}

/// Where one point stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Location<'a> {
    /// An entry of `data`.
    Entry(usize),
    /// A place in the columns of an entry.
    Column {
        entry: usize,
        place: usize,
        leaves: Option<&'a [Leaf]>,
    },
    /// A row in a line of its own.
    Row(u64),
}

impl Locations {
    /// Notes that an entry has columns, of points from `first` on.
    pub(super) fn push(&mut self, entry: usize, first: usize, len: usize, leaves: Option<Leaves>) {
        self.columns.push(Columns {
            entry,
            first,
            len,
            leaves,
        });
    }

    /// Notes how the leaves of the columns are called whose first point is `first`.
    pub(super) fn set_leaves(&mut self, first: usize, leaves: Leaves) {
        if let Some(columns) = self
            .columns
            .iter_mut()
            .find(|columns| columns.first == first && columns.len > 0)
        {
            columns.leaves = Some(leaves);
        }
    }

    /// Of points that are rows.
    pub(super) fn of_rows(lines: impl Iterator<Item = u64>) -> Self {
        Self {
            columns: Vec::new(),
            lines: lines.collect(),
        }
    }

    /// Where a point stands, by its number.
    pub(super) fn of(&self, point: usize) -> Location<'_> {
        if let Some(line) = self.lines.get(point) {
            return Location::Row(*line);
        }
        let before = self
            .columns
            .partition_point(|columns| columns.first <= point);
        let Some(columns) = self.columns[..before].last() else {
            return Location::Entry(point);
        };
        match point.checked_sub(columns.first + columns.len) {
            // One entry a point since then.
            Some(after) => Location::Entry(columns.entry + 1 + after),
            None => Location::Column {
                entry: columns.entry,
                place: point - columns.first,
                leaves: columns.leaves.as_deref(),
            },
        }
    }
}

impl Location<'_> {
    /// Whether what is wrong with the entry as a whole should be told at this point.
    pub(super) const fn is_first_of_entry(&self) -> bool {
        matches!(
            self,
            Self::Entry(_) | Self::Row(_) | Self::Column { place: 0, .. }
        )
    }

    /// Its entry's place in `data`.
    pub(super) const fn index(&self) -> Option<usize> {
        match self {
            Self::Entry(entry) | Self::Column { entry, .. } => Some(*entry),
            Self::Row(_) => None,
        }
    }

    /// A pointer to its entry.
    pub(super) fn entry(&self) -> String {
        match self {
            Self::Entry(entry) | Self::Column { entry, .. } => format!("/data/{entry}"),
            Self::Row(line) => format!("/{line}"),
        }
    }

    /// A pointer to its time, below the entry.
    pub(super) fn time(&self) -> String {
        match self {
            Self::Entry(_) | Self::Row(_) => "/time".to_owned(),
            Self::Column { place, .. } => format!("/times/{place}"),
        }
    }

    /// A pointer to `inner` of its value, below the entry.
    pub(super) fn value(&self, inner: &Pointer) -> String {
        match self {
            Self::Entry(_) => format!("/value{inner}"),
            // Its column.
            Self::Row(_) => format!("/{}", inner.dotted()),
            Self::Column {
                place,
                leaves: None,
                ..
            } => format!("/values/{place}{inner}"),
            // The leaf comes before the place.
            Self::Column {
                place,
                leaves: Some(leaves),
                ..
            } => {
                format!("/values{}", sent_pointer(leaves, *place, inner))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    use super::super::leaf_columns::find_leaves;

    #[test]
    fn points_and_columns_may_stand_in_turn() {
        let raw: &serde_json::value::RawValue =
            serde_json::from_str(r#"{"r":[1,2]}"#).expect("JSON");
        let (leaves, _) = find_leaves(raw.get(), raw, &mut |_, _, _| {}).expect("a leaf");
        let mut locations = Locations::default();
        locations.push(1, 1, 3, None);
        locations.push(2, 4, 2, Some(leaves));
        let shown = |point| {
            let place = locations.of(point);
            let inner = Pointer::parse("/r/x").expect("a pointer");
            format!("{} {} {}", place.entry(), place.time(), place.value(&inner))
        };
        assert_eq!(shown(0), "/data/0 /time /value/r/x");
        assert_eq!(shown(1), "/data/1 /times/0 /values/0/r/x");
        assert_eq!(shown(3), "/data/1 /times/2 /values/2/r/x");
        assert_eq!(shown(5), "/data/2 /times/1 /values/r/1/x");
        assert_eq!(shown(6), "/data/3 /time /value/r/x");
        assert_eq!(shown(8), "/data/5 /time /value/r/x");
    }

    #[test]
    fn a_row_stands_in_its_line() {
        let locations = Locations::of_rows([2, 4].into_iter());
        let place = locations.of(1);
        let inner = Pointer::parse("/r/x").expect("a pointer");
        assert_eq!(
            [place.entry(), place.time(), place.value(&inner)],
            ["/4", "/time", "/r.x"]
        );
    }
}
