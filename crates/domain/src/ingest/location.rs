//! The locations of points in the body.

use super::leaf_columns::{Leaf, Leaves, sent_pointer};
use crate::json::Pointer;

/// The locations of the points of a session in the body.
#[derive(Debug, Default)]
pub(super) struct Locations {
    /// The entries of `data` that have columns; empty if every entry is a point.
    columns: Vec<Columns>,
    /// The line of each point, if the points are rows.
    lines: Vec<u64>,
}

#[derive(Debug)]
struct Columns {
    /// The index of the entry in `data`.
    entry: usize,
    /// The number of the first point.
    first: usize,
    /// Number of points.
    len: usize,
    /// The leaves, if the entry has one array per leaf.
    leaves: Option<Leaves>,
}

/// The location of a point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Location<'a> {
    /// An entry of `data`.
    Entry(usize),
    /// An index in the columns of an entry.
    Column {
        entry: usize,
        index: usize,
        leaves: Option<&'a [Leaf]>,
    },
    /// A row, by its line.
    Row(u64),
}

impl Locations {
    /// Adds an entry with columns, whose first point has the number `first`.
    pub(super) fn push(&mut self, entry: usize, first: usize, len: usize, leaves: Option<Leaves>) {
        self.columns.push(Columns {
            entry,
            first,
            len,
            leaves,
        });
    }

    /// Sets the leaves of the columns whose first point has the number `first`.
    pub(super) fn set_leaves(&mut self, first: usize, leaves: Leaves) {
        if let Some(columns) = self
            .columns
            .iter_mut()
            .find(|columns| columns.first == first && columns.len > 0)
        {
            columns.leaves = Some(leaves);
        }
    }

    /// Creates the locations of points that are rows.
    pub(super) fn of_rows(lines: impl Iterator<Item = u64>) -> Self {
        Self {
            columns: Vec::new(),
            lines: lines.collect(),
        }
    }

    /// Returns the location of the point with this number.
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
            // Each entry after these columns is one point.
            Some(after) => Location::Entry(columns.entry + 1 + after),
            None => Location::Column {
                entry: columns.entry,
                index: point - columns.first,
                leaves: columns.leaves.as_deref(),
            },
        }
    }
}

impl Location<'_> {
    /// Returns whether errors of the whole entry are reported at this point.
    pub(super) const fn is_first_of_entry(&self) -> bool {
        matches!(
            self,
            Self::Entry(_) | Self::Row(_) | Self::Column { index: 0, .. }
        )
    }

    /// The index of the entry in `data`.
    pub(super) const fn index(&self) -> Option<usize> {
        match self {
            Self::Entry(entry) | Self::Column { entry, .. } => Some(*entry),
            Self::Row(_) => None,
        }
    }

    /// Returns the pointer to the entry.
    pub(super) fn entry(&self) -> String {
        match self {
            Self::Entry(entry) | Self::Column { entry, .. } => format!("/data/{entry}"),
            Self::Row(line) => format!("/{line}"),
        }
    }

    /// Returns the pointer to the time, below the entry.
    pub(super) fn time(&self) -> String {
        match self {
            Self::Entry(_) | Self::Row(_) => "/time".to_owned(),
            Self::Column { index, .. } => format!("/times/{index}"),
        }
    }

    /// Returns the pointer to `inner` of the value, below the entry.
    pub(super) fn value(&self, inner: &Pointer) -> String {
        match self {
            Self::Entry(_) => format!("/value{inner}"),
            // The name of the column.
            Self::Row(_) => format!("/{}", inner.dotted()),
            Self::Column {
                index,
                leaves: None,
                ..
            } => format!("/values/{index}{inner}"),
            // The leaf precedes the index.
            Self::Column {
                index,
                leaves: Some(leaves),
                ..
            } => {
                format!("/values{}", sent_pointer(leaves, *index, inner))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    use super::super::leaf_columns::find_leaves;

    #[test]
    fn entries_may_be_points_and_columns_in_any_order() {
        let raw: &serde_json::value::RawValue =
            serde_json::from_str(r#"{"r":[1,2]}"#).expect("JSON");
        let (leaves, _) = find_leaves(raw.get(), raw, &mut |_| {}).expect("a leaf");
        let mut locations = Locations::default();
        locations.push(1, 1, 3, None);
        locations.push(2, 4, 2, Some(leaves));
        let shown = |point| {
            let location = locations.of(point);
            let inner = Pointer::parse("/r/x").expect("a pointer");
            let value = location.value(&inner);
            format!("{} {} {value}", location.entry(), location.time())
        };
        assert_eq!(shown(0), "/data/0 /time /value/r/x");
        assert_eq!(shown(1), "/data/1 /times/0 /values/0/r/x");
        assert_eq!(shown(3), "/data/1 /times/2 /values/2/r/x");
        assert_eq!(shown(5), "/data/2 /times/1 /values/r/1/x");
        assert_eq!(shown(6), "/data/3 /time /value/r/x");
        assert_eq!(shown(8), "/data/5 /time /value/r/x");
    }

    #[test]
    fn the_pointer_of_a_row_is_its_line() {
        let locations = Locations::of_rows([2, 4].into_iter());
        let location = locations.of(1);
        let inner = Pointer::parse("/r/x").expect("a pointer");
        assert_eq!(
            [location.entry(), location.time(), location.value(&inner)],
            ["/4", "/time", "/r.x"]
        );
    }
}
