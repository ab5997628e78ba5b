//! Writers of tables, batch by batch.

use super::table::{Batch, Table};
use super::{End, Format, csv, json};

/// Writes the flat rows of one response.
pub(crate) enum Writer {
    Csv {
        table: Table,
        rows: u64,
        end: End,
    },
    Ndjson {
        table: Table,
        rows: u64,
        end: End,
    },
    #[cfg(feature = "columnar")]
    Columnar(super::columnar::ColumnarWriter),
}

/// Rows could not be written: a fault of the service.
#[derive(Debug, thiserror::Error)]
#[error("cannot write {format}: {problem}")]
pub(crate) struct WriterError {
    pub(crate) format: &'static str,
    pub(crate) problem: String,
}

impl Writer {
    /// Creates a writer of a format other than JSON, whose document is written by the caller.
    pub(crate) fn new(
        format: Format,
        table: Table,
        end: End,
        out: &mut Vec<u8>,
    ) -> Result<Self, WriterError> {
        match format {
            Format::Csv => {
                csv::header(out, &table);
                Ok(Self::Csv {
                    table,
                    rows: 0,
                    end,
                })
            }
            Format::Json | Format::Ndjson => Ok(Self::Ndjson {
                table,
                rows: 0,
                end,
            }),
            #[cfg(feature = "columnar")]
            Format::Arrow | Format::Parquet => {
                super::columnar::ColumnarWriter::new(format, table).map(Self::Columnar)
            }
            #[cfg(not(feature = "columnar"))]
            Format::Arrow | Format::Parquet => Err(WriterError {
                format: format.name(),
                problem: "not in this build".to_owned(),
            }),
        }
    }

    /// Writes a batch of rows.
    pub(crate) fn batch(&mut self, batch: Batch, out: &mut Vec<u8>) -> Result<(), WriterError> {
        match self {
            Self::Csv { table, rows, .. } => {
                (0..batch.rows()).for_each(|row| csv::row(out, table, &batch, row));
                *rows += batch.rows() as u64;
            }
            Self::Ndjson { table, rows, .. } => {
                for row in 0..batch.rows() {
                    json::object(out, table, &batch, row);
                    out.push(b'\n');
                }
                *rows += batch.rows() as u64;
            }
            #[cfg(feature = "columnar")]
            Self::Columnar(writer) => writer.batch(batch, out)?,
        }
        Ok(())
    }

    /// Writes the end marker; `extra` are additional members of an end record.
    pub(crate) fn end(self, extra: &str, out: &mut Vec<u8>) -> Result<(), WriterError> {
        match self {
            Self::Csv {
                rows,
                end: End::Record,
                ..
            } => csv::end(out, rows),
            Self::Ndjson {
                rows,
                end: End::Record,
                ..
            } => end_record(rows, extra, out),
            Self::Csv { .. } | Self::Ndjson { .. } => {}
            #[cfg(feature = "columnar")]
            Self::Columnar(writer) => writer.end(out)?,
        }
        Ok(())
    }
}

/// Writes the end record, which is the last line of NDJSON.
pub(crate) fn end_record(rows: u64, extra: &str, out: &mut Vec<u8>) {
    out.extend_from_slice(format!("{{\"end\":true,\"count\":{rows}{extra}}}\n").as_bytes());
}

/// Appends the flat rows of a batch as elements of a JSON list.
pub(crate) fn elements(table: &Table, batch: &Batch, list: &mut json::JsonList, out: &mut Vec<u8>) {
    for row in 0..batch.rows() {
        list.next(out);
        json::object(out, table, batch, row);
    }
}
