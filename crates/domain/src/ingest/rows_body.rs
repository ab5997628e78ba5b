//! Reads a session from rows of cells, as in CSV: one point per row, one column per leaf.

use uuid::Uuid;

use super::bounded_seq::MAX_POINTS;
use super::draft_points::DraftPoints;
use super::field_error::InvalidValue;
use super::fields::read_time_text;
use super::location::Locations;
use super::raw_values::RawValues;
use super::{FieldError, FieldErrorCode, Row, RowFormat, SessionDraft, ValidationErrors};
use crate::text::{echo, excerpt};
use crate::{SessionId, Timestamp, UserId};

impl<'a> SessionDraft<'a> {
    /// Reads rows of one session.
    ///
    /// A cell that is JSON has that value, any other cell is a text, and an empty cell has no
    /// value. Spaces around names of columns, ids, times and series are ignored; spaces in texts
    /// are kept. Pointers of errors are `/line/column`.
    #[must_use]
    pub fn from_rows(format: &'a RowFormat, rows: &'a [Row]) -> Self {
        let mut reader = RowReader {
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
                    format!("exceeds the limit of {MAX_POINTS} points in one session's body");
                reader.error(row, None, FieldErrorCode::TooManyPoints, &message);
                break;
            }
            if let Some(column) = format.start
                && !row[column].trim().is_empty()
                && let Some(start) = reader.time(row, column)
                && *session.start_ts.get_or_insert(start) != start
            {
                let message =
                    "differs from that of an earlier row; a session has at most one start_ts";
                reader.error(row, Some(column), FieldErrorCode::InvalidTime, message);
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

/// Reads cells and collects their errors.
struct RowReader<'a> {
    format: &'a RowFormat,
    errors: ValidationErrors,
}

impl RowReader<'_> {
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

    fn time(&mut self, row: &Row, column: usize) -> Option<Timestamp> {
        match read_time_text(row[column].trim()) {
            Ok(time) => Some(time),
            Err(InvalidValue { code, message }) => {
                self.error(row, Some(column), code, &message);
                None
            }
        }
    }

    fn uuid(&mut self, row: &Row, column: usize) -> Option<Uuid> {
        let uuid = Uuid::try_parse(row[column].trim()).ok();
        if uuid.is_none() {
            let message = "must be a UUID such as 8b0e7a52-6a3f-4a8c-9d0a-0d6a7c1f2b3e";
            self.error(row, Some(column), FieldErrorCode::InvalidUuid, message);
        }
        uuid
    }

    /// Adds an error of a cell, or of the whole row if `column` is `None`.
    fn error(&mut self, row: &Row, column: Option<usize>, code: FieldErrorCode, message: &str) {
        let name = column
            .and_then(|column| self.format.names.get(column))
            .map_or("row", String::as_str);
        let token = column.map_or_else(String::new, |_| format!("/{}", echo(name)));
        let series = row[self.format.series].trim();
        self.errors.push(FieldError {
            pointer: format!("/{}{token}", row.line()),
            index: None,
            series: (!series.is_empty()).then(|| excerpt(series, 255).into_owned()),
            code,
            message: format!("{} {message}", echo(name).escape_debug()),
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::JsonError;

    const IDS: &str = "8b0e7a52-6a3f-4a8c-9d0a-0d6a7c1f2b3e";

    fn format(names: &str) -> RowFormat {
        RowFormat::new(names.split(',')).expect("columns")
    }

    /// Returns the value of a row, or the pointers of its errors.
    fn values(leaves: &str, cells: &str) -> String {
        let format = format(&format!("user_id,session_id,series,time,{leaves}"));
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
            panic!("expected values that are not columnar")
        };
        match points.value(0).expect("a value") {
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
    fn a_cell_is_json_or_a_text_and_an_empty_cell_has_no_value() {
        assert_eq!(values("value", "7.5"), r#"{"value":7.5}"#);
        assert_eq!(values("a,b,c", r#"x y||"7""#), r#"{"a":"x y","c":"7"}"#);
        assert_eq!(values("a,b", "[1, 2]|007"), r#"{"a":[1,2],"b":"007"}"#);
        assert_eq!(
            values("pos.x,pos.y,t", "1|2|true"),
            r#"{"pos":{"x":1,"y":2},"t":true}"#
        );
    }

    #[test]
    fn errors_of_cells_point_to_line_and_column() {
        assert_eq!(values("a,b", "[1|1e999"), "/7/b");
        assert_eq!(values("a", "x\0"), "/7/a");
    }

    #[test]
    fn rows_of_a_session_with_two_starts_are_an_error() {
        let format = format("user_id,session_id,start_ts,series,time,value");
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
