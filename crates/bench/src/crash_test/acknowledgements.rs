//! The acknowledged writes, each on disk before it counts.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use anyhow::Context;

/// Counters of sessions, and a file of the acknowledged writes.
pub(super) struct Acknowledgements {
    path: PathBuf,
    file: Mutex<File>,
    started: AtomicUsize,
    acknowledged: AtomicUsize,
    /// Connections that were cut before the response.
    cut: AtomicUsize,
}

impl Acknowledgements {
    pub(super) fn create(path: PathBuf) -> anyhow::Result<Self> {
        let file = OpenOptions::new()
            .create(true)
            .write(true)
            .truncate(true)
            .open(&path);
        let file = file.with_context(|| format!("cannot write {}", path.display()))?;
        Ok(Self {
            path,
            file: Mutex::new(file),
            started: AtomicUsize::new(0),
            acknowledged: AtomicUsize::new(0),
            cut: AtomicUsize::new(0),
        })
    }

    /// Returns the number of a new session.
    pub(super) fn start_session(&self) -> usize {
        self.started.fetch_add(1, Ordering::Relaxed)
    }

    /// Returns the number of sessions that writers have started.
    pub(super) fn started(&self) -> usize {
        self.started.load(Ordering::Relaxed)
    }

    /// Records an acknowledged part. The record is on disk when this returns.
    pub(super) fn record(&self, number: usize, part: usize) -> anyhow::Result<()> {
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        writeln!(file, "{number} {part}")?;
        file.sync_data()?;
        self.acknowledged.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }

    /// Returns the number of acknowledged writes.
    pub(super) fn acknowledged(&self) -> usize {
        self.acknowledged.load(Ordering::Relaxed)
    }

    /// Counts a connection that is cut before the response.
    pub(super) fn count_cut(&self) {
        self.cut.fetch_add(1, Ordering::Relaxed);
    }

    /// Returns the number of connections that were cut.
    pub(super) fn cut(&self) -> usize {
        self.cut.load(Ordering::Relaxed)
    }

    /// Reads the number of acknowledged parts of each session from the file.
    pub(super) fn read(&self) -> anyhow::Result<BTreeMap<usize, usize>> {
        read(&self.path)
    }
}

fn read(path: &Path) -> anyhow::Result<BTreeMap<usize, usize>> {
    let text = fs::read_to_string(path)?;
    let mut parts = BTreeMap::new();
    for line in text.lines() {
        let invalid = || format!("{}: invalid line {line:?}", path.display());
        let (number, part) = line.split_once(' ').with_context(invalid)?;
        let part: usize = part.parse().with_context(invalid)?;
        parts.insert(number.parse().with_context(invalid)?, part + 1);
    }
    Ok(parts)
}
