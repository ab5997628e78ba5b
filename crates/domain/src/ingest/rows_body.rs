//! A session that is sent as rows of cells, as in CSV: a row a point, its leaves in columns of their own.

use std::collections::{BTreeMap, HashSet};
use std::ops::Index;

use uuid::Uuid;

use super::bounded_seq::MAX_POINTS;
use super::draft_points::DraftPoints;
use super::fields::read_time_text;
use super::leaf_columns::insert;
use super::location::Locations;
use super::raw_values::RawValues;
use super::{FieldError, FieldErrorCode, SessionDraft, ValidationErrors};
use crate::json::Pointer;
use crate::json::{MAX_DEPTH, MAX_VALUE_BYTES};
use crate::text::{echo, excerpt};
use crate::{Json, JsonError, JsonErrorKind, SessionId, Timestamp, UserId};

const USER: &str = "user_id";
const SESSION: &str = "session_id";
const START: &str = "start_ts";
const SERIES: &str = "series";
const TIME: &str = "time";
/// Maximum number of columns.
pub const MAX_COLUMNS: usize = 1_000;

/// What the columns of rows are.
#[derive(Debug)]
pub struct RowFormat {
    width: usize,
    user: usize,
    session: usize,
    start: Option<usize>,
    series: usize,
    time: usize,
    /// The other columns: where a leaf's value stands, and the leaf's keys.
    leaves: Vec<(usize, Vec<String>)>,
    names: Vec<String>,
}

/// Columns that cannot be points.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RowFormatError {
    /// One that must be there.
    #[error(
        "has no column {0}; the columns are user_id, session_id, series, time, start_ts if you like, and the leaves of the values, such as value, r, pos.x"
    )]
    Missing(&'static str),
    /// The same name twice, or a leaf in another one.
    #[error("has the column {0:?} twice, or as a part of another one")]
    Twice(String),
    /// A name without characters.
    #[error("has a column without a name")]
    Nameless,
    /// Nothing that a value could be made of.
    #[error("has no column for values, such as value")]
    NoLeaf,
    /// More columns than [`MAX_COLUMNS`].
    #[error("has more than {MAX_COLUMNS} columns; send some of them as other series")]
    TooMany,
    /// A leaf inside of more objects than a value may have.
    #[error("has the column {0:?}, which is nested deeper than 64 levels")]
    TooDeep(String),
}

/// The cells of a row.
#[derive(Debug, Clone)]
pub struct Row {
    line: u64,
    text: String,
    ends: Vec<usize>,
}

impl Row {
    /// The row that stands in line `line`, counted from 1.
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

    /// Where it stands.
    #[must_use]
    pub const fn line(&self) -> u64 {
        self.line
    }

    /// The memory that it takes, in bytes.
    #[must_use]
    pub const fn heap_bytes(&self) -> usize {
        size_of::<Self>() + self.text.capacity() + self.ends.capacity() * size_of::<usize>()
    }

    /// The bytes of its cells.
    pub(super) const fn text_bytes(&self) -> usize {
        self.text.len()
    }
}

impl Index<usize> for Row {
    type Output = str;

