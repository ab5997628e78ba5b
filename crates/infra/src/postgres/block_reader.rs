//! Reads blocks from rows of the table `block`.

use serde_json::value::RawValue;
use time::OffsetDateTime;
use time_series_domain::block::{Block, Numbers, Remainder, Spacing, TimeUnit, Times};
use time_series_domain::{MetricTypeId, Summary, Timestamp};
use tokio_postgres::types::{FromSql, Json};
use tokio_postgres::{Column, Row};

use super::block_rows::{SUMMARY_NUMBERS, TABLE, unpack};
use super::error::{PgError, corrupt};

/// The indices of the columns of a block in a result.
pub(super) struct BlockReader {
    metric_type_id: usize,
    seq: usize,
    t_min: usize,
    n: usize,
    time_unit: usize,
    time_step: usize,
    time_deltas: usize,
    scales: usize,
    bases: usize,
    int1: usize,
    int2: usize,
    int4: usize,
    float4: usize,
    float8: usize,
    remainder: usize,
    summaries: usize,
}

impl BlockReader {
    /// Finds the columns once for all rows of a result.
    pub(super) fn of(columns: &[Column]) -> Self {
        let column = |name| column_index(columns, name);
        Self {
            metric_type_id: column("metric_type_id"),
            seq: column("seq"),
            t_min: column("t_min"),
            n: column("n"),
            time_unit: column("time_unit"),
            time_step: column("time_step"),
            time_deltas: column("time_deltas"),
            scales: column("scales"),
            bases: column("bases"),
            int1: column("values_int1"),
            int2: column("values_int2"),
            int4: column("values_int4"),
            float4: column("values_float4"),
            float8: column("values_float8"),
            remainder: column("remainder"),
            summaries: column("summaries"),
        }
    }

    pub(super) fn metric_type(&self, row: &Row) -> Result<MetricTypeId, PgError> {
        get(row, self.metric_type_id, "metric_type_id").map(MetricTypeId)
    }

    pub(super) fn seq(&self, row: &Row) -> Result<u32, PgError> {
        u32::try_from(get::<i32>(row, self.seq, "seq")?).map_err(|e| corrupt(TABLE, "seq", e))
    }

    pub(super) fn t_min(&self, row: &Row) -> Result<Timestamp, PgError> {
        get::<OffsetDateTime>(row, self.t_min, "t_min").map(Timestamp::from)
    }

    pub(super) fn points(&self, row: &Row) -> Result<usize, PgError> {
        usize::try_from(get::<i16>(row, self.n, "n")?).map_err(|e| corrupt(TABLE, "n", e))
    }

    /// Reads the summaries by channel, if they are stored.
    pub(super) fn summaries(&self, row: &Row) -> Result<Option<Vec<Summary>>, PgError> {
        let Some(numbers) = get::<Option<Vec<f64>>>(row, self.summaries, "summaries")? else {
            return Ok(None);
        };
        if !numbers.len().is_multiple_of(SUMMARY_NUMBERS) {
            return Err(corrupt(
                TABLE,
                "summaries",
                format!("{} numbers", numbers.len()),
            ));
        }
        let t_min = self.t_min(row)?;
        Ok(Some(
            numbers
                .chunks_exact(SUMMARY_NUMBERS)
                .map(|n| unpack(n, t_min))
                .collect(),
        ))
    }

    /// Reads the whole block.
    pub(super) fn block(&self, row: &Row) -> Result<Block, PgError> {
        let points = self.points(row)?;
        let remainder: Option<Json<&RawValue>> = get(row, self.remainder, "remainder")?;
        let remainder = remainder.map_or_else(
            || Ok(Remainder::default()),
            |r| Remainder::from_text(r.0.get()),
        );
        Ok(Block {
            metric_type: self.metric_type(row)?,
            seq: self.seq(row)?,
            times: self.times(row, points)?,
            numbers: self.numbers(row, points)?,
            remainder: remainder.map_err(|e| corrupt(TABLE, "remainder", e))?,
        })
    }

    fn times(&self, row: &Row, points: usize) -> Result<Times, PgError> {
        let unit: i32 = get(row, self.time_unit, "time_unit")?;
        let unit = TimeUnit::from_micros(i64::from(unit))
            .ok_or_else(|| corrupt(TABLE, "time_unit", unit))?;
        let step: Option<i32> = get(row, self.time_step, "time_step")?;
        let deltas: Option<Vec<i32>> = get(row, self.time_deltas, "time_deltas")?;
        let spacing = match (step, deltas) {
            (_, Some(deltas)) => Spacing::Deltas(deltas),
            (Some(step), None) => Spacing::Step(step),
            (None, None) => {
                return Err(corrupt(TABLE, "time_step", "neither a step nor deltas"));
            }
        };
        Times::from_parts(self.t_min(row)?, points, unit, spacing)
            .map_err(|e| corrupt(TABLE, "time_deltas", e))
    }

    fn numbers(&self, row: &Row, points: usize) -> Result<Numbers, PgError> {
        let scales = || get::<Option<Vec<i16>>>(row, self.scales, "scales");
        let numbers = if let Some(values) = get::<Option<&[u8]>>(row, self.int1, "values_int1")? {
            let bases = get::<Option<Vec<i32>>>(row, self.bases, "bases")?;
            Numbers::int1(values.to_vec(), scales()?, bases, points)
        } else if let Some(values) = get::<Option<Vec<Option<i16>>>>(row, self.int2, "values_int2")?
        {
            Numbers::int2(values, scales()?, points)
        } else if let Some(values) = get::<Option<Vec<Option<i32>>>>(row, self.int4, "values_int4")?
        {
            Numbers::int4(values, scales()?, points)
        } else if let Some(values) =
            get::<Option<Vec<Option<f32>>>>(row, self.float4, "values_float4")?
        {
            Numbers::float4(values, points)
        } else if let Some(values) =
            get::<Option<Vec<Option<f64>>>>(row, self.float8, "values_float8")?
        {
            Numbers::float8(values, points)
        } else {
            Ok(Numbers::None)
        };
        numbers.map_err(|e| corrupt(TABLE, "values", e))
    }
}

/// Returns the index of a column. The index of a missing column is invalid, so that the first row
/// that is read reports it.
pub(super) fn column_index(columns: &[Column], name: &str) -> usize {
    columns
        .iter()
        .position(|c| c.name() == name)
        .unwrap_or(usize::MAX)
}

/// Reads a column of the table `block`. Errors name the column.
pub(super) fn get<'r, T: FromSql<'r>>(
    row: &'r Row,
    column: usize,
    name: &'static str,
) -> Result<T, PgError> {
    row.try_get(column).map_err(|e| corrupt(TABLE, name, e))
}
