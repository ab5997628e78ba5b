//! Writes rows of the table `block`: with COPY, or with INSERT if they are few.

use std::pin::pin;

use deadpool_postgres::Object;
use serde_json::value::RawValue;
use time::OffsetDateTime;
use time_series_domain::block::{Block, Numbers, Spacing};
use time_series_domain::ingest::EncodedSession;
use time_series_domain::summary::Moments;
use time_series_domain::{Sample, SessionId, Summary, Timestamp, UserId};
use tokio_postgres::Statement;
use tokio_postgres::binary_copy::BinaryCopyInWriter;
use tokio_postgres::types::{Json, ToSql, Type};
use uuid::Uuid;

use super::error::{PgError, corrupt};
use super::pipeline::send;

/// Maximum blocks that are inserted one by one, in the same round trip as other statements. COPY
/// takes an additional round trip.
pub(super) const FEW_BLOCKS: usize = 8;

const COPY_BLOCKS: &str = include_str!("ingest/copy_blocks.sql");
const INSERT_BLOCK: &str = include_str!("ingest/insert_block.sql");
const COPY_TYPES: [Type; 19] = [
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
    Type::INT4_ARRAY,
    Type::BYTEA,
    Type::INT2_ARRAY,
    Type::INT4_ARRAY,
    Type::FLOAT4_ARRAY,
    Type::FLOAT8_ARRAY,
    Type::JSON,
    Type::FLOAT8_ARRAY,
];
/// Numbers per summary: n, sum, m2, min, max, `first_at`, first, `last_at`, last.
pub(super) const SUMMARY_NUMBERS: usize = 9;
pub(super) const TABLE: &str = "block";

/// A block to be written, with its summaries.
pub(super) struct BlockRow<'a> {
    pub(super) user_id: UserId,
    pub(super) session_id: SessionId,
    pub(super) block: &'a Block,
    /// The summaries by channel.
    pub(super) summaries: &'a [Summary],
}

/// A COPY of blocks that has begun.
pub(super) struct CopyBlocks {
    writer: BinaryCopyInWriter,
}

/// The rows of a few blocks, ready to be sent.
pub(super) struct InsertBlocks<'a> {
    statement: Statement,
    columns: Vec<Columns<'a>>,
}

impl<'a> BlockRow<'a> {
    /// Returns the rows of the blocks of a session.
    pub(super) fn of(session: &'a EncodedSession) -> impl Iterator<Item = Self> {
        let (user_id, session_id) = (session.user_id, session.session_id);
        let row = move |(block, summaries): (&'a Block, &'a Vec<Summary>)| Self {
            user_id,
            session_id,
            block,
            summaries,
        };
        session.blocks.iter().zip(&session.summaries).map(row)
    }

    /// Returns the rows of blocks that are written for an appended part of a session.
    pub(super) fn of_part(
        part: &EncodedSession,
        blocks: &'a [(Block, Vec<Summary>)],
    ) -> impl Iterator<Item = Self> {
        let (user_id, session_id) = (part.user_id, part.session_id);
        blocks.iter().map(move |(block, summaries)| Self {
            user_id,
            session_id,
            block,
            summaries,
        })
    }
}

impl<'a> InsertBlocks<'a> {
    pub(super) async fn prepare(
        client: &Object,
        rows: &'a [BlockRow<'a>],
    ) -> Result<Self, PgError> {
        let columns = rows.iter().map(Columns::of).collect::<Result<_, _>>()?;
        Ok(Self {
            statement: client.prepare_cached(INSERT_BLOCK).await?,
            columns,
        })
    }

    /// Sends all INSERTs without waiting between them.
    pub(super) async fn run(&self, client: &Object) -> Result<(), tokio_postgres::Error> {
        let params: Vec<_> = self.columns.iter().map(Columns::params).collect();
        let mut sent = Vec::with_capacity(params.len());
        for params in &params {
            sent.push(send(client.execute(&self.statement, params)).await?);
        }
        for inserted in sent {
            inserted.await?;
        }
        Ok(())
    }
}

