//! Remainders: the parts of a block's values that the channels do not contain.

use std::collections::BTreeMap;
use std::fmt::Write;

use crate::json::RawFields;
use crate::{Json, JsonError};

/// The remainders of a block's values by the index of the point; empty for most blocks.
///
/// Remainders are kept as JSON text: parsed values take up to thirty times as much memory.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Remainder {
    /// The concatenated texts of all remainders.
    text: String,
    /// The remainders, ascending by index.
    entries: Vec<Entry>,
}

/// The position of one remainder in the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Entry {
    /// The index of the point in the block.
    index: usize,
    start: usize,
    end: usize,
}

/// The stored text is not a remainder.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RemainderError {
    /// Not JSON.
    #[error("remainder {0}")]
    Json(#[from] JsonError),
    /// Not an object whose keys are indexes.
    #[error("remainder is not an object whose keys are indexes of points in the block")]
    Shape,
}

impl Remainder {
    /// Creates a remainder from the text of each point's remainder, as printed by [`Json`].
    pub(super) fn new<'a>(texts: impl IntoIterator<Item = Option<&'a str>>) -> Self {
        let mut remainder = Self::default();
        for (index, text) in texts.into_iter().enumerate() {
            if let Some(text) = text {
                remainder.push(index, text);
            }
        }
        remainder
    }

    fn push(&mut self, index: usize, text: &str) {
        let start = self.text.len();
        self.text.push_str(text);
        self.entries.push(Entry {
            index,
            start,
            end: self.text.len(),
        });
    }

    /// Returns whether no point has a remainder: the channels contain every value.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Returns the remainder of the point at `index`.
    ///
    /// # Panics
    /// Never: every text was printed from a value, or parsed when the block was loaded.
    #[must_use]
    pub fn get(&self, index: usize) -> Option<Json> {
        let text = self.text_of(index)?;
        Some(Json::parse_printed(text).expect("every remainder was parsed or printed before"))
    }

    /// Returns the indexes of the points that have a remainder, ascending.
    pub fn indexes(&self) -> impl Iterator<Item = usize> {
        self.entries.iter().map(|entry| entry.index)
    }

    /// Returns the JSON text of the remainder of the point at `index`.
    #[must_use]
    pub fn text_of(&self, index: usize) -> Option<&str> {
        let position = self
            .entries
            .binary_search_by_key(&index, |entry| entry.index)
            .ok()?;
        let Entry { start, end, .. } = self.entries[position];
        Some(&self.text[start..end])
    }

    /// Returns the heap memory, in bytes.
    #[must_use]
    pub const fn heap_bytes(&self) -> usize {
        self.text.capacity() + self.entries.capacity() * size_of::<Entry>()
    }

    /// Formats the remainder for storage, as a JSON object `{"index": remainder}`.
    #[must_use]
    pub fn to_text(&self) -> String {
        let mut text = String::with_capacity(self.text.len() + 8 * self.entries.len() + 2);
        text.push('{');
        for (number, Entry { index, start, end }) in self.entries.iter().enumerate() {
            let comma = if number == 0 { "" } else { "," };
            write!(text, "{comma}\"{index}\":").expect("writing to a String cannot fail");
            text.push_str(&self.text[*start..*end]);
        }
        text.push('}');
        text
    }

    /// Parses the text of [`Self::to_text`].
    ///
    /// # Errors
    /// [`RemainderError`] for any other text.
    pub fn from_text(text: &str) -> Result<Self, RemainderError> {
        let fields: RawFields<'_> =
            serde_json::from_str(text).map_err(|_| RemainderError::Shape)?;
        let mut texts = BTreeMap::new();
        for (key, raw) in fields.0 {
            let index: usize = key.parse().map_err(|_| RemainderError::Shape)?;
            Json::parse_printed(raw.get())?;
            texts.insert(index, raw.get());
        }
        let mut remainder = Self::default();
        for (index, text) in texts {
            remainder.push(index, text);
        }
        Ok(remainder)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepted_values_parse_however_long_they_print() {
        let many = format!("[{}1]", "1e14,".repeat(150_000));
        let digits = format!("[1.{}7]", "3".repeat(997));
        for text in [many, digits] {
            let value = Json::parse(&text).expect("accepted");
            let remainder = Remainder::new([Some(value.to_string().as_str())]);
            assert_eq!(Remainder::from_text(&remainder.to_text()), Ok(remainder));
        }
    }

    #[test]
    fn text_round_trips() {
        let remainder = Remainder::new([None, Some("null"), Some(r#""é\"""#)]);
        assert_eq!(Remainder::from_text(&remainder.to_text()), Ok(remainder));
    }
}
