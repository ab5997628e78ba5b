//! Rendering of points in every format and layout.

use std::collections::HashMap;
use std::io::Write;
use std::sync::Arc;

use time_series_domain::query::points::{DownsampledPoint, PointView};
use time_series_domain::{Json, MetricType, MetricTypeId, Timestamp};
use uuid::Uuid;

use super::columns::Traces;
use super::request::PointListRequest;
use super::value_text::SeriesText;
use crate::format::{
    Batch, End, Field, Format, JsonList, Kind, Table, Values, Writer, WriterError, elements,
    end_record, json,
};
use crate::request::Output;

/// Rows per batch of a table.
const BATCH_ROWS: usize = 4_096;

/// Renders points one by one.
pub(super) struct PointRender {
    series: HashMap<MetricTypeId, Arc<SeriesText>>,
    numbers: Vec<Option<f64>>,
    points: u64,
    /// Bytes of text in batches that are not yet written.
    texts: usize,
    target: Target,
    pub(super) out: Vec<u8>,
}

enum Target {
    List(JsonList),
    Lines(End),
    FlatList {
        list: JsonList,
        table: Table,
        batch: Batch,
        rows: usize,
    },
    Writer {
        writer: Box<Writer>,
        table: Table,
        batch: Batch,
    },
    Traces(Traces),
}

/// A point to be rendered.
struct RenderedPoint<'a> {
    session: Uuid,
    time: Timestamp,
    has_remainder: bool,
    /// The part of the value that no leaf contains; parsed on each call.
    remainder: &'a dyn Fn() -> Option<Json>,
    value: &'a dyn Fn() -> Json,
    weight: Option<u64>,
}

impl PointRender {
    pub(super) fn new(request: &PointListRequest) -> Result<Self, WriterError> {
        let has_weight = request.downsample.is_some();
        let mut out = Vec::new();
        let target = match (request.format, request.output) {
            (Format::Json, Output::Nested) => Target::List(JsonList::default()),
            (Format::Json, Output::Columns) => Target::Traces(Traces::new(has_weight)),
            (Format::Json, Output::Flat) => {
                let table = table(has_weight);
                Target::FlatList {
                    list: JsonList::default(),
                    batch: table.batch(),
                    table,
                    rows: 0,
                }
            }
            (Format::Ndjson, Output::Nested | Output::Columns) => Target::Lines(request.end_mark),
            (format, _) => {
                let table = table(has_weight);
                let writer = Writer::new(format, table.clone(), request.end_mark, &mut out)?;
                Target::Writer {
                    writer: Box::new(writer),
                    batch: table.batch(),
                    table,
                }
            }
        };
        Ok(Self {
            series: HashMap::new(),
            numbers: Vec::new(),
            points: 0,
            texts: 0,
            target,
            out,
        })
    }

    /// Renders a point.
    pub(super) fn push(&mut self, point: &PointView<'_>) -> Result<(), WriterError> {
        self.numbers.clear();
        self.numbers
            .extend((0..point.series.pointers.len()).map(|channel| point.number(channel)));
        let rendered = RenderedPoint {
            session: point.session_id.0,
            time: point.time,
            has_remainder: point.has_remainder(),
            remainder: &|| point.remainder(),
            value: &|| point.value(),
            weight: None,
        };
        self.write(&point.series.metric_type, &rendered)
    }

    /// Renders a point that downsampling chose.
    pub(super) fn push_downsampled(&mut self, point: &DownsampledPoint) -> Result<(), WriterError> {
        self.numbers.clone_from(&point.numbers);
        let rendered = RenderedPoint {
            session: point.session_id.0,
            time: point.time,
            has_remainder: point.remainder.is_some(),
            remainder: &|| point.remainder.clone(),
            value: &|| point.value.clone(),
            weight: Some(point.weight),
        };
        self.write(&point.metric_type, &rendered)
    }

    /// Returns the approximate number of bytes held.
    pub(super) fn buffered_bytes(&self) -> usize {
        /// Bytes of a row in a batch, with id, time and number.
        const ROW_BYTES: usize = 64;
        let waiting = if let Target::List(_) | Target::Lines(_) = self.target {
            0
        } else {
            self.points
        };
        self.out.len()
            + self.texts
            + ROW_BYTES * usize::try_from(waiting).unwrap_or(usize::MAX / ROW_BYTES)
    }

    /// Returns the number of results and all bytes that are not yet taken.
    pub(super) fn results(mut self) -> (usize, Vec<u8>) {
        match self.target {
            Target::FlatList {
                mut list,
                table,
                batch,
                rows,
            } => {
                elements(&table, &batch, &mut list, &mut self.out);
                (rows, self.out)
            }
            Target::Traces(traces) => {
                let count = traces.write(&mut self.out);
                (count, self.out)
            }
            _ => (usize::try_from(self.points).unwrap_or(usize::MAX), self.out),
        }
    }

