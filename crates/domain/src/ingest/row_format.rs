//! The columns of rows: which column has which field or leaf, and the value of a row.

use std::collections::{BTreeMap, HashSet};

use uuid::Uuid;

use super::Row;
use super::leaf_columns::insert;
use crate::json::Pointer;
use crate::json::{MAX_DEPTH, MAX_VALUE_BYTES};
use crate::text::echo;
use crate::{Json, JsonError, JsonErrorKind};

const USER: &str = "user_id";
const SESSION: &str = "session_id";
const START: &str = "start_ts";
const SERIES: &str = "series";
const TIME: &str = "time";
/// Maximum number of columns.
pub const MAX_COLUMNS: usize = 1_000;

/// The columns of rows, by the names in their header.
#[derive(Debug)]
pub struct RowFormat {
    pub(super) user: usize,
    pub(super) session: usize,
    pub(super) start: Option<usize>,
    pub(super) series: usize,
    pub(super) time: usize,
    leaves: Vec<LeafColumn>,
    /// The names of all columns.
    pub(super) names: Vec<String>,
}

/// A column with the values of a leaf.
#[derive(Debug)]
struct LeafColumn {
    column: usize,
    /// The keys that lead to the leaf in a value.
    keys: Vec<String>,
}

/// Error of a header that does not describe points.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RowFormatError {
    /// A required column is missing.
    #[error(
        "has no column {0}; the columns are user_id, session_id, series, time, optionally start_ts, \
         and the leaves of the values, such as value, r, pos.x"
    )]
    Missing(&'static str),
    /// A name occurs twice, or a leaf lies inside another one.
    #[error("has the column {0:?} twice, or as a part of another one")]
    Twice(String),
    /// A column or a part of its name is empty.
    #[error("has a column without a name")]
    Nameless,
    /// There is no column for values.
    #[error("has no column for values, such as value")]
    NoLeaf,
    /// There are more columns than [`MAX_COLUMNS`].
    #[error("has more than {MAX_COLUMNS} columns; send some of them as other series")]
    TooMany,
    /// A leaf lies inside more objects than a value may have.
    #[error("has the column {0:?}, which is nested deeper than 64 levels")]
    TooDeep(String),
}

