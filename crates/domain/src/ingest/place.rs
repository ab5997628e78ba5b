//! Where in the body a point stands.

use super::columns_body::Form;

/// Where the points of a session stand in `data`.
#[derive(Debug, Default)]
pub(super) struct Places {
    /// Entries that are columns, with their first points; empty where every entry is a point.
    columns: Vec<Columns>,
}

#[derive(Debug, Clone, Copy)]
struct Columns {
    entry: usize,
    first: usize,
    len: usize,
    form: Form,
}

/// Where one point stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    /// The place of its entry in `data`.
    pub(super) entry: usize,
    /// Its place in the columns of the entry, if it is one of several.
    column: Option<(usize, Form)>,
}

impl Places {
    /// Notes that an entry has columns, of points from `first` on.
    pub(super) fn push(&mut self, entry: usize, first: usize, len: usize, form: Form) {
        self.columns.push(Columns { entry, first, len, form });
    }

    /// Where a point stands, by its number.
    pub(super) fn of(&self, point: usize) -> Place {
        let before = self.columns.partition_point(|columns| columns.first <= point);
        let Some(columns) = self.columns[..before].last() else { return Place { entry: point, column: None } };
        match point.checked_sub(columns.first + columns.len) {
            // One entry a point since then.
            Some(after) => Place { entry: columns.entry + 1 + after, column: None },
            None => Place { entry: columns.entry, column: Some((point - columns.first, columns.form)) },
        }
    }
}

impl Place {
    /// Whether what is wrong with the entry as a whole should be told at this point.
    pub(super) fn is_first_of_entry(&self) -> bool {
        self.column.is_none_or(|(place, _)| place == 0)
    }

    /// A pointer to its time, below the entry.
    pub(super) fn time(&self) -> String {
        self.column.map_or_else(|| "/time".to_owned(), |(place, _)| format!("/times/{place}"))
    }

    /// A pointer to `inner` of its value, below the entry.
    pub(super) fn value(&self, inner: &str) -> String {
        match self.column {
            None => format!("/value{inner}"),
            Some((place, Form::Values)) => format!("/values/{place}{inner}"),
            // The leaf comes before the place.
            Some((place, Form::Leaves)) => {
                let leaf_end = inner.get(1..).and_then(|rest| rest.find('/')).map_or(inner.len(), |end| end + 1);
                let (leaf, deeper) = inner.split_at(leaf_end);
                if leaf.is_empty() { "/values".to_owned() } else { format!("/values{leaf}/{place}{deeper}") }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_and_columns_may_stand_in_turn() {
        let mut places = Places::default();
        places.push(1, 1, 3, Form::Values);
        places.push(2, 4, 2, Form::Leaves);
        let shown = |point| {
            let place = places.of(point);
            format!("{} {} {}", place.entry, place.time(), place.value("/r/x"))
        };
        assert_eq!(shown(0), "0 /time /value/r/x");
        assert_eq!(shown(1), "1 /times/0 /values/0/r/x");
        assert_eq!(shown(3), "1 /times/2 /values/2/r/x");
        assert_eq!(shown(5), "2 /times/1 /values/r/1/x");
        assert_eq!(shown(6), "3 /time /value/r/x");
        assert_eq!(shown(8), "5 /time /value/r/x");
    }
}
