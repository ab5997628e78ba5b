//! The report, in the format of the original stress test.

#![expect(clippy::cast_precision_loss, reason = "figures for people")]

use std::fmt::Write;
use std::time::Duration;

use super::queries::Measured;
use crate::target::TableBytes;

/// The load that was posted.
pub(super) struct Posted {
    pub(super) took: Duration,
    pub(super) sessions: usize,
    pub(super) points_per_session: usize,
    pub(super) users: usize,
    pub(super) concurrency: usize,
}

impl Posted {
    const fn points(&self) -> usize {
        self.sessions * self.points_per_session
    }
}

pub(super) fn report(
    posted: &Posted,
    bytes: Option<&[TableBytes]>,
    measured: &[Measured],
    repeat: usize,
    cache: &str,
) -> String {
    let mut text = rates(posted);
    text.push_str(&storage(posted, bytes));
    // Writing to a string never fails.
    writeln!(text, "Over HTTP, {repeat} requests per query, {cache}:").ok();
    for m in measured {
        writeln!(
            text,
            "[{}] {} rows, p50 {:.2} ms, p99 {:.2} ms",
            m.name,
            m.rows,
            m.p50.as_secs_f64() * 1e3,
            m.p99.as_secs_f64() * 1e3
        )
        .ok();
    }
    text
}

fn rates(posted: &Posted) -> String {
    let seconds = posted.took.as_secs_f64();
    format!(
        "\nCreated {} total data points: {} sessions of {} points, {} user(s), concurrency {}, \
         in {seconds:.1} s ({:.0} sessions/s, {:.0} points/s)\n",
        posted.points(),
        posted.sessions,
        posted.points_per_session,
        posted.users,
        posted.concurrency,
        posted.sessions as f64 / seconds,
        posted.points() as f64 / seconds,
    )
}

fn storage(posted: &Posted, bytes: Option<&[TableBytes]>) -> String {
    let Some(tables) = bytes else {
        return "Bytes per point: unknown for a service given by --url\n".to_owned();
    };
    let per_point = |bytes: i64| bytes as f64 / posted.points() as f64;
    let total: i64 = tables.iter().map(|t| t.rows + t.indexes).sum();
    let mut text = format!(
        "Bytes per point, all data tables with indexes: {:.1} ({total} in total)\n",
        per_point(total)
    );
    for table in tables {
        writeln!(
            text,
            "  {:<12} rows {:.1}, indexes {:.1}",
            table.table,
            per_point(table.rows),
            per_point(table.indexes)
        )
        .ok();
    }
    text
}
