//! Sessions as CSV: consecutive rows with the same ids form one session.

use std::collections::VecDeque;
use std::sync::Arc;

use csv_core::ReadRecordResult;
use time_series_domain::ingest::{Row, RowFormat};

use super::lines::{Line, LineReader, Step};
use super::sessions::{BulkItem, SessionInput};
use crate::problem::{Code, Problem};
use crate::request::too_large;

/// Reads sessions from CSV.
pub(super) struct RowReader {
    pub(super) lines: LineReader,
    /// The columns; `None` until the header has been read.
    format: Option<Arc<RowFormat>>,
    /// The session whose rows are being read.
    open: Option<OpenSession>,
    /// The first row of the next session.
    next: Option<(Row, usize)>,
    /// The last invalid line, which may have belonged to the next session.
    last_invalid: Option<u64>,
    /// Invalid lines that have not been reported yet.
    unreported: VecDeque<InvalidRow>,
}

/// A session whose rows are being read. Rows of a session that is too long are not retained.
struct OpenSession {
    rows: Vec<Row>,
    /// Bytes of the lines of the session.
    bytes: usize,
    rejection: Option<Problem>,
}

/// Maximum number of invalid lines that wait to be reported.
const MAX_UNREPORTED: usize = 64;

/// A row and the length of its line, or an invalid line.
type RowResult = Result<(Row, usize), InvalidRow>;

/// A line that is not a valid row. The following lines can still be valid.
struct InvalidRow {
    line: u64,
    problem: Problem,
}

/// Returns from the function unless the step is the next item.
macro_rules! next {
    ($step:expr) => {
        match $step {
            Step::Next(Ok(next)) => next,
            Step::Next(Err(problem)) => return Step::Next(Err(problem)),
            Step::NeedsInput => return Step::NeedsInput,
            Step::Paused => return Step::Paused,
            Step::End => return Step::End,
        }
    };
}

impl RowReader {
    pub(super) const fn new(lines: LineReader) -> Self {
        Self {
            lines,
            format: None,
            open: None,
            next: None,
            last_invalid: None,
            unreported: VecDeque::new(),
        }
    }

    /// Reads the rows of the next session, or an invalid line.
    pub(super) fn next(&mut self) -> Step<Result<BulkItem, Problem>> {
        let format = match &self.format {
            Some(format) => format.clone(),
            None => next!(self.header()),
        };
        if let Some(invalid) = self.unreported.pop_front() {
            return Step::Next(Ok(invalid.into()));
        }
        if self.open.is_none() {
            let (first, bytes) = match self.next.take() {
                Some(first) => first,
                None => match next!(self.row(&format)) {
                    Ok(row) => row,
                    Err(invalid) => {
                        self.last_invalid = Some(invalid.line);
                        return Step::Next(Ok(invalid.into()));
                    }
                },
            };
            let rejection = self.last_invalid.take().map(adjacent_to_invalid);
            self.open = Some(OpenSession {
                rows: vec![first],
                bytes,
                rejection,
            });
        }
        loop {
            let row = match self.row(&format) {
                Step::Next(Ok(row)) => row,
                Step::Next(Err(problem)) => return Step::Next(Err(problem)),
                Step::NeedsInput => return Step::NeedsInput,
                Step::Paused => return Step::Paused,
                Step::End => break,
            };
            let Some(open) = &mut self.open else { break };
            match row {
                Ok((row, length)) if format.is_same_session(&open.rows[0], &row) => {
                    self.last_invalid = None;
                    open.bytes += length;
                    if open.bytes <= self.lines.max_bytes {
                        open.rows.push(row);
                    } else {
                        open.rows.truncate(1);
                    }
                }
                Ok(of_next) => {
                    self.next = Some(of_next);
                    break;
                }
                // The line may belong to this session or to the next: both may be incomplete.
                Err(invalid) => {
                    open.rejection
                        .get_or_insert_with(|| adjacent_to_invalid(invalid.line));
                    self.last_invalid = Some(invalid.line);
                    self.unreported.push_back(invalid);
                    // Further rows of this session are rejected because of the last invalid line.
                    if self.unreported.len() == MAX_UNREPORTED {
                        break;
                    }
                }
            }
        }
        match self.open.take() {
            Some(open) => Step::Next(Ok(self.item(open, format))),
            None => Step::End,
        }
    }

    fn item(&self, open: OpenSession, format: Arc<RowFormat>) -> BulkItem {
        let OpenSession {
            rows,
            bytes,
            rejection,
        } = open;
        let line = rows[0].line();
        let memory = rows.iter().map(Row::heap_bytes).sum();
        let content = match rejection {
            Some(problem) => Err(problem),
            None if bytes > self.lines.max_bytes => Err(too_large(self.lines.max_bytes)),
            None => Ok(SessionInput::Rows(format, rows)),
        };
        BulkItem {
            line,
            content,
            bytes: memory,
        }
    }

