//! Sessions as rows of CSV: those that follow each other with the same ids are one.

use std::collections::VecDeque;
use std::sync::Arc;

use csv_core::ReadRecordResult;
use time_series_domain::ingest::{Row, RowFormat};

use super::lines::{LineReader, Step, Text};
use super::sessions::{Content, Piece};
use crate::problem::{Code, Problem};
use crate::request::too_large;

/// Reads sessions from lines of CSV.
pub(super) struct RowReader {
    pub(super) lines: LineReader,
    /// The columns, once the first line was read.
    format: Option<Arc<RowFormat>>,
    /// The session whose rows are being read.
    open: Option<OpenSession>,
    /// The first row of the next session.
    next: Option<(Row, usize)>,
    /// A line that is no row and may have been one of the next session.
    broken: Option<u64>,
    /// Lines that are no rows and are still to be reported.
    unreported: VecDeque<NoRow>,
}

/// A session whose rows are being read. Of one that is too long nothing is kept.
struct OpenSession {
    rows: Vec<Row>,
    /// The bytes of its lines.
    bytes: usize,
    refused: Option<Problem>,
}

/// Maximum lines that are no rows and wait to be reported.
const MOST_UNREPORTED: usize = 64;

/// A row and how long its line is, or a line that is none.
type Read = Result<(Row, usize), NoRow>;

/// A line that is no row; the next one may be.
struct NoRow {
    line: u64,
    problem: Problem,
}

/// Returns early with what is not the next one.
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
            broken: None,
            unreported: VecDeque::new(),
        }
    }

    /// The rows of the next session, or a line that is none.
    pub(super) fn next(&mut self) -> Step<Result<Piece, Problem>> {
        let format = match &self.format {
            Some(format) => format.clone(),
            None => next!(self.header()),
        };
        if let Some(no_row) = self.unreported.pop_front() {
            return Step::Next(Ok(no_row.into()));
        }
        if self.open.is_none() {
            let (first, bytes) = match self.next.take() {
                Some(first) => first,
                None => match next!(self.row(&format)) {
                    Ok(row) => row,
                    Err(no_row) => {
                        self.broken = Some(no_row.line);
                        return Step::Next(Ok(no_row.into()));
                    }
                },
            };
            let refused = self.broken.take().map(near);
            self.open = Some(OpenSession {
                rows: vec![first],
                bytes,
                refused,
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
                    self.broken = None;
                    open.bytes += length;
                    if open.bytes <= self.lines.longest {
                        open.rows.push(row);
                    } else {
                        open.rows.truncate(1);
                    }
                }
                Ok(of_next) => {
                    self.next = Some(of_next);
                    break;
                }
                // Whose it was cannot be told: neither this session nor the next one is known to be whole.
                Err(no_row) => {
                    open.refused.get_or_insert_with(|| near(no_row.line));
                    self.broken = Some(no_row.line);
                    self.unreported.push_back(no_row);
                    // What may follow of this session is refused beside the last of them.
                    if self.unreported.len() == MOST_UNREPORTED {
                        break;
                    }
                }
            }
        }
        match self.open.take() {
            Some(open) => Step::Next(Ok(self.piece(open, format))),
            None => Step::End,
        }
    }

    fn piece(&self, open: OpenSession, format: Arc<RowFormat>) -> Piece {
        let OpenSession {
            rows,
            bytes,
            refused,
        } = open;
        let (number, memory) = (rows[0].line(), rows.iter().map(Row::heap_bytes).sum());
        let content = match refused {
            Some(problem) => Err(problem),
            None if bytes > self.lines.longest => Err(too_large(self.lines.longest)),
            None => Ok(Content::Rows(format, rows)),
        };
        Piece {
            number,
            content,
            bytes: memory,
        }
    }

    /// Reads the names of the columns from the first line.
    fn header(&mut self) -> Step<Result<Arc<RowFormat>, Problem>> {
        let invalid = |why: &dyn std::fmt::Display| {
            Problem::new(
                Code::InvalidBody,
                format!("The first line of a CSV names the columns; it {why}."),
            )
        };
        let Text { number, text } = match self.lines.next() {
            Step::End => return Step::Next(Err(invalid(&"is missing"))),
            step => next!(step),
        };
        let names = text.and_then(|text| cells(number, &text).map_err(|e| e.problem));
        let read = names.and_then(|names| {
            RowFormat::new(names.iter().map(String::as_str)).map_err(|e| invalid(&e))
        });
        Step::Next(read.map(|format| self.format.insert(Arc::new(format)).clone()))
    }

    /// The next line. An error is the last: the body cannot be read on.
    fn row(&mut self, format: &RowFormat) -> Step<Result<Read, Problem>> {
        let Text { number, text } = next!(self.lines.next());
        Step::Next(Ok(match text {
            Ok(text) => cells(number, &text).and_then(|cells| {
                let (found, width) = (cells.len(), format.width());
                if found == width {
                    return Ok((
                        Row::new(number, cells.iter().map(String::as_str)),
                        text.len(),
                    ));
                }
                Err(NoRow::new(
                    number,
                    &format!("has {found} cells for {width} columns"),
                ))
            }),
            Err(problem) => Err(NoRow {
                line: number,
                problem,
            }),
        }))
    }
}

