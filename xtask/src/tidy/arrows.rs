//! Arrows point inward: domain ← infra, domain ← api, and api names infra in its composition root only.

use std::collections::BTreeSet;

use anyhow::{Context, ensure};
use serde_json::Value;

use crate::cargo::{cargo, output, root};

/// What each crate may depend on of our own.
const ALLOWED: [(&str, &[&str]); 5] = [
    ("time-series-domain", &[]),
    ("time-series-infra", &["time-series-domain"]),
    (
        "time-series-api",
        &["time-series-domain", "time-series-infra"],
    ),
    (
        "time-series-testkit",
        &["time-series-domain", "time-series-infra", "time-series-api"],
    ),
    (
        "xtask",
        &["time-series-domain", "time-series-infra", "time-series-api"],
    ),
];
/// What the domain must never know.
const OUTSIDE_WORLD: [&str; 8] = [
    "tokio",
    "actix-web",
    "tokio-postgres",
    "deadpool-postgres",
    "fred",
    "reqwest",
    "apistos",
    "hyper",
];
/// The file of the api crate that may name the infra crate.
const COMPOSITION_ROOT: &str = "wiring.rs";

pub(super) fn check() -> anyhow::Result<()> {
    let metadata = output(&mut cargo([
        "metadata",
        "--format-version",
        "1",
        "--no-deps",
    ]))?;
    let metadata: Value = serde_json::from_str(&metadata)?;
    for package in metadata["packages"].as_array().context("no packages")? {
        let name = package["name"].as_str().unwrap_or_default();
        let dependencies = normal_dependencies(package);
        let (_, allowed) = ALLOWED
            .iter()
            .find(|(n, _)| *n == name)
            .with_context(|| format!("{name} is not a known crate"))?;
        for dependency in &dependencies {
            let is_ours = ALLOWED.iter().any(|(n, _)| n == dependency);
            ensure!(
                !is_ours || allowed.contains(&dependency.as_str()),
                "{name} must not depend on {dependency}"
            );
        }
        if name == "time-series-domain" {
            let leak = OUTSIDE_WORLD
                .iter()
                .find(|outside| dependencies.contains(**outside));
            ensure!(leak.is_none(), "the domain must not depend on {leak:?}");
        }
    }
    for (path, text) in super::files::rust_files(&root().join("crates/api/src"))? {
        let is_root = path.ends_with(COMPOSITION_ROOT);
        ensure!(
            is_root || !text.contains("time_series_infra"),
            "{} must not name the infra crate",
            path.display()
        );
    }
    Ok(())
}

fn normal_dependencies(package: &Value) -> BTreeSet<String> {
    let dependencies = package["dependencies"].as_array().into_iter().flatten();
    let normal = dependencies.filter(|d| d["kind"].is_null());
    normal
        .filter_map(|d| d["name"].as_str().map(str::to_owned))
        .collect()
}
