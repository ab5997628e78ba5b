//! Points as bytes.

use std::collections::HashMap;
use std::io::Write;
use std::sync::Arc;

use time_series_domain::query::points::{PointView, Thinned};
use time_series_domain::{Json, MetricType, MetricTypeId, Timestamp};
use uuid::Uuid;

use super::asked::{Asked, Output};
use super::columns::Traces;
use super::value_text::SeriesText;
use crate::format::{
    Batch, End, Field, Format, JsonList, Kind, Table, Values, Writer, WriterError, elements,
    end_record, json,
};

/// Rows of a table that are written together.
const BATCH_ROWS: usize = 4_096;

/// Writes points as they come.
pub(super) struct PointRender {
    series: HashMap<MetricTypeId, Arc<SeriesText>>,
    numbers: Vec<Option<f64>>,
    points: u64,
    /// Bytes of text that wait in tables.
    texts: usize,
    to: To,
    pub(super) out: Vec<u8>,
}

enum To {
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

/// A point to be shown.
struct Shown<'a> {
    session: Uuid,
    time: Timestamp,
    has_rest: bool,
    /// The part of the value that no leaf gives back; parsed when it is called.
    rest: &'a dyn Fn() -> Option<Json>,
    value: &'a dyn Fn() -> Json,
    weight: Option<u64>,
}

