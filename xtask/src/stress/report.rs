//! The report, in the manner of the original's.

use std::fmt::Write;

use super::queries::Measured;
use super::{Posted, Stress};
use crate::target::TableBytes;

pub(crate) fn report(
    stress: &Stress,
    posted: &Posted,
    measured: &[Measured],
    bytes: Option<&[TableBytes]>,
) -> String {
    let seconds = posted.took.as_secs_f64();
    let mut text = format!(
        "\nCreated {} total data points: {} sessions of {}, {} user(s), {} at a time, in {seconds:.1} s \
         ({:.0} sessions/s, {:.0} points/s)\n",
        posted.points,
        stress.sessions,
        stress.points,
        stress.users,
        stress.concurrency,
        stress.sessions as f64 / seconds,
        posted.points as f64 / seconds,
    );
    match bytes {
        Some(bytes) => {
            let per_point = |bytes: i64| bytes as f64 / posted.points as f64;
            let total: i64 = bytes.iter().map(|t| t.rows + t.indexes).sum();
            writeln!(
                text,
                "Bytes a point, all data tables with indexes: {:.1} ({total} in all)",
                per_point(total)
            )
            .ok();
            for t in bytes {
                let (rows, indexes) = (per_point(t.rows), per_point(t.indexes));
                writeln!(
                    text,
                    "  {:<12} rows {rows:.1}, indexes {indexes:.1}",
                    t.table
                )
                .ok();
            }
        }
        None => text.push_str("Bytes a point: not known of a service that is given by --url\n"),
    }
    let cache = if stress.url.is_some() {
        "cache as the service has it"
    } else {
        "cache off"
    };
    writeln!(text, "Over HTTP, {} times each, {cache}:", stress.repeat).ok();
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