    /// Returns the remaining bytes with the end marker; `extra` are additional members of an end
    /// record.
    pub(super) fn end(mut self, extra: &str) -> Result<Vec<u8>, WriterError> {
        match self.target {
            Target::Lines(End::Record) => end_record(self.points, extra, &mut self.out),
            Target::Writer {
                mut writer, batch, ..
            } => {
                writer.batch(batch, &mut self.out)?;
                writer.end(extra, &mut self.out)?;
            }
            _ => {}
        }
        Ok(self.out)
    }

    fn write(
        &mut self,
        metric_type: &MetricType,
        point: &RenderedPoint<'_>,
    ) -> Result<(), WriterError> {
        let text = self
            .series
            .entry(metric_type.id)
            .or_insert_with(|| Arc::new(SeriesText::of(metric_type)))
            .clone();
        self.points += 1;
        if point.has_remainder && !matches!(self.target, Target::List(_) | Target::Lines(_)) {
            self.texts += (point.remainder)().as_ref().map_or(0, Json::text_len);
        }
        let (out, numbers) = (&mut self.out, &self.numbers);
        match &mut self.target {
            Target::List(list) => {
                list.next(out);
                row(out, &text, numbers, point);
            }
            Target::Lines(_) => {
                row(out, &text, numbers, point);
                out.push(b'\n');
            }
            Target::Traces(traces) => traces.push(
                &text,
                numbers,
                point.session,
                point.time,
                (point.remainder)(),
                point.weight,
            ),
            Target::FlatList {
                list,
                table,
                batch,
                rows,
            } => {
                *rows += push_rows(batch, &text, numbers, point);
                if batch.rows() >= BATCH_ROWS {
                    elements(table, &std::mem::replace(batch, table.batch()), list, out);
                }
            }
            Target::Writer {
                writer,
                table,
                batch,
            } => {
                push_rows(batch, &text, numbers, point);
                if batch.rows() >= BATCH_ROWS {
                    writer.batch(std::mem::replace(batch, table.batch()), out)?;
                }
            }
        }
        Ok(())
    }
}

/// Appends `{"session_id", "series", "time", "value"}`, and the weight.
fn row(out: &mut Vec<u8>, text: &SeriesText, numbers: &[Option<f64>], point: &RenderedPoint<'_>) {
    out.extend_from_slice(b"{\"session_id\":\"");
    let mut id = Uuid::encode_buffer();
    out.extend_from_slice(point.session.hyphenated().encode_lower(&mut id).as_bytes());
    out.extend_from_slice(b"\",\"series\":");
    out.extend_from_slice(&text.name_json);
    out.extend_from_slice(b",\"time\":\"");
    let _ = write!(out, "{}", point.time);
    out.extend_from_slice(b"\",\"value\":");
    if point.has_remainder || !text.write(out, numbers) {
        json(out, &(point.value)());
    }
    if let Some(weight) = point.weight {
        let _ = write!(out, ",\"weight\":{weight}");
    }
    out.push(b'}');
}

fn table(has_weight: bool) -> Table {
    let mut fields = vec![
        Field::new("time", Kind::Time(None)),
        Field::new("series", Kind::Name),
        Field::new("session_id", Kind::Id),
        Field::new("leaf", Kind::Name),
        Field::new("value", Kind::Number),
        Field::new("text", Kind::Json),
    ];
    if has_weight {
        fields.push(Field::new("weight", Kind::Count));
    }
    Table { fields }
}

/// Appends one row per leaf, and one for the remainder. Returns their number.
fn push_rows(
    batch: &mut Batch,
    text: &SeriesText,
    numbers: &[Option<f64>],
    point: &RenderedPoint<'_>,
) -> usize {
    let of_leaf = numbers
        .iter()
        .zip(&text.leaves)
        .filter_map(|(n, leaf)| Some((Some(leaf.clone()), Some((*n)?), None)));
    let is_empty = numbers.iter().all(Option::is_none) && !point.has_remainder;
    let remainder = (point.remainder)().or_else(|| is_empty.then(|| (point.value)()));
    let remainder = remainder.map(|remainder| Json::String(remainder.to_string()));
    let mut rows = 0;
    for (leaf, number, text_value) in
        of_leaf.chain(remainder.map(|remainder| (None, None, Some(remainder))))
    {
        rows += 1;
        let mut names = [Some(text.name.clone()), leaf].into_iter();
        let mut text_value = text_value;
        for column in &mut batch.columns {
            match column {
                Values::Time(v) => v.push(point.time),
                Values::Name(v) => v.push(names.next().flatten()),
                Values::Id(v) => v.push(Some(point.session)),
                Values::Number(v) => v.push(number),
                Values::Json(v) => v.push(text_value.take()),
                Values::Count(v) => v.push(point.weight),
                Values::Figure(_) => {}
            }
        }
    }
    rows
}
