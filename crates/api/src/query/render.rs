//! An answer as bytes, chunk by chunk.

use time_series_domain::query::AggregateAnswer;
use time_series_domain::{Interval, Timestamp};

use super::asked::{Asked, Output};
use super::columns;
use super::flat::{Flat, Names, has_leaf};
use super::metadata::TimeseriesMetadata;
use super::nested::Nested;
use crate::format::{End, Format, JsonList, Writer, WriterError, elements, end_record, json};

/// Rows of a chunk.
const CHUNK_ROWS: usize = 2_000;

/// Gives the chunks of a rendered answer.
pub(super) struct Render {
    asked: Asked,
    answer: AggregateAnswer,
    format: Format,
    cache: &'static str,
    stage: Stage,
}

enum Stage {
    Head,
    /// The next row of a series, and what is being written.
    Rows {
        series: usize,
        row: usize,
        to: To,
    },
    Done,
}

/// What rows are written to.
enum To {
    List(JsonList, Option<Flat>),
    Lines(u64),
    Writer(Box<Writer>, Flat),
}

impl Render {
    pub(super) const fn new(
        asked: Asked,
        answer: AggregateAnswer,
        format: Format,
        cache: &'static str,
    ) -> Self {
        Self {
            asked,
            answer,
            format,
            cache,
            stage: Stage::Head,
        }
    }

    /// Whether all of it fits into a few chunks.
    pub(super) fn is_small(&self) -> bool {
        self.answer.rows() <= 5 * CHUNK_ROWS
    }

    /// All of it at once.
    pub(super) fn whole(self) -> Result<Vec<u8>, WriterError> {
        let mut whole = Vec::new();
        for chunk in self {
            whole.append(&mut chunk?);
        }
        Ok(whole)
    }

    /// How many bytes it will be, by rendering it once for nothing.
    pub(super) fn measure(&mut self) -> Result<u64, WriterError> {
        let mut bytes = 0;
        while let Some(chunk) = self.chunk()? {
            bytes += chunk.len() as u64;
        }
        self.stage = Stage::Head;
        Ok(bytes)
    }

    fn head(&self, out: &mut Vec<u8>) -> Result<To, WriterError> {
        let flat = || Flat::new(&self.asked, &self.answer, self.format);
        Ok(match (self.format, self.asked.output) {
            (Format::Json, output) => {
                out.extend_from_slice(b"{\"metadata\":");
                json(
                    out,
                    &TimeseriesMetadata::new(&self.asked, &self.answer, self.count(), self.cache),
                );
                out.extend_from_slice(b",\"results\":[");
                To::List(JsonList::default(), (output == Output::Flat).then(flat))
            }
            (Format::Ndjson, Output::Nested | Output::Columns) => To::Lines(0),
            (format, _) => {
                let flat = flat();
                To::Writer(
                    Box::new(Writer::new(
                        format,
                        flat.table.clone(),
                        self.end_of(format),
                        out,
                    )?),
                    flat,
                )
            }
        })
    }

    /// How many results there are.
    fn count(&self) -> usize {
        match self.asked.output {
            Output::Nested => self.answer.rows(),
            Output::Columns => columns::count(&self.answer),
            Output::Flat => {
                let leaves = |series: &time_series_domain::query::SeriesAnswer| {
                    let leaves = Names::of(series).leaves.len();
                    let of_row = |row| {
                        (0..leaves)
                            .filter(|leaf| has_leaf(series.figures(row), leaves, *leaf))
                            .count()
                    };
                    (0..series.rows.len()).map(of_row).sum::<usize>()
                };
                self.answer.series.iter().map(leaves).sum()
            }
        }
    }

    /// What the bucket of a row is called by.
    fn shown_bucket(&self, bucket: Timestamp) -> Timestamp {
        // The only bucket of `all` has the start of the range as its label.
        match self.asked.query.axis.calendar() {
            Some(calendar) if calendar.interval() == Interval::All => self.asked.query.range.start,
            _ => bucket,
        }
    }

