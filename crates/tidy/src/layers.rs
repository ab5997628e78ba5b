//! Layers: the dependencies that each crate of the workspace may have on the others.
//!
//! Dependencies point inward: domain ← infra, domain ← api, and only server sees both. The
//! development tools depend on these crates, and no crate depends on a tool.

use std::collections::BTreeSet;

use anyhow::{Context, ensure};

use crate::metadata::packages;

/// The crates of the workspace that each crate may depend on.
const ALLOWED: [(&str, &[&str]); 10] = [
    ("time-series-domain", &[]),
    ("time-series-infra", &["time-series-domain"]),
    ("time-series-api", &["time-series-domain"]),
    (
        "time-series-server",
        &["time-series-domain", "time-series-infra", "time-series-api"],
    ),
    (
        "time-series-testkit",
        &[
            "time-series-domain",
            "time-series-infra",
            "time-series-api",
            "time-series-server",
        ],
    ),
    ("time-series-devkit", &[]),
    (
        "time-series-dev-servers",
        &[
            "time-series-devkit",
            "time-series-domain",
            "time-series-infra",
        ],
    ),
    (
        "time-series-bench",
        &[
            "time-series-devkit",
            "time-series-dev-servers",
            "time-series-domain",
            "time-series-infra",
            "time-series-server",
        ],
    ),
    ("time-series-tidy", &["time-series-devkit"]),
    (
        "xtask",
        &[
            "time-series-domain",
            "time-series-infra",
            "time-series-api",
            "time-series-server",
            "time-series-bench",
            "time-series-dev-servers",
            "time-series-devkit",
            "time-series-tidy",
        ],
    ),
];
/// Crates that the domain must not depend on.
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
pub(crate) fn check() -> anyhow::Result<()> {
    for package in packages()? {
        let name = package.name.as_str();
        let dependencies: BTreeSet<&str> = package.dependencies().collect();
        let (_, allowed) = ALLOWED
            .iter()
            .find(|(known, _)| *known == name)
            .with_context(|| format!("{name} is not listed in {}", file!()))?;
        for dependency in &dependencies {
            let is_ours = ALLOWED.iter().any(|(known, _)| known == dependency);
            ensure!(
                !is_ours || allowed.contains(dependency),
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
    Ok(())
}
