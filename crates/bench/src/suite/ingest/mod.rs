//! Rate and latency of writes.

mod appends;
mod bulk;
mod ceiling;
mod loads;
mod measure;
mod peers;
mod posting;

pub(super) use self::loads::{SMALL_CONNECTIONS, small_sessions};
pub(super) use self::measure::measure;
pub(super) use self::posting::post;

const PART: &str = "ingest";
