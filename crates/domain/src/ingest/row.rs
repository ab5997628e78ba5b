//! A row of cells, as in CSV.

use std::ops::Index;

/// The cells of a row.
#[derive(Debug, Clone)]
pub struct Row {
    line: u64,
    text: String,
    ends: Vec<usize>,
}

impl Row {
    /// Creates the row at line `line`, counted from 1.
    pub fn new<'a>(line: u64, cells: impl IntoIterator<Item = &'a str>) -> Self {
        let mut row = Self {
            line,
            text: String::new(),
            ends: Vec::new(),
        };
        for cell in cells {
            row.text.push_str(cell);
            row.ends.push(row.text.len());
        }
        row
    }

    /// The number of its line, counted from 1.
    #[must_use]
    pub const fn line(&self) -> u64 {
        self.line
    }

    /// The memory of the row, in bytes.
    #[must_use]
    pub const fn heap_bytes(&self) -> usize {
        size_of::<Self>() + self.text.capacity() + self.ends.capacity() * size_of::<usize>()
    }

    /// The total length of the cells, in bytes.
    pub(super) const fn text_bytes(&self) -> usize {
        self.text.len()
    }
}

impl Index<usize> for Row {
    type Output = str;

    /// Returns a cell; an empty text for a column that the row does not have.
    fn index(&self, column: usize) -> &str {
        let start = column.checked_sub(1).map_or(0, |before| {
            self.ends.get(before).copied().unwrap_or(self.text.len())
        });
        &self.text[start..self.ends.get(column).copied().unwrap_or(self.text.len())]
    }
}