impl CopyBlocks {
    pub(super) async fn begin(client: &Object) -> Result<Self, tokio_postgres::Error> {
        let statement = client.prepare_cached(COPY_BLOCKS).await?;
        let sink = client.copy_in(&statement).await?;
        Ok(Self {
            writer: BinaryCopyInWriter::new(sink, &COPY_TYPES),
        })
    }

    pub(super) async fn write(self, rows: &[BlockRow<'_>]) -> Result<(), PgError> {
        let mut writer = pin!(self.writer);
        for row in rows {
            let columns = Columns::of(row)?;
            writer.as_mut().write(&columns.params()).await?;
        }
        // Without `finish`, the rows would be discarded and the commit would still succeed.
        finished(writer.finish().await?, rows)
    }
}

fn finished(written: u64, rows: &[BlockRow<'_>]) -> Result<(), PgError> {
    if written == rows.len() as u64 {
        Ok(())
    } else {
        Err(corrupt(
            TABLE,
            "*",
            format!("{written} of {} rows were written", rows.len()),
        ))
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
    bases: Option<&'a [i32]>,
    int1: Option<&'a [u8]>,
    int2: Option<&'a [Option<i16>]>,
    int4: Option<&'a [Option<i32>]>,
    float4: Option<&'a [Option<f32>]>,
    float8: Option<&'a [Option<f64>]>,
    remainder: Option<Json<Box<RawValue>>>,
    summaries: Option<Vec<f64>>,
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    reason = "blocks have at most 4,096 points"
)]
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
            bases: None,
            int1: None,
            int2: None,
            int4: None,
            float4: None,
            float8: None,
            remainder: None,
            summaries: None,
        };
        match &block.numbers {
            Numbers::None => {}
            Numbers::Int1(values, scales, bases) => {
                columns.int1 = Some(values);
                columns.scales = nonzero(scales);
                columns.bases = bases.iter().any(|&base| base != 0).then_some(bases);
            }
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
            columns.remainder = Some(Json(text.map_err(|e| corrupt(TABLE, "remainder", e))?));
        }
        if block.len() >= time_series_domain::block::MIN_SUMMARISED_POINTS
            && block.numbers.channels() > 0
        {
            columns.summaries = Some(
                row.summaries
                    .iter()
                    .flat_map(|s| pack(s, block.t_min()))
                    .collect(),
            );
        }
        Ok(columns)
    }

    fn params(&self) -> [&(dyn ToSql + Sync); 19] {
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
            &self.bases,
            &self.int1,
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
    scales
        .iter()
        .any(|&s| s != 0)
        .then(|| scales.iter().map(|&s| i16::from(s)).collect())
}

#[expect(
    clippy::cast_precision_loss,
    reason = "counts and microseconds of a day are far below 2^53"
)]
fn pack(summary: &Summary, t_min: Timestamp) -> [f64; SUMMARY_NUMBERS] {
    let moments = summary.moments();
    let after = |sample: Sample| (sample.time.micros() - t_min.micros()) as f64;
    match (
        summary.min(),
        summary.max(),
        summary.first(),
        summary.last(),
    ) {
        (Some(min), Some(max), Some(first), Some(last)) => [
            moments.n as f64,
            moments.sum,
            moments.m2,
            min,
            max,
            after(first),
            first.value,
            after(last),
            last.value,
        ],
        _ => [0.0; SUMMARY_NUMBERS],
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "written by pack() from integers"
)]
pub(super) fn unpack(numbers: &[f64], t_min: Timestamp) -> Summary {
    let sample = |after: f64, value| Sample {
        time: t_min.plus_micros(after as i64),
        value,
    };
    let moments = Moments {
        n: numbers[0] as u64,
        sum: numbers[1],
        m2: numbers[2],
    };
    let (first, last) = (
        sample(numbers[5], numbers[6]),
        sample(numbers[7], numbers[8]),
    );
    Summary::from_parts(moments, numbers[3], numbers[4], first, last)
}
