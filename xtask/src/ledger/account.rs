//! What was acknowledged, on disk before anybody counts on it.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use anyhow::Context;

/// The numbers of sessions: those begun, and in a file those acknowledged.
pub(super) struct Account {
    path: PathBuf,
    file: Mutex<File>,
    begun: AtomicUsize,
    acknowledged: AtomicUsize,
    /// Connections that were cut before the answer.
    pub(super) cut: AtomicUsize,
}

impl Account {
    pub(super) fn open(path: PathBuf) -> anyhow::Result<Self> {
        let file = OpenOptions::new()
            .create(true)
            .write(true)
            .truncate(true)
            .open(&path);
        let file = file.with_context(|| format!("cannot write {}", path.display()))?;
        Ok(Self {
            path,
            file: Mutex::new(file),
            begun: AtomicUsize::new(0),
            acknowledged: AtomicUsize::new(0),
            cut: AtomicUsize::new(0),
        })
    }

    /// The number of another session.
    pub(super) fn begin(&self) -> usize {
        self.begun.fetch_add(1, Ordering::Relaxed)
    }

    pub(super) fn begun(&self) -> usize {
        self.begun.load(Ordering::Relaxed)
    }

    /// Notes an acknowledgement; it is on disk when this returns.
    pub(super) fn acknowledge(&self, number: usize, part: usize) -> anyhow::Result<()> {
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        writeln!(file, "{number} {part}")?;
        file.sync_data()?;
        self.acknowledged.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }

    pub(super) fn acknowledged(&self) -> usize {
        self.acknowledged.load(Ordering::Relaxed)
    }

    /// What the file says: how many parts of each session.
    pub(super) fn read(&self) -> anyhow::Result<BTreeMap<usize, usize>> {
        read(&self.path)
    }
}

fn read(path: &Path) -> anyhow::Result<BTreeMap<usize, usize>> {
    let text = fs::read_to_string(path)?;
    let mut parts = BTreeMap::new();
    for line in text.lines() {
        let wrong = || format!("{line:?} in {}", path.display());
        let (number, part) = line.split_once(' ').with_context(wrong)?;
        let part: usize = part.parse().with_context(wrong)?;
        parts.insert(number.parse().with_context(wrong)?, part + 1);
    }
    Ok(parts)
}
