//! Arrow IPC streams and Parquet files.

use std::sync::Arc;

use arrow_array::builder::StringDictionaryBuilder;
use arrow_array::types::Int32Type;
use arrow_array::{
    ArrayRef, DictionaryArray, DurationMicrosecondArray, Float64Array, Int64Array, RecordBatch,
    TimestampMicrosecondArray,
};
use arrow_ipc::writer::StreamWriter;
use arrow_schema::{ArrowError, DataType, Field as ArrowField, Schema, TimeUnit};
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use time_series_domain::query::{Axis, Figure};
use time_series_domain::{Calendar, Json, Timestamp};

use super::table::{Batch, Field, Kind, Table, Values};
use super::{Format, WriterError};

/// Rows per Parquet row group, which is held in memory until it is full.
const ROWS_OF_GROUP: usize = 131_072;

/// Compression level of Parquet. Higher levels cost more time than they save.
const ZSTD_LEVEL: i32 = 1;

/// Writes record batches to memory, from where their bytes are taken.
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
        Self {
            format: "arrow",
            problem: e.to_string(),
        }
    }
}

impl From<ParquetError> for WriterError {
    fn from(e: ParquetError) -> Self {
        Self {
            format: "parquet",
            problem: e.to_string(),
        }
    }
}

impl ColumnarWriter {
    pub(super) fn new(format: Format, table: Table) -> Result<Self, WriterError> {
        let fields: Vec<ArrowField> = table.fields.iter().map(arrow_field).collect();
        let schema = Arc::new(Schema::new(fields));
        let sink = if format == Format::Arrow {
            Sink::Arrow(Box::new(StreamWriter::try_new(Vec::new(), &schema)?))
        } else {
            let compression = Compression::ZSTD(ZstdLevel::try_new(ZSTD_LEVEL)?);
            let properties = WriterProperties::builder()
                .set_compression(compression)
                .build();
            Sink::Parquet(Box::new(ArrowWriter::try_new(
                Vec::new(),
                schema.clone(),
                Some(properties),
            )?))
        };
        Ok(Self {
            table,
            schema,
            sink,
        })
    }

    pub(super) fn batch(&mut self, batch: Batch, out: &mut Vec<u8>) -> Result<(), WriterError> {
        if batch.rows() == 0 {
            return Ok(());
        }
        let columns = self
            .table
            .fields
            .iter()
            .zip(batch.columns)
            .map(|(field, values)| array(field, values))
            .collect();
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
    let text = || DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8));
    let (kind, nullable) = match &field.kind {
        Kind::Time(Some(Axis::SinceStart(_))) => (DataType::Duration(TimeUnit::Microsecond), false),
        Kind::Time(axis) => (
            DataType::Timestamp(TimeUnit::Microsecond, Some(zone(axis.as_ref()).into())),
            false,
        ),
        Kind::Id | Kind::Name | Kind::Json => (text(), true),
        Kind::Number | Kind::Figure => (DataType::Float64, true),
        Kind::Count => (DataType::Int64, true),
    };
    ArrowField::new(&field.name, kind, nullable)
}

/// Returns the time zone in which the instants of an axis are shown.
fn zone(axis: Option<&Axis>) -> &str {
    axis.and_then(Axis::calendar)
        .map_or("UTC", Calendar::zone_name)
}

fn array(field: &Field, values: Values) -> ArrayRef {
    match values {
        Values::Time(v) => {
            let micros: Vec<i64> = v.into_iter().map(Timestamp::micros).collect();
            match &field.kind {
                Kind::Time(Some(Axis::SinceStart(_))) => {
                    Arc::new(DurationMicrosecondArray::from(micros))
                }
                Kind::Time(axis) => Arc::new(
                    TimestampMicrosecondArray::from(micros).with_timezone(zone(axis.as_ref())),
                ),
                _ => Arc::new(TimestampMicrosecondArray::from(micros).with_timezone("UTC")),
            }
        }
        Values::Id(v) => Arc::new(texts(v.into_iter().map(|id| id.map(|id| id.to_string())))),
        Values::Name(v) => Arc::new(texts(v.into_iter())),
        Values::Number(v) => Arc::new(Float64Array::from(v)),
        Values::Count(v) => {
            let counts = v
                .into_iter()
                .map(|n| n.map(|n| i64::try_from(n).unwrap_or(i64::MAX)));
            Arc::new(counts.collect::<Int64Array>())
        }
        Values::Figure(v) => Arc::new(v.iter().map(Figure::number).collect::<Float64Array>()),
        Values::Json(v) => Arc::new(texts(v.into_iter().map(|json| json.map(text)))),
    }
}

/// A dictionary of distinct texts.
fn texts<T: AsRef<str>>(texts: impl Iterator<Item = Option<T>>) -> DictionaryArray<Int32Type> {
    let mut builder = StringDictionaryBuilder::<Int32Type>::new();
    for text in texts {
        builder.append_option(text);
    }
    builder.finish()
}

/// Returns a JSON value as text; strings without quotes.
fn text(json: Json) -> String {
    match json {
        Json::String(text) => text,
        other => other.to_string(),
    }
}