impl NoRow {
    fn new(line: u64, why: &str) -> Self {
        Self {
            line,
            problem: Problem::new(Code::InvalidBody, format!("Line {line} {why}.")),
        }
    }
}

impl From<NoRow> for Piece {
    fn from(NoRow { line, problem }: NoRow) -> Self {
        Self {
            number: line,
            content: Err(problem),
            bytes: 0,
        }
    }
}

/// Why a session beside a line that cannot be read is not stored.
fn near(line: u64) -> Problem {
    let detail = format!(
        "Line {line} cannot be read and may be one of this session's; nothing of it was stored."
    );
    Problem::new(Code::InvalidBody, detail)
}

/// The cells of a line.
fn cells(line: u64, text: &[u8]) -> Result<Vec<String>, NoRow> {
    let no_row = |why| NoRow::new(line, why);
    let (mut out, mut ends) = (vec![0; text.len() + 1], vec![0; text.len() + 2]);
    let mut reader = csv_core::Reader::new();
    if line > 1 {
        // A byte order mark stands where a file begins; anywhere else it is text. The reader drops it from what it reads first.
        let _ = reader.read_record(b"\n", &mut out, &mut ends);
    }
    let (read, taken, mut written, mut count) = reader.read_record(text, &mut out, &mut ends);
    if taken < text.len() {
        return Err(no_row(
            "has a carriage return in it; lines end with \\n or \\r\\n",
        ));
    }
    // The end of the line, unless it is in the middle of something.
    if read == ReadRecordResult::InputEmpty {
        let (end, _, more, cells) =
            reader.read_record(b"\n", &mut out[written..], &mut ends[count..]);
        if end != ReadRecordResult::Record {
            return Err(no_row(
                "has a quoted cell that does not end; a line break in a text is written \\n in a JSON string",
            ));
        }
        (written, count) = (written + more, count + cells);
    }
    let text = std::str::from_utf8(&out[..written]).map_err(|_| no_row("is not UTF-8"))?;
    let starts = std::iter::once(0).chain(ends[..count].iter().copied());
    let cell = |(start, end): (usize, &usize)| text.get(start..*end).map(str::to_owned);
    starts
        .zip(&ends[..count])
        .map(cell)
        .collect::<Option<Vec<String>>>()
        .ok_or_else(|| no_row("is not UTF-8"))
}

#[cfg(test)]
mod tests {
    use super::cells;

    fn read(line: &str) -> Result<String, String> {
        let cells = cells(3, line.as_bytes()).map_err(|e| format!("{:?}", e.problem))?;
        Ok(cells.join("|"))
    }

    #[test]
    fn cells_are_those_of_rfc_4180() {
        assert_eq!(read("a,b,,d"), Ok("a|b||d".to_owned()));
        assert_eq!(
            read(r#""a,1","say ""hi""",c"#),
            Ok(r#"a,1|say "hi"|c"#.to_owned())
        );
        assert_eq!(read("é"), Ok("é".to_owned()));
        assert_eq!(read("a,"), Ok("a|".to_owned()));
        assert!(read("\"a").is_err_and(|e| e.contains("Line 3 has a quoted cell")));
    }

    #[test]
    fn nothing_behind_a_carriage_return_is_lost() {
        assert!(read("a,b\rc,d").is_err_and(|e| e.contains("Line 3 has a carriage return")));
        assert_eq!(read("a,\"b\rc\""), Ok("a|b\rc".to_owned()));
    }

    #[test]
    fn a_byte_order_mark_is_dropped_where_the_file_begins_and_is_text_elsewhere() {
        let first_cell = |line| {
            cells(line, "\u{feff}a,b".as_bytes())
                .ok()
                .map(|cells| cells[0].clone())
        };
        assert_eq!(first_cell(1).as_deref(), Some("a"));
        assert_eq!(first_cell(2).as_deref(), Some("\u{feff}a"));
    }

    #[test]
    fn what_is_no_text_is_refused() {
        assert!(cells(1, b"a,\xff").is_err());
    }
}
