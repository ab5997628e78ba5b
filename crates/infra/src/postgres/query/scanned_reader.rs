//! Reads the rows of a scan: blocks with or without their arrays.

use time::OffsetDateTime;
use time_series_domain::block::MIN_SUMMARISED_POINTS;
use time_series_domain::ports::{BlockContent, ScannedBlock};
use time_series_domain::{SessionId, UserId};
use tokio_postgres::{Row, Statement};

use crate::postgres::block_reader::{BlockReader, column_index, get};
use crate::postgres::error::{PgError, corrupt};

/// The indices of the columns of a scan.
pub(super) struct ScannedReader {
    block: BlockReader,
    user_id: usize,
    session_id: usize,
    t_max: usize,
    whole: usize,
}

impl ScannedReader {
    pub(super) fn of(statement: &Statement) -> Self {
        let columns = statement.columns();
        let column = |name| column_index(columns, name);
        Self {
            block: BlockReader::of(columns),
            user_id: column("user_id"),
            session_id: column("session_id"),
            t_max: column("t_max"),
            whole: column("whole"),
        }
    }

    pub(super) fn read(&self, row: &Row) -> Result<ScannedBlock, PgError> {
        let content = if get::<bool>(row, self.whole, "whole")? {
            BlockContent::Whole(Box::new(self.block.block(row)?))
        } else {
            let missing = || {
                corrupt(
                    "block",
                    "summaries",
                    format!("missing under {MIN_SUMMARISED_POINTS} points"),
                )
            };
            BlockContent::Summaries(self.block.summaries(row)?.ok_or_else(missing)?)
        };
        Ok(ScannedBlock {
            user_id: UserId(get(row, self.user_id, "user_id")?),
            session_id: SessionId(get(row, self.session_id, "session_id")?),
            metric_type: self.block.metric_type(row)?,
            seq: self.block.seq(row)?,
            t_min: self.block.t_min(row)?,
            t_max: get::<OffsetDateTime>(row, self.t_max, "t_max")?.into(),
            content,
        })
    }
}
