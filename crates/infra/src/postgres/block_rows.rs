//! Rows of the table `block`: written by COPY, read by column name.

use std::pin::pin;

use deadpool_postgres::Object;
use serde_json::value::RawValue;
use time::OffsetDateTime;
use time_series_domain::block::{Block, Numbers, Remainder, Spacing, TimeUnit, Times};
use time_series_domain::summary::Moments;
use time_series_domain::{MetricTypeId, Sample, SessionId, Summary, Timestamp, UserId};
use tokio_postgres::Row;
use tokio_postgres::binary_copy::BinaryCopyInWriter;
use tokio_postgres::types::{FromSql, Json, ToSql, Type};
use uuid::Uuid;

use super::error::{PgError, unreadable};

const COPY_BLOCKS: &str = include_str!("ingest/copy_blocks.sql");
const COPY_TYPES: [Type; 17] = [
    Type::UUID,
    Type::UUID,
    Type::TIMESTAMPTZ,
    Type::TIMESTAMPTZ,
    Type::INT4,
    Type::INT4,
    Type::INT4,
    Type::INT4,
    Type::INT2,
    Type::INT4_ARRAY,
    Type::INT2_ARRAY,
    Type::INT2_ARRAY,
    Type::INT4_ARRAY,
    Type::FLOAT4_ARRAY,
    Type::FLOAT8_ARRAY,
    Type::JSON,
    Type::FLOAT8_ARRAY,
];
/// n, sum, m2, min, max, `first_at`, first, `last_at`, last.
const SUMMARY_NUMBERS: usize = 9;
const TABLE: &str = "block";

/// A block to be written, and the summaries to keep with it.
pub(super) struct BlockRow<'a> {
    pub(super) user_id: UserId,
    pub(super) session_id: SessionId,
    pub(super) block: &'a Block,
}

/// Writes blocks in one COPY.
pub(super) async fn copy_blocks(client: &Object, rows: &[BlockRow<'_>]) -> Result<(), PgError> {
    if rows.is_empty() {
        return Ok(());
    }
    let sink = client.copy_in(COPY_BLOCKS).await?;
    let mut writer = pin!(BinaryCopyInWriter::new(sink, &COPY_TYPES));
    for row in rows {
        let columns = Columns::of(row)?;
        writer.as_mut().write(&columns.params()).await?;
    }
    // Without this the rows would be forgotten and the commit would still succeed.
    let written = writer.finish().await?;
    if written == rows.len() as u64 {
        Ok(())
    } else {
        Err(unreadable(TABLE, "*", format!("{written} of {} rows were written", rows.len())))
    }
}

struct Columns<'a> {
    user_id: Uuid,
    session_id: Uuid,
    t_min: OffsetDateTime,
    t_max: OffsetDateTime,
    metric_type_id: i32,
    seq: i32,
    time_unit: i32,
    time_step: Option<i32>,
    n: i16,
    time_deltas: Option<&'a [i32]>,
    scales: Option<Vec<i16>>,
    int2: Option<&'a [Option<i16>]>,
    int4: Option<&'a [Option<i32>]>,
    float4: Option<&'a [Option<f32>]>,
    float8: Option<&'a [Option<f64>]>,
    remainder: Option<Json<Box<RawValue>>>,
    summaries: Option<Vec<f64>>,
}

#[expect(clippy::cast_possible_truncation, clippy::cast_possible_wrap, reason = "blocks have at most 4,096 points")]
impl<'a> Columns<'a> {
    fn of(row: &BlockRow<'a>) -> Result<Self, PgError> {
        let block = row.block;
        let (time_step, time_deltas) = match block.times.spacing() {
            Spacing::Step(step) => (Some(*step), None),
            Spacing::Deltas(deltas) => (None, Some(deltas.as_slice())),
        };
        let mut columns = Self {
            user_id: row.user_id.0,
            session_id: row.session_id.0,
            t_min: block.t_min().to_offset_date_time(),
            t_max: block.t_max().to_offset_date_time(),
            metric_type_id: block.metric_type.0,
            seq: block.seq as i32,
            time_unit: block.times.unit().micros() as i32,
            time_step,
            n: block.len() as i16,
            time_deltas,
            scales: None,
            int2: None,
            int4: None,
            float4: None,
            float8: None,
            remainder: None,
            summaries: None,
        };
        match &block.numbers {
            Numbers::None => {}
            Numbers::Int2(values, scales) => {
                columns.int2 = Some(values);
                columns.scales = nonzero(scales);
            }
            Numbers::Int4(values, scales) => {
                columns.int4 = Some(values);
                columns.scales = nonzero(scales);
            }
            Numbers::Float4(values, _) => columns.float4 = Some(values),
            Numbers::Float8(values, _) => columns.float8 = Some(values),
        }
        if !block.remainder.is_empty() {
            let text = RawValue::from_string(block.remainder.to_text());
            columns.remainder = Some(Json(text.map_err(|e| unreadable(TABLE, "remainder", e))?));
        }
        if block.len() >= time_series_domain::block::MIN_SUMMARISED_POINTS && block.numbers.channels() > 0 {
            let summaries = block.summarise();
            columns.summaries = Some(summaries.iter().flat_map(|s| pack(s, block.t_min())).collect());
        }
        Ok(columns)
    }