    /// Some rows of one series, up to the end of a chunk.
    fn rows(
        &self,
        series: usize,
        rows: std::ops::Range<usize>,
        to: &mut To,
        out: &mut Vec<u8>,
    ) -> Result<(), WriterError> {
        let answer = &self.answer.series[series];
        let axis = &self.asked.query.axis;
        let bucket = |row: usize| self.shown_bucket(answer.rows[row].bucket);
        let table = |flat: &Flat| {
            let (names, mut batch) = (Names::of(answer), flat.table.batch());
            rows.clone()
                .for_each(|row| flat.push(&mut batch, answer, &names, row, bucket(row)));
            batch
        };
        match to {
            To::List(list, Some(flat)) => elements(&flat.table, &table(flat), list, out),
            To::List(list, None) if self.asked.output == Output::Columns => {
                columns::write(out, list, &self.asked, answer, |row| {
                    axis.label(bucket(row))
                });
            }
            To::List(list, None) => {
                let nested = Nested::new(&self.asked.query, answer);
                for row in rows {
                    list.next(out);
                    nested.write(out, &axis.label(bucket(row)), row);
                }
            }
            To::Lines(count) => {
                let nested = Nested::new(&self.asked.query, answer);
                *count += rows.len() as u64;
                for row in rows {
                    nested.write(out, &axis.label(bucket(row)), row);
                    out.push(b'\n');
                }
            }
            To::Writer(writer, flat) => writer.batch(table(flat), out)?,
        }
        Ok(())
    }

    fn chunk(&mut self) -> Result<Option<Vec<u8>>, WriterError> {
        let mut out = Vec::new();
        let (mut series, mut row, mut to) = match std::mem::replace(&mut self.stage, Stage::Done) {
            Stage::Done => return Ok(None),
            Stage::Head => (0, 0, self.head(&mut out)?),
            Stage::Rows { series, row, to } => (series, row, to),
        };
        let mut left = CHUNK_ROWS;
        while let Some(answer) = self.answer.series.get(series) {
            if left == 0 {
                self.stage = Stage::Rows { series, row, to };
                return Ok(Some(out));
            }
            let whole_series = self.asked.output == Output::Columns && self.format == Format::Json;
            let end = if whole_series {
                answer.rows.len()
            } else {
                answer.rows.len().min(row + left)
            };
            self.rows(series, row..end, &mut to, &mut out)?;
            left -= (end - row).min(left);
            (series, row) = if end == answer.rows.len() {
                (series + 1, 0)
            } else {
                (series, end)
            };
        }
        match to {
            To::List(..) => out.extend_from_slice(b"]}"),
            To::Lines(_) if self.asked.end == End::None => {}
            To::Lines(count) => end_record(count, &self.end_members(), &mut out),
            To::Writer(writer, _) => writer.end(&self.end_members(), &mut out)?,
        }
        Ok(Some(out))
    }
}

impl Render {
    /// CSV ends with its length.
    fn end_of(&self, format: Format) -> End {
        if format == Format::Csv {
            End::None
        } else {
            self.asked.end
        }
    }

    /// What an end record tells besides, where there is something to tell.
    fn end_members(&self) -> String {
        let metadata = TimeseriesMetadata::new(&self.asked, &self.answer, 0, self.cache);
        let mut members = Vec::new();
        let mut member = |name: &str, value: &dyn Fn(&mut Vec<u8>)| {
            members.extend_from_slice(format!(",\"{name}\":").as_bytes());
            value(&mut members);
        };
        if let Some(approximate) = &metadata.approximate {
            member("approximate", &|out| json(out, approximate));
        }
        if let Some(explain) = &metadata.explain {
            member("explain", &|out| json(out, explain));
        }
        String::from_utf8(members).unwrap_or_default()
    }
}

impl Iterator for Render {
    type Item = Result<Vec<u8>, WriterError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.chunk().transpose()
    }
}