    /// Reads the column names from the first line.
    fn header(&mut self) -> Step<Result<Arc<RowFormat>, Problem>> {
        let invalid = |reason: &dyn std::fmt::Display| {
            Problem::new(
                Code::InvalidBody,
                format!("The first line of a CSV must contain the column names; it {reason}."),
            )
        };
        let Line { number, text } = match self.lines.next() {
            Step::End => return Step::Next(Err(invalid(&"is missing"))),
            step => next!(step),
        };
        let names = text.and_then(|text| cells(number, &text).map_err(|e| e.problem));
        let read = names.and_then(|names| {
            RowFormat::new(names.iter().map(String::as_str)).map_err(|e| invalid(&e))
        });
        Step::Next(read.map(|format| self.format.insert(Arc::new(format)).clone()))
    }

    /// Reads the next line. After an error, the body cannot be read further.
    fn row(&mut self, format: &RowFormat) -> Step<Result<RowResult, Problem>> {
        let Line { number, text } = next!(self.lines.next());
        Step::Next(Ok(match text {
            Ok(text) => cells(number, &text).and_then(|cells| {
                let (found, width) = (cells.len(), format.width());
                if found == width {
                    return Ok((
                        Row::new(number, cells.iter().map(String::as_str)),
                        text.len(),
                    ));
                }
                Err(InvalidRow::new(
                    number,
                    &format!("has {found} cells for {width} columns"),
                ))
            }),
            Err(problem) => Err(InvalidRow {
                line: number,
                problem,
            }),
        }))
    }
}

impl InvalidRow {
    fn new(line: u64, reason: &str) -> Self {
        Self {
            line,
            problem: Problem::new(Code::InvalidBody, format!("Line {line} {reason}.")),
        }
    }
}

impl From<InvalidRow> for BulkItem {
    fn from(InvalidRow { line, problem }: InvalidRow) -> Self {
        Self {
            line,
            content: Err(problem),
            bytes: 0,
        }
    }
}

/// Returns the problem of a session next to an invalid line.
fn adjacent_to_invalid(line: u64) -> Problem {
    let detail = format!(
        "Line {line} could not be read and may belong to this session; the session was not stored."
    );
    Problem::new(Code::InvalidBody, detail)
}

/// Parses the cells of a line.
fn cells(line: u64, text: &[u8]) -> Result<Vec<String>, InvalidRow> {
    let invalid = |reason| InvalidRow::new(line, reason);
    let mut out = vec![0; text.len() + 1];
    let mut ends = vec![0; text.len() + 2];
    let mut reader = csv_core::Reader::new();
    if line > 1 {
        // The reader removes a byte order mark from its first record only. After the start of the
        // file, the mark is text.
        let _ = reader.read_record(b"\n", &mut out, &mut ends);
    }
    let (read, taken, mut written, mut count) = reader.read_record(text, &mut out, &mut ends);
    if taken < text.len() {
        return Err(invalid(
            "contains a carriage return; lines must end with \\n or \\r\\n",
        ));
    }
    // The line feed ends the record, unless a quoted cell is open.
    if read == ReadRecordResult::InputEmpty {
        let (end, _, more, cells) =
            reader.read_record(b"\n", &mut out[written..], &mut ends[count..]);
        if end != ReadRecordResult::Record {
            return Err(invalid(
                "has an unterminated quoted cell; write a line break in a text as \\n in a JSON \
                 string",
            ));
        }
        (written, count) = (written + more, count + cells);
    }
    let text = std::str::from_utf8(&out[..written]).map_err(|_| invalid("is not UTF-8"))?;
    let starts = std::iter::once(0).chain(ends[..count].iter().copied());
    let cell = |(start, end): (usize, &usize)| text.get(start..*end).map(str::to_owned);
    starts
        .zip(&ends[..count])
        .map(cell)
        .collect::<Option<Vec<String>>>()
        .ok_or_else(|| invalid("is not UTF-8"))
}

#[cfg(test)]
mod tests {
    use super::cells;

    fn read(line: &str) -> Result<String, String> {
        let cells = cells(3, line.as_bytes()).map_err(|e| format!("{:?}", e.problem))?;
        Ok(cells.join("|"))
    }

    #[test]
    fn cells_are_parsed_as_in_rfc_4180() {
        assert_eq!(read("a,b,,d"), Ok("a|b||d".to_owned()));
        assert_eq!(
            read(r#""a,1","say ""hi""",c"#),
            Ok(r#"a,1|say "hi"|c"#.to_owned())
        );
        assert_eq!(read("é"), Ok("é".to_owned()));
        assert_eq!(read("a,"), Ok("a|".to_owned()));
        assert!(read("\"a").is_err_and(|e| e.contains("Line 3 has an unterminated quoted cell")));
    }

    #[test]
    fn an_unquoted_carriage_return_is_rejected() {
        assert!(read("a,b\rc,d").is_err_and(|e| e.contains("Line 3 contains a carriage return")));
        assert_eq!(read("a,\"b\rc\""), Ok("a|b\rc".to_owned()));
    }

    #[test]
    fn a_byte_order_mark_is_removed_only_at_the_start_of_the_file() {
        let first_cell = |line| {
            cells(line, "\u{feff}a,b".as_bytes())
                .ok()
                .map(|cells| cells[0].clone())
        };
        assert_eq!(first_cell(1).as_deref(), Some("a"));
        assert_eq!(first_cell(2).as_deref(), Some("\u{feff}a"));
    }

    #[test]
    fn invalid_utf_8_is_rejected() {
        assert!(cells(1, b"a,\xff").is_err());
    }
}
