//! Sessions as rows of CSV: those that follow each other with the same ids are one.

use std::collections::VecDeque;
use std::io::BufRead;
use std::sync::Arc;

use csv_core::ReadRecordResult;
use time_series_domain::ingest::{Row, RowFormat};

use super::lines::{Content, LineReader, Piece, Text};
use crate::problem::{Code, Problem};
use crate::request::too_large;

/// Reads sessions from lines of CSV.
pub(super) struct RowReader<R> {
    lines: LineReader<R>,
    format: Arc<RowFormat>,
    /// The first row of the next session.
    next: Option<(Row, usize)>,
    /// A line that is no row and may have been one of the next session.
    broken: Option<u64>,
    /// Lines that are no rows, and that are not told of yet.
    untold: VecDeque<NoRow>,
}

/// So many lines that are no rows wait to be told of.
const MOST_UNTOLD: usize = 64;

/// A row and how long its line is, or a line that is none.
type Read = Result<(Row, usize), NoRow>;

/// A line that is no row; the next one may be.
struct NoRow {
    line: u64,
    problem: Problem,
}

impl<R: BufRead> RowReader<R> {
    /// Reads the names of the columns from the first line.
    pub(super) fn new(mut lines: LineReader<R>) -> Result<Self, Problem> {
        let invalid = |why: &dyn std::fmt::Display| {
            Problem::new(Code::InvalidBody, format!("The first line of a CSV names the columns; it {why}."))
        };
        let Some(Text { number, text }) = lines.next().transpose()? else {
            return Err(invalid(&"is missing"));
        };
        let names = cells(number, &text?).map_err(|e| e.problem)?;
        let format = RowFormat::new(names.iter().map(String::as_str)).map_err(|e| invalid(&e))?;
        Ok(Self { lines, format: Arc::new(format), next: None, broken: None, untold: VecDeque::new() })
    }

    /// The rows of the next session, or a line that is none. Of a session that is too long nothing is kept.
    pub(super) fn next(&mut self) -> Option<Result<Piece, Problem>> {
        if let Some(no_row) = self.untold.pop_front() {
            return Some(Ok(no_row.into()));
        }
        let (first, mut bytes) = match self.next.take() {
            Some(first) => first,
            None => match self.row()? {
                Ok(Ok(row)) => row,
                Ok(Err(no_row)) => {
                    self.broken = Some(no_row.line);
                    return Some(Ok(no_row.into()));
                }
                Err(problem) => return Some(Err(problem)),
            },
        };
        let (line, mut rows) = (first.line(), vec![first]);
        let mut refused = self.broken.take().map(near);
        while let Some(row) = self.row() {
            match row {
                Ok(Ok((row, length))) if self.format.is_same_session(&rows[0], &row) => {
                    self.broken = None;
                    bytes += length;
                    if bytes <= self.lines.longest {
                        rows.push(row);
                    } else {
                        rows.truncate(1);
                    }
                }
                Ok(Ok(of_next)) => {
                    self.next = Some(of_next);
                    break;
                }
                // Whose it was cannot be told: neither this session nor the next one is known to be whole.
                Ok(Err(no_row)) => {
                    refused.get_or_insert_with(|| near(no_row.line));
                    self.broken = Some(no_row.line);
                    self.untold.push_back(no_row);
                    // What may follow of this session is refused beside the last of them.
                    if self.untold.len() == MOST_UNTOLD {
                        break;
                    }
                }
                Err(problem) => return Some(Err(problem)),
            }
        }
        let content = match refused {
            Some(problem) => Err(problem),
            None if bytes > self.lines.longest => Err(too_large(self.lines.longest)),
            None => Ok(Content::Rows(self.format.clone(), rows)),
        };
        Some(Ok(Piece { number: line, content, bytes: bytes.min(self.lines.longest) }))
    }

    /// The next line. An error is the last: the body cannot be read on.
    fn row(&mut self) -> Option<Result<Read, Problem>> {
        let Text { number, text } = match self.lines.next()? {
            Ok(line) => line,
            Err(problem) => return Some(Err(problem)),
        };
        Some(Ok(match text {
            Ok(text) => cells(number, &text).and_then(|cells| {
                let (found, width) = (cells.len(), self.format.width());
                if found == width {
                    return Ok((Row::new(number, cells.iter().map(String::as_str)), text.len()));
                }
                Err(NoRow::new(number, &format!("has {found} cells for {width} columns")))
            }),
            Err(problem) => Err(NoRow { line: number, problem }),
        }))
    }
}

impl NoRow {
    fn new(line: u64, why: &str) -> Self {
        Self { line, problem: Problem::new(Code::InvalidBody, format!("Line {line} {why}.")) }
    }
}

impl From<NoRow> for Piece {
    fn from(NoRow { line, problem }: NoRow) -> Self {
        Self { number: line, content: Err(problem), bytes: 0 }
    }
}

/// Why a session beside a line that cannot be read is not stored.
fn near(line: u64) -> Problem {
    let detail = format!("Line {line} cannot be read and may be one of this session's; nothing of it was stored.");
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
        return Err(no_row("has a carriage return in it; lines end with \\n or \\r\\n"));
    }
    // The end of the line, unless it is in the middle of something.
    if read == ReadRecordResult::InputEmpty {
        let (end, _, more, cells) = reader.read_record(b"\n", &mut out[written..], &mut ends[count..]);
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
    starts.zip(&ends[..count]).map(cell).collect::<Option<Vec<String>>>().ok_or_else(|| no_row("is not UTF-8"))
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
        assert_eq!(read(r#""a,1","say ""hi""",c"#), Ok(r#"a,1|say "hi"|c"#.to_owned()));
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
        let first_cell = |line| cells(line, "\u{feff}a,b".as_bytes()).ok().map(|cells| cells[0].clone());
        assert_eq!(first_cell(1).as_deref(), Some("a"));
        assert_eq!(first_cell(2).as_deref(), Some("\u{feff}a"));
    }

    #[test]
    fn what_is_no_text_is_refused() {
        assert!(cells(1, b"a,\xff").is_err());
    }
}
