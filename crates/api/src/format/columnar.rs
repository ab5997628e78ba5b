//! Arrow IPC streams and Parquet.

use std::sync::Arc;

use arrow_array::{ArrayRef, Float64Array, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray};
use arrow_ipc::writer::StreamWriter;
use arrow_schema::{ArrowError, DataType, Field as ArrowField, Schema, TimeUnit};
use parquet::arrow::ArrowWriter;
use parquet::errors::ParquetError;
use time_series_domain::Json;
use time_series_domain::query::{Axis, Figure};

use super::table::{Batch, Field, Kind, Table, Values};
use super::{Format, WriterError};

/// Rows of a Parquet row group, which is held in memory until it is full.
const ROWS_OF_GROUP: usize = 131_072;

/// Writes record batches to memory, to be taken from there.
pub(crate) struct ColumnarWriter {
    table: Table,
    schema: Arc<Schema>,
    sink: Sink,
}

enum Sink {
    Arrow(Box<StreamWriter<Vec<u8>>>),
    Parquet(Box<ArrowWriter<Vec<u8>>>),
}

impl From<ArrowError> for WriterError {
    fn from(e: ArrowError) -> Self {
        Self { format: "arrow", problem: e.to_string() }
    }
}

impl From<ParquetError> for WriterError {
    fn from(e: ParquetError) -> Self {
        Self { format: "parquet", problem: e.to_string() }
    }
}

impl ColumnarWriter {
    pub(super) fn new(format: Format, table: Table) -> Result<Self, WriterError> {
        let fields: Vec<ArrowField> = table.fields.iter().map(arrow_field).collect();
        let schema = Arc::new(Schema::new(fields));
        let sink = if format == Format::Arrow {
            Sink::Arrow(Box::new(StreamWriter::try_new(Vec::new(), &schema)?))
        } else {
            Sink::Parquet(Box::new(ArrowWriter::try_new(Vec::new(), schema.clone(), None)?))
        };
        Ok(Self { table, schema, sink })
    }

    pub(super) fn batch(&mut self, batch: Batch, out: &mut Vec<u8>) -> Result<(), WriterError> {
        if batch.rows() == 0 {
            return Ok(());
        }
        let columns = self.table.fields.iter().zip(batch.columns).map(|(field, values)| array(field, values)).collect();
        let batch = RecordBatch::try_new(self.schema.clone(), columns)?;
        match &mut self.sink {
            Sink::Arrow(writer) => {
                writer.write(&batch)?;
                out.append(writer.get_mut());
            }
            Sink::Parquet(writer) => {
                writer.write(&batch)?;
                if writer.in_progress_rows() >= ROWS_OF_GROUP {
                    writer.flush()?;
                }
                out.append(writer.inner_mut());
            }
        }
        Ok(())
    }

    pub(super) fn end(self, out: &mut Vec<u8>) -> Result<(), WriterError> {
        match self.sink {
            Sink::Arrow(writer) => out.append(&mut writer.into_inner()?),
            Sink::Parquet(writer) => out.append(&mut writer.into_inner()?),
        }
        Ok(())
    }
}

fn arrow_field(field: &Field) -> ArrowField {
    let (kind, nullable) = match &field.kind {
        Kind::Time(Some(Axis::SinceStart(_))) => (DataType::Utf8, false),
        Kind::Time(_) => (DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())), false),
        Kind::Id | Kind::Name | Kind::Json => (DataType::Utf8, true),
        Kind::Number | Kind::Figure => (DataType::Float64, true),
        Kind::Count => (DataType::Int64, true),
    };
    ArrowField::new(&field.name, kind, nullable)
}

fn array(field: &Field, values: Values) -> ArrayRef {
    match values {
        Values::Time(v) if matches!(field.kind, Kind::Time(Some(Axis::SinceStart(_)))) => {
            Arc::new(v.into_iter().map(|t| Some(field.label(t))).collect::<StringArray>())
        }
        Values::Time(v) => {
            let instants: Vec<i64> = v.into_iter().map(time_series_domain::Timestamp::micros).collect();
            Arc::new(TimestampMicrosecondArray::from(instants).with_timezone("UTC"))
        }
        Values::Id(v) => Arc::new(v.into_iter().map(|id| id.map(|id| id.to_string())).collect::<StringArray>()),
        Values::Name(v) => Arc::new(v.iter().map(|n| n.as_deref()).collect::<StringArray>()),
        Values::Number(v) => Arc::new(Float64Array::from(v)),
        Values::Count(v) => {
            let counts = v.into_iter().map(|n| n.map(|n| i64::try_from(n).unwrap_or(i64::MAX)));
            Arc::new(counts.collect::<Int64Array>())
        }
        Values::Figure(v) => Arc::new(v.iter().map(Figure::number).collect::<Float64Array>()),
        Values::Json(v) => Arc::new(v.into_iter().map(|json| json.map(text)).collect::<StringArray>()),
    }
}

/// A JSON value, a string without its quotes.
fn text(json: Json) -> String {
    match json {
        Json::String(text) => text,
        other => other.to_string(),
    }
}
