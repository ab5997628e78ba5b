//! Threads for CPU-bound work: parsing and validation of sessions, execution and rendering of
//! queries.

mod cpu_pool;
mod runtime;

pub(crate) use cpu_pool::CpuThreads;
pub(crate) use runtime::QueryRuntime;
