//! Threads for work that keeps a core busy: sessions that are read and checked, queries that are folded and rendered.

mod cpu_pool;
mod runtime;

pub(crate) use cpu_pool::CpuThreads;
pub(crate) use runtime::QueryRuntime;