    fn params(&self) -> [&(dyn ToSql + Sync); 17] {
        [
            &self.user_id,
            &self.session_id,
            &self.t_min,
            &self.t_max,
            &self.metric_type_id,
            &self.seq,
            &self.time_unit,
            &self.time_step,
            &self.n,
            &self.time_deltas,
            &self.scales,
            &self.int2,
            &self.int4,
            &self.float4,
            &self.float8,
            &self.remainder,
            &self.summaries,
        ]
    }
}

fn nonzero(scales: &[u8]) -> Option<Vec<i16>> {
    scales.iter().any(|&s| s != 0).then(|| scales.iter().map(|&s| i16::from(s)).collect())
}

#[expect(clippy::cast_precision_loss, reason = "counts and microseconds of a day are far below 2^53")]
fn pack(summary: &Summary, t_min: Timestamp) -> [f64; SUMMARY_NUMBERS] {
    let moments = summary.moments();
    let after = |sample: Sample| (sample.time.micros() - t_min.micros()) as f64;
    match (summary.min(), summary.max(), summary.first(), summary.last()) {
        (Some(min), Some(max), Some(first), Some(last)) => {
            [moments.n as f64, moments.sum, moments.m2, min, max, after(first), first.value, after(last), last.value]
        }
        _ => [0.0; SUMMARY_NUMBERS],
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "written by pack() from integers")]
fn unpack(numbers: &[f64], t_min: Timestamp) -> Summary {
    let sample = |after: f64, value| Sample { time: t_min.plus_micros(after as i64), value };
    let moments = Moments { n: numbers[0] as u64, sum: numbers[1], m2: numbers[2] };
    let (first, last) = (sample(numbers[5], numbers[6]), sample(numbers[7], numbers[8]));
    Summary::from_parts(moments, numbers[3], numbers[4], first, last)
}

/// A column of the table `block`, or an error that names it.
pub(super) fn column<'r, T: FromSql<'r>>(row: &'r Row, name: &'static str) -> Result<T, PgError> {
    row.try_get(name).map_err(|e| unreadable(TABLE, name, e))
}

pub(super) fn timestamp(row: &Row, name: &'static str) -> Result<Timestamp, PgError> {
    column::<OffsetDateTime>(row, name).map(Timestamp::from)
}

/// The summaries by channel, if they are stored.
pub(super) fn read_summaries(row: &Row) -> Result<Option<Vec<Summary>>, PgError> {
    let t_min = timestamp(row, "t_min")?;
    let Some(numbers) = column::<Option<Vec<f64>>>(row, "summaries")? else {
        return Ok(None);
    };
    if !numbers.len().is_multiple_of(SUMMARY_NUMBERS) {
        return Err(unreadable(TABLE, "summaries", format!("{} numbers", numbers.len())));
    }
    Ok(Some(numbers.chunks_exact(SUMMARY_NUMBERS).map(|n| unpack(n, t_min)).collect()))
}

/// The whole block.
pub(super) fn read_block(row: &Row) -> Result<Block, PgError> {
    let points = usize::try_from(column::<i16>(row, "n")?).map_err(|e| unreadable(TABLE, "n", e))?;
    let remainder: Option<Json<&RawValue>> = column(row, "remainder")?;
    let remainder = remainder.map_or_else(|| Ok(Remainder::default()), |r| Remainder::from_text(r.0.get()));
    Ok(Block {
        metric_type: MetricTypeId(column(row, "metric_type_id")?),
        seq: u32::try_from(column::<i32>(row, "seq")?).map_err(|e| unreadable(TABLE, "seq", e))?,
        times: read_times(row, points)?,
        numbers: read_numbers(row, points)?,
        remainder: remainder.map_err(|e| unreadable(TABLE, "remainder", e))?,
    })
}

fn read_times(row: &Row, points: usize) -> Result<Times, PgError> {
    let unit: i32 = column(row, "time_unit")?;
    let unit = TimeUnit::from_micros(i64::from(unit)).ok_or_else(|| unreadable(TABLE, "time_unit", unit))?;
    let deltas: Option<Vec<i32>> = column(row, "time_deltas")?;
    let step: Option<i32> = column(row, "time_step")?;
    let spacing = match (step, deltas) {
        (_, Some(deltas)) => Spacing::Deltas(deltas),
        (Some(step), None) => Spacing::Step(step),
        (None, None) => return Err(unreadable(TABLE, "time_step", "neither a step nor deltas")),
    };
    Times::from_parts(timestamp(row, "t_min")?, points, unit, spacing).map_err(|e| unreadable(TABLE, "time_deltas", e))
}

fn read_numbers(row: &Row, points: usize) -> Result<Numbers, PgError> {
    let scales: Option<Vec<i16>> = column(row, "scales")?;
    let numbers = if let Some(values) = column::<Option<Vec<Option<i16>>>>(row, "values_int2")? {
        Numbers::int2(values, scales, points)
    } else if let Some(values) = column::<Option<Vec<Option<i32>>>>(row, "values_int4")? {
        Numbers::int4(values, scales, points)
    } else if let Some(values) = column::<Option<Vec<Option<f32>>>>(row, "values_float4")? {
        Numbers::float4(values, points)
    } else if let Some(values) = column::<Option<Vec<Option<f64>>>>(row, "values_float8")? {
        Numbers::float8(values, points)
    } else {
        Ok(Numbers::None)
    };
    numbers.map_err(|e| unreadable(TABLE, "values", e))
}