    /// A cell; nothing where there is none.
    fn index(&self, place: usize) -> &str {
        let start = place.checked_sub(1).map_or(0, |before| {
            self.ends.get(before).copied().unwrap_or(self.text.len())
        });
        &self.text[start..self.ends.get(place).copied().unwrap_or(self.text.len())]
    }
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
        let place = |name| names.iter().position(|n| n == name);
        let required = |name| place(name).ok_or(RowFormatError::Missing(name));
        let mut format = Self {
            width: names.len(),
            user: required(USER)?,
            session: required(SESSION)?,
            start: place(START),
            series: required(SERIES)?,
            time: required(TIME)?,
            leaves: Vec::new(),
            names: Vec::new(),
        };
        let mut seen = HashSet::new();
        for (at, name) in names.iter().enumerate() {
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
                format
                    .leaves
                    .push((at, name.split('.').map(str::to_owned).collect()));
            }
        }
        let leaves: HashSet<&[String]> = format
            .leaves
            .iter()
            .map(|(_, keys)| keys.as_slice())
            .collect();
        let is_inside = |(_, keys): &&(usize, Vec<String>)| {
            (1..keys.len()).any(|end| leaves.contains(&keys[..end]))
        };
        if let Some((at, _)) = format.leaves.iter().find(is_inside) {
            return Err(RowFormatError::Twice(echo(&names[*at]).into_owned()));
        }
        if format.leaves.is_empty() {
            return Err(RowFormatError::NoLeaf);
        }
        format.names = names;
        Ok(format)
    }

    /// How many columns there are.
    #[must_use]
    pub const fn width(&self) -> usize {
        self.width
    }

    /// The value of a row: its leaves that are not empty.
    ///
    /// # Errors
    /// A error for each cell that cannot be kept.
    pub(super) fn value(&self, row: &Row) -> Result<Json, Vec<JsonError>> {
        let mut value = BTreeMap::new();
        let mut errors = Vec::new();
        let mut left = MAX_VALUE_BYTES;
        for (place, keys) in &self.leaves {
            let text = &row[*place];
            if text.is_empty() {
                continue;
            }
            let parsed = match left.checked_sub(text.len()) {
                Some(rest) => {
                    left = rest;
                    cell(text)
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

    /// Whether two rows are of one session, however its ids are spelled.
    #[must_use]
    pub fn is_same_session(&self, a: &Row, b: &Row) -> bool {
        let is_same = |place: usize| {
            let id = |row: &Row| Uuid::try_parse(row[place].trim()).ok();
            a[place].trim() == b[place].trim() || id(a).is_some_and(|a| id(b) == Some(a))
        };
        is_same(self.user) && is_same(self.session)
    }
}

impl<'a> SessionDraft<'a> {
    /// Reads rows of one session. A cell that is JSON is that, any other is text, an empty one is nothing. Spaces around
    /// names of columns, ids, times and series count for nothing; those of texts are kept. Faults are at `/line/column`.
    #[must_use]
    pub fn from_rows(format: &'a RowFormat, rows: &'a [Row]) -> Self {
        let mut reader = Reader {
            format,
            errors: ValidationErrors::default(),
        };
        let first = rows.first();
        let mut session = Self {
            user_id: first
                .and_then(|row| reader.uuid(row, format.user))
                .map(UserId),
            lacks_user: false,
            session_id: first
                .and_then(|row| reader.uuid(row, format.session))
                .map(SessionId),
            start_ts: None,
            points: DraftPoints::Values(RawValues::of_rows(format, rows), Locations::default()),
            errors: ValidationErrors::default(),
            body: None,
        };
        let mut points = RawValues::of_rows(format, rows);
        for (number, row) in rows.iter().enumerate() {
            if number == MAX_POINTS {
                let message =
                    format!("is one point more than the {MAX_POINTS} of one session's body");
                reader.error(row, None, FieldErrorCode::TooManyPoints, &message);
                break;
            }
            if let Some(place) = format.start
                && !row[place].trim().is_empty()
                && let Some(start) = reader.time(row, place)
                && *session.start_ts.get_or_insert(start) != start
            {
                let message =
                    "is another one than that of a row before; a session has one, or none";
                reader.error(row, Some(place), FieldErrorCode::InvalidTime, message);
            }
            let series = reader.series(row);
            points.push(
                series,
                reader.time(row, format.time),
                u32::try_from(number).ok(),
            );
        }
        session.points =
            DraftPoints::Values(points, Locations::of_rows(rows.iter().map(Row::line)));
        session.errors = reader.errors;
        session
    }
}

struct Reader<'a> {
    format: &'a RowFormat,
    errors: ValidationErrors,
}

impl Reader<'_> {
    fn series<'r>(&mut self, row: &'r Row) -> Option<&'r str> {
        let series = row[self.format.series].trim();
        if series.is_empty() {
            self.error(
                row,
                Some(self.format.series),
                FieldErrorCode::MissingField,
                "is required",
            );
        }
        (!series.is_empty()).then_some(series)
    }

    fn time(&mut self, row: &Row, place: usize) -> Option<Timestamp> {
        let read = read_time_text(row[place].trim());
        read.map_err(|(code, message)| self.error(row, Some(place), code, &message))
            .ok()
    }

    fn uuid(&mut self, row: &Row, place: usize) -> Option<Uuid> {
        let uuid = Uuid::try_parse(row[place].trim()).ok();
        if uuid.is_none() {
            let message = "must be a UUID such as 8b0e7a52-6a3f-4a8c-9d0a-0d6a7c1f2b3e";
            self.error(row, Some(place), FieldErrorCode::InvalidUuid, message);
        }
        uuid
    }

    fn error(&mut self, row: &Row, place: Option<usize>, code: FieldErrorCode, message: &str) {
        let name = place
            .and_then(|place| self.format.names.get(place))
            .map_or("row", String::as_str);
        let column = place.map_or_else(String::new, |_| format!("/{}", echo(name)));
        let series = row[self.format.series].trim();
        self.errors.push(FieldError {
            pointer: format!("/{}{column}", row.line),
            index: None,
            series: (!series.is_empty()).then(|| excerpt(series, 255).into_owned()),
            code,
            message: format!("{} {message}", echo(name).escape_debug()),
        });
    }
}

