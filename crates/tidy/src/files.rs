//! Rules about files: a module doc in the first line, a maximum length, migrations in sequence.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};
use time_series_devkit::cargo::root;

/// Maximum number of lines of a Rust file.
const MAX_LINES: usize = 400;

pub(crate) fn check() -> anyhow::Result<()> {
    for folder in ["crates", "xtask"] {
        for (path, text) in rust_files(&root().join(folder))? {
            let lines = text.lines().count();
            let has_doc = text.starts_with("//!") || text.starts_with("#![doc");
            ensure!(
                has_doc,
                "{}: the first line must be a module doc (//!)",
                path.display()
            );
            ensure!(
                lines <= MAX_LINES,
                "{}: {lines} lines, more than {MAX_LINES}: split the file by topic",
                path.display()
            );
            let begins =
                text.contains("batch_execute(\"BEGIN") && !path.ends_with("transaction.rs");
            ensure!(
                !begins,
                "{}: only transaction.rs may begin a transaction",
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
                format!("migrations/{name}: the name must be V<number>__<subject>.sql")
            })?);
        }
    }
    numbers.sort_unstable();
    let expected: Vec<usize> = (1..=numbers.len()).collect();
    ensure!(
        numbers == expected,
        "migrations must be numbered 1, 2, … without gaps: {numbers:?}"
    );
    Ok(())
}

/// Returns every Rust file below a folder, with its text.
pub(crate) fn rust_files(folder: &Path) -> anyhow::Result<Vec<(PathBuf, String)>> {
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
