//! Rendering of an aggregate answer, chunk by chunk.

use time_series_domain::query::AggregateAnswer;
use time_series_domain::{Interval, Timestamp};

use super::columns;
use super::flat::{Flat, Names, has_leaf};
use super::metadata::TimeseriesMetadata;
use super::nested::Nested;
use super::request::AggregateRequest;
use crate::format::{End, Format, JsonList, Writer, WriterError, elements, end_record, json};
use crate::request::Output;

/// Rows per chunk.
const CHUNK_ROWS: usize = 2_000;

/// Renders an answer as an iterator of chunks.
pub(super) struct Render {
    request: AggregateRequest,
    answer: AggregateAnswer,
    format: Format,
    cache: &'static str,
    stage: Stage,
}

enum Stage {
    Start,
    /// The next row of a series, and the target of rows.
    Rows {
        series: usize,
        row: usize,
        target: Target,
    },
    Done,
}

/// The target of rows.
enum Target {
    List(JsonList, Option<Flat>),
    Lines(u64),
    Writer(Box<Writer>, Flat),
}

impl Render {
    pub(super) const fn new(
        request: AggregateRequest,
        answer: AggregateAnswer,
        format: Format,
        cache: &'static str,
    ) -> Self {
        Self {
            request,
            answer,
            format,
            cache,
            stage: Stage::Start,
        }
    }

    /// Returns whether the whole answer fits into a few chunks.
    pub(super) fn is_small(&self) -> bool {
        self.answer.rows() <= 5 * CHUNK_ROWS
    }

    /// Renders the whole answer.
    pub(super) fn whole(self) -> Result<Vec<u8>, WriterError> {
        let mut whole = Vec::new();
        for chunk in self {
            whole.append(&mut chunk?);
        }
        Ok(whole)
    }

    /// Returns the number of bytes of the rendered answer, by rendering it once.
    pub(super) fn measure(&mut self) -> Result<u64, WriterError> {
        let mut bytes = 0;
        while let Some(chunk) = self.chunk()? {
            bytes += chunk.len() as u64;
        }
        self.stage = Stage::Start;
        Ok(bytes)
    }

    /// Writes the start of the response and returns the target of the rows.
    fn start(&self, out: &mut Vec<u8>) -> Result<Target, WriterError> {
        let flat = || Flat::new(&self.request, &self.answer, self.format);
        Ok(match (self.format, self.request.output) {
            (Format::Json, output) => {
                out.extend_from_slice(b"{\"metadata\":");
                json(
                    out,
                    &TimeseriesMetadata::new(&self.request, &self.answer, self.count(), self.cache),
                );
                out.extend_from_slice(b",\"results\":[");
                Target::List(JsonList::default(), (output == Output::Flat).then(flat))
            }
            (Format::Ndjson, Output::Nested | Output::Columns) => Target::Lines(0),
            (format, _) => {
                let flat = flat();
                Target::Writer(
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

    /// Returns the number of results.
    fn count(&self) -> usize {
        match self.request.output {
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

    /// Returns the start of a bucket as it is shown.
    fn shown_bucket(&self, bucket: Timestamp) -> Timestamp {
        // The only bucket of `all` is labelled with the start of the range.
        match self.request.spec.axis.calendar() {
            Some(calendar) if calendar.interval() == Interval::All => self.request.spec.range.start,
            _ => bucket,
        }
    }

    /// Writes some rows of one series.
    fn rows(
        &self,
        series: usize,
        rows: std::ops::Range<usize>,
        target: &mut Target,
        out: &mut Vec<u8>,
    ) -> Result<(), WriterError> {
        let answer = &self.answer.series[series];
        let axis = &self.request.spec.axis;
        let bucket = |row: usize| self.shown_bucket(answer.rows[row].bucket);
        let table = |flat: &Flat| {
            let (names, mut batch) = (Names::of(answer), flat.table.batch());
            rows.clone()
                .for_each(|row| flat.push(&mut batch, answer, &names, row, bucket(row)));
            batch
        };
        match target {
            Target::List(list, Some(flat)) => elements(&flat.table, &table(flat), list, out),
            Target::List(list, None) if self.request.output == Output::Columns => {
                columns::write(out, list, &self.request, answer, |row| {
                    axis.label(bucket(row))
                });
            }
            Target::List(list, None) => {
                let nested = Nested::new(&self.request.spec, answer);
                for row in rows {
                    list.next(out);
                    nested.write(out, &axis.label(bucket(row)), row);
                }
            }
            Target::Lines(count) => {
                let nested = Nested::new(&self.request.spec, answer);
                *count += rows.len() as u64;
                for row in rows {
                    nested.write(out, &axis.label(bucket(row)), row);
                    out.push(b'\n');
                }
            }
            Target::Writer(writer, flat) => writer.batch(table(flat), out)?,
        }
        Ok(())
    }

    fn chunk(&mut self) -> Result<Option<Vec<u8>>, WriterError> {
        let mut out = Vec::new();
        let (mut series, mut row, mut target) =
            match std::mem::replace(&mut self.stage, Stage::Done) {
                Stage::Done => return Ok(None),
                Stage::Start => (0, 0, self.start(&mut out)?),
                Stage::Rows {
                    series,
                    row,
                    target,
                } => (series, row, target),
            };
        let mut left = CHUNK_ROWS;
        while let Some(answer) = self.answer.series.get(series) {
            if left == 0 {
                self.stage = Stage::Rows {
                    series,
                    row,
                    target,
                };
                return Ok(Some(out));
            }
            let whole_series =
                self.request.output == Output::Columns && self.format == Format::Json;
            let end = if whole_series {
                answer.rows.len()
            } else {
                answer.rows.len().min(row + left)
            };
            self.rows(series, row..end, &mut target, &mut out)?;
            left -= (end - row).min(left);
            (series, row) = if end == answer.rows.len() {
                (series + 1, 0)
            } else {
                (series, end)
            };
        }
        match target {
            Target::List(..) => out.extend_from_slice(b"]}"),
            Target::Lines(_) if self.request.end == End::None => {}
            Target::Lines(count) => end_record(count, &self.end_members(), &mut out),
            Target::Writer(writer, _) => writer.end(&self.end_members(), &mut out)?,
        }
        Ok(Some(out))
    }
}

impl Render {
    /// Returns the end marker of a format. CSV has none: its end is known from the length.
    fn end_of(&self, format: Format) -> End {
        if format == Format::Csv {
            End::None
        } else {
            self.request.end
        }
    }

    /// Returns the additional members of an end record.
    fn end_members(&self) -> String {
        let metadata = TimeseriesMetadata::new(&self.request, &self.answer, 0, self.cache);
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