impl RowFormat {
    /// Reads the names of the columns.
    ///
    /// # Errors
    /// [`RowFormatError`].
    pub fn new<'a>(names: impl IntoIterator<Item = &'a str>) -> Result<Self, RowFormatError> {
        let names: Vec<String> = names
            .into_iter()
            .take(MAX_COLUMNS + 1)
            .map(|name| name.trim().to_owned())
            .collect();
        if names.len() > MAX_COLUMNS {
            return Err(RowFormatError::TooMany);
        }
        let column = |name| names.iter().position(|n| n == name);
        let required = |name| column(name).ok_or(RowFormatError::Missing(name));
        let mut format = Self {
            user: required(USER)?,
            session: required(SESSION)?,
            start: column(START),
            series: required(SERIES)?,
            time: required(TIME)?,
            leaves: Vec::new(),
            names: Vec::new(),
        };
        let mut seen = HashSet::new();
        for (column, name) in names.iter().enumerate() {
            if name.split('.').any(str::is_empty) {
                return Err(RowFormatError::Nameless);
            }
            if name.split('.').nth(MAX_DEPTH).is_some() {
                return Err(RowFormatError::TooDeep(echo(name).into_owned()));
            }
            if !seen.insert(name.as_str()) {
                return Err(RowFormatError::Twice(echo(name).into_owned()));
            }
            if ![USER, SESSION, START, SERIES, TIME].contains(&name.as_str()) {
                let keys = name.split('.').map(str::to_owned).collect();
                format.leaves.push(LeafColumn { column, keys });
            }
        }
        let leaves: HashSet<&[String]> = format
            .leaves
            .iter()
            .map(|leaf| leaf.keys.as_slice())
            .collect();
        let is_inside_another =
            |leaf: &&LeafColumn| (1..leaf.keys.len()).any(|end| leaves.contains(&leaf.keys[..end]));
        if let Some(leaf) = format.leaves.iter().find(is_inside_another) {
            let name = echo(&names[leaf.column]).into_owned();
            return Err(RowFormatError::Twice(name));
        }
        if format.leaves.is_empty() {
            return Err(RowFormatError::NoLeaf);
        }
        format.names = names;
        Ok(format)
    }

    /// The number of columns.
    #[must_use]
    pub const fn width(&self) -> usize {
        self.names.len()
    }

    /// Returns the value of a row: an object of the leaves whose cells are not empty.
    ///
    /// # Errors
    /// One error per cell that cannot be stored.
    pub(super) fn value(&self, row: &Row) -> Result<Json, Vec<JsonError>> {
        let mut value = BTreeMap::new();
        let mut errors = Vec::new();
        let mut bytes_left = MAX_VALUE_BYTES;
        for LeafColumn { column, keys } in &self.leaves {
            let text = &row[*column];
            if text.is_empty() {
                continue;
            }
            let parsed = match bytes_left.checked_sub(text.len()) {
                Some(rest) => {
                    bytes_left = rest;
                    parse_cell(text)
                }
                None => Err(JsonErrorKind::TooLong),
            };
            match parsed {
                Ok(leaf) if keys.len() + leaf.levels() > MAX_DEPTH + 1 => {
                    errors.push(JsonError {
                        pointer: Pointer::from_tokens(keys.clone()),
                        kind: JsonErrorKind::TooDeep,
                    });
                }
                Ok(leaf) => insert(&mut value, keys, leaf),
                Err(kind) => errors.push(JsonError {
                    pointer: Pointer::from_tokens(keys.clone()),
                    kind,
                }),
            }
        }
        if errors.is_empty() {
            Ok(Json::Object(value))
        } else {
            Err(errors)
        }
    }

    /// Returns whether two rows belong to one session, whatever the spelling of the ids.
    #[must_use]
    pub fn is_same_session(&self, a: &Row, b: &Row) -> bool {
        is_same_id(&a[self.user], &b[self.user]) && is_same_id(&a[self.session], &b[self.session])
    }
}

fn is_same_id(a: &str, b: &str) -> bool {
    let (a, b) = (a.trim(), b.trim());
    a == b || Uuid::try_parse(a).is_ok_and(|id| Uuid::try_parse(b).is_ok_and(|other| other == id))
}

/// Parses a cell as JSON, or else takes it as a text.
fn parse_cell(cell: &str) -> Result<Json, JsonErrorKind> {
    match Json::parse(cell) {
        Ok(value) => Ok(value),
        // Texts obey the rules for strings in JSON.
        Err(JsonError {
            kind: JsonErrorKind::Syntax(_),
            ..
        }) => Json::parse(&serde_json::Value::from(cell).to_string()).map_err(|e| e.kind),
        Err(e) => Err(e.kind),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn format(names: &str) -> Result<RowFormat, RowFormatError> {
        RowFormat::new(names.split(','))
    }

    #[test]
    fn columns_have_any_order_and_required_ones_must_be_present() {
        assert!(format("value,time,series,session_id,user_id").is_ok());
        assert_eq!(
            format("value,time,series,session_id").err(),
            Some(RowFormatError::Missing("user_id"))
        );
        assert_eq!(
            format("user_id,session_id,series,time").err(),
            Some(RowFormatError::NoLeaf)
        );
        for twice in ["a,a", "a,a.b", "a.b,a"] {
            let names = format(&format!("user_id,session_id,series,time,{twice}"));
            assert!(
                matches!(names.err(), Some(RowFormatError::Twice(_))),
                "{twice}"
            );
        }
        assert_eq!(
            format("user_id,session_id,series,time,a..b").err(),
            Some(RowFormatError::Nameless)
        );
    }
}