impl PointRender {
    pub(super) fn new(asked: &Asked) -> Result<Self, WriterError> {
        let has_weight = asked.thin.is_some();
        let mut out = Vec::new();
        let to = match (asked.format, asked.output) {
            (Format::Json, Output::Nested) => To::List(JsonList::default()),
            (Format::Json, Output::Columns) => To::Traces(Traces::new(has_weight)),
            (Format::Json, Output::Flat) => {
                let table = table(has_weight);
                To::FlatList {
                    list: JsonList::default(),
                    batch: table.batch(),
                    table,
                    rows: 0,
                }
            }
            (Format::Ndjson, Output::Nested | Output::Columns) => To::Lines(asked.end_mark),
            (format, _) => {
                let table = table(has_weight);
                let writer = Writer::new(format, table.clone(), asked.end_mark, &mut out)?;
                To::Writer {
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
            to,
            out,
        })
    }

    pub(super) fn view(&mut self, point: &PointView<'_>) -> Result<(), WriterError> {
        self.numbers.clear();
        self.numbers
            .extend((0..point.series.pointers.len()).map(|channel| point.number(channel)));
        let shown = Shown {
            session: point.session_id.0,
            time: point.time,
            has_rest: point.has_rest(),
            rest: &|| point.rest(),
            value: &|| point.value(),
            weight: None,
        };
        self.write(&point.series.metric_type, &shown)
    }

    pub(super) fn thinned(&mut self, point: &Thinned) -> Result<(), WriterError> {
        self.numbers.clone_from(&point.numbers);
        let shown = Shown {
            session: point.session_id.0,
            time: point.time,
            has_rest: point.rest.is_some(),
            rest: &|| point.rest.clone(),
            value: &|| point.value.clone(),
            weight: Some(point.weight),
        };
        self.write(&point.metric_type, &shown)
    }

    /// About how many bytes are held.
    pub(super) fn gathered(&self) -> usize {
        /// A row of a table that waits, with its id, time and number.
        const ROW: usize = 64;
        let waiting = if let To::List(_) | To::Lines(_) = self.to {
            0
        } else {
            self.points
        };
        self.out.len() + self.texts + ROW * usize::try_from(waiting).unwrap_or(usize::MAX / ROW)
    }

    /// How many results there are, and the bytes that are not taken yet, all of them.
    pub(super) fn results(mut self) -> (usize, Vec<u8>) {
        match self.to {
            To::FlatList {
                mut list,
                table,
                batch,
                rows,
            } => {
                elements(&table, &batch, &mut list, &mut self.out);
                (rows, self.out)
            }
            To::Traces(traces) => {
                let count = traces.write(&mut self.out);
                (count, self.out)
            }
            _ => (usize::try_from(self.points).unwrap_or(usize::MAX), self.out),
        }
    }

    /// What tells that this is all; `extra` are further members of an end record.
    pub(super) fn end(mut self, extra: &str) -> Result<Vec<u8>, WriterError> {
        match self.to {
            To::Lines(End::Record) => end_record(self.points, extra, &mut self.out),
            To::Writer {
                mut writer, batch, ..
            } => {
                writer.batch(batch, &mut self.out)?;
                writer.end(extra, &mut self.out)?;
            }
            _ => {}
        }
        Ok(self.out)
    }

    fn write(&mut self, metric_type: &MetricType, shown: &Shown<'_>) -> Result<(), WriterError> {
        let text = self
            .series
            .entry(metric_type.id)
            .or_insert_with(|| Arc::new(SeriesText::of(metric_type)))
            .clone();
        self.points += 1;
        if shown.has_rest && !matches!(self.to, To::List(_) | To::Lines(_)) {
            self.texts += (shown.rest)().as_ref().map_or(0, Json::text_len);
        }
        let (out, numbers) = (&mut self.out, &self.numbers);
        match &mut self.to {
            To::List(list) => {
                list.next(out);
                row(out, &text, numbers, shown);
            }
            To::Lines(_) => {
                row(out, &text, numbers, shown);
                out.push(b'\n');
            }
            To::Traces(traces) => traces.push(
                &text,
                numbers,
                shown.session,
                shown.time,
                (shown.rest)(),
                shown.weight,
            ),
            To::FlatList {
                list,
                table,
                batch,
                rows,
            } => {
                *rows += push(batch, &text, numbers, shown);
                if batch.rows() >= BATCH_ROWS {
                    elements(table, &std::mem::replace(batch, table.batch()), list, out);
                }
            }
            To::Writer {
                writer,
                table,
                batch,
            } => {
                push(batch, &text, numbers, shown);
                if batch.rows() >= BATCH_ROWS {
                    writer.batch(std::mem::replace(batch, table.batch()), out)?;
                }
            }
        }
        Ok(())
    }
}

/// `{"session_id", "series", "time", "value"}`, and the weight.
fn row(out: &mut Vec<u8>, text: &SeriesText, numbers: &[Option<f64>], shown: &Shown<'_>) {
    out.extend_from_slice(b"{\"session_id\":\"");
    let mut id = Uuid::encode_buffer();
    out.extend_from_slice(shown.session.hyphenated().encode_lower(&mut id).as_bytes());
    out.extend_from_slice(b"\",\"series\":");
    out.extend_from_slice(&text.name_json);
    out.extend_from_slice(b",\"time\":\"");
    let _ = write!(out, "{}", shown.time);
    out.extend_from_slice(b"\",\"value\":");
    if shown.has_rest || !text.write(out, numbers) {
        json(out, &(shown.value)());
    }
    if let Some(weight) = shown.weight {
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

/// Appends a row a leaf, and one of what no leaf gives back; gives how many.
fn push(batch: &mut Batch, text: &SeriesText, numbers: &[Option<f64>], shown: &Shown<'_>) -> usize {
    let of_leaf = numbers
        .iter()
        .zip(&text.leaves)
        .filter_map(|(n, leaf)| Some((Some(leaf.clone()), Some((*n)?), None)));
    let has_nothing = numbers.iter().all(Option::is_none) && !shown.has_rest;
    let rest = (shown.rest)().or_else(|| has_nothing.then(|| (shown.value)()));
    let rest = rest.map(|rest| Json::String(rest.to_string()));
    let mut rows = 0;
    for (leaf, number, text_value) in of_leaf.chain(rest.map(|rest| (None, None, Some(rest)))) {
        rows += 1;
        let mut names = [Some(text.name.clone()), leaf].into_iter();
        let mut text_value = text_value;
        for column in &mut batch.columns {
            match column {
                Values::Time(v) => v.push(shown.time),
                Values::Name(v) => v.push(names.next().flatten()),
                Values::Id(v) => v.push(Some(shown.session)),
                Values::Number(v) => v.push(number),
                Values::Json(v) => v.push(text_value.take()),
                Values::Count(v) => v.push(shown.weight),
                Values::Figure(_) => {}
            }
        }
    }
    rows
}