/// JSON if it is that, else text.
fn cell(cell: &str) -> Result<Json, JsonErrorKind> {
    match Json::parse(cell) {
        Ok(value) => Ok(value),
        // With everything that is asked of a text in JSON.
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

    const IDS: &str = "8b0e7a52-6a3f-4a8c-9d0a-0d6a7c1f2b3e";

    fn format(names: &str) -> Result<RowFormat, RowFormatError> {
        RowFormat::new(names.split(','))
    }

    /// The value, or where the errors are.
    fn values(leaves: &str, cells: &str) -> String {
        let format = format(&format!("user_id,session_id,series,time,{leaves}")).expect("columns");
        let row = Row::new(
            7,
            [IDS, IDS, "hr", "2025-01-01T00:00:00Z"]
                .into_iter()
                .chain(cells.split('|')),
        );
        let rows = [row];
        let session = SessionDraft::from_rows(&format, &rows);
        assert!(session.errors.is_empty());
        let DraftPoints::Values(points, locations) = session.points else {
            panic!("rows are values")
        };
        match points.value(0).expect("there is a value") {
            Ok(value) => value.to_string(),
            Err(errors) => {
                let at = |e: &JsonError| {
                    format!(
                        "{}{}",
                        locations.of(0).entry(),
                        locations.of(0).value(&e.pointer)
                    )
                };
                errors.iter().map(at).collect::<Vec<_>>().join(" ")
            }
        }
    }

    #[test]
    fn a_cell_is_json_or_text_or_nothing() {
        assert_eq!(values("value", "7.5"), r#"{"value":7.5}"#);
        assert_eq!(values("a,b,c", r#"x y||"7""#), r#"{"a":"x y","c":"7"}"#);
        assert_eq!(values("a,b", "[1, 2]|007"), r#"{"a":[1,2],"b":"007"}"#);
        assert_eq!(
            values("pos.x,pos.y,t", "1|2|true"),
            r#"{"pos":{"x":1,"y":2},"t":true}"#
        );
    }

    #[test]
    fn what_cannot_be_kept_is_named_by_line_and_column() {
        assert_eq!(values("a,b", "[1|1e999"), "/7/b");
        assert_eq!(values("a", "x\0"), "/7/a");
    }

    #[test]
    fn columns_may_come_in_any_order_but_must_be_there() {
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

    #[test]
    fn a_session_has_one_start() {
        let format = format("user_id,session_id,start_ts,series,time,value").expect("columns");
        let row =
            |line, start| Row::new(line, [IDS, IDS, start, "hr", "2025-01-01T00:00:00Z", "1"]);
        let read = |starts: [&'static str; 3]| {
            let rows: Vec<Row> = (2..)
                .zip(starts)
                .map(|(line, start)| row(line, start))
                .collect();
            let session = SessionDraft::from_rows(&format, &rows);
            (session.start_ts, session.errors)
        };
        let (start_ts, errors) = read(["2025-01-01T00:00:00Z", "", "2025-01-01T00:00:00Z"]);
        assert!(errors.is_empty() && start_ts.is_some());
        let (_, errors) = read(["", "2025-01-01T00:00:00Z", "2025-01-02T00:00:00Z"]);
        assert_eq!(errors.listed()[0].pointer, "/4/start_ts");
    }
}
