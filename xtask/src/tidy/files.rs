//! Small rules about files: each says in its first line what it is, none is too long, transactions begin in one place.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};

use crate::cargo::root;

/// A longer file is about more than one thing.
const MOST_LINES: usize = 400;

pub(super) fn check() -> anyhow::Result<()> {
    for folder in ["crates", "xtask"] {
        for (path, text) in rust_files(&root().join(folder))? {
            let lines = text.lines().count();
            let starts_well = text.starts_with("//!") || text.starts_with("#![doc");
            ensure!(
                starts_well,
                "{}: the first line must say what the file is (//!)",
                path.display()
            );
            ensure!(
                lines <= MOST_LINES,
                "{}: {lines} lines; split it",
                path.display()
            );
            let begins =
                text.contains("batch_execute(\"BEGIN") && !path.ends_with("transaction.rs");
            ensure!(
                !begins,
                "{}: transactions begin in transaction.rs",
                path.display()
            );
        }
    }
    migrations_are_numbered()
}

fn migrations_are_numbered() -> anyhow::Result<()> {
    let mut numbers = Vec::new();
    for entry in fs::read_dir(root().join("migrations"))? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        if let Some(stem) = name.strip_suffix(".sql") {
            let number = stem
                .strip_prefix('V')
                .and_then(|s| s.split_once("__")?.0.parse::<usize>().ok());
            numbers.push(number.with_context(|| {
                format!("migrations/{name}: must be named V<number>__<what>.sql")
            })?);
        }
    }
    numbers.sort_unstable();
    let expected: Vec<usize> = (1..=numbers.len()).collect();
    ensure!(
        numbers == expected,
        "migrations must be numbered without gaps: {numbers:?}"
    );
    Ok(())
}

/// Every Rust file below a folder, with its text.
pub(super) fn rust_files(folder: &Path) -> anyhow::Result<Vec<(PathBuf, String)>> {
    let mut files = Vec::new();
    for entry in
        fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?
    {
        let path = entry?.path();
        if path.is_dir() {
            files.extend(rust_files(&path)?);
        } else if path.extension().is_some_and(|e| e == "rs") {
            let text = fs::read_to_string(&path)?;
            files.push((path, text));
        }
    }
    Ok(files)
}
