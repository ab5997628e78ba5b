//! The dependency tree as `cargo metadata` prints it, reduced to the fields that the policy needs.

use std::collections::HashMap;
use std::fmt;
use std::path::PathBuf;

use anyhow::Context;
use semver::Version;
use serde::Deserialize;

#[derive(Deserialize)]
pub(super) struct Tree {
    pub(super) packages: Vec<Package>,
    resolve: Resolve,
    pub(super) workspace_root: PathBuf,
}

#[derive(Deserialize)]
pub(super) struct Package {
    id: String,
    pub(super) name: String,
    pub(super) version: Version,
    /// The SPDX expression of the manifest.
    pub(super) license: Option<String>,
    /// The registry or repository. `None` for a package of the local file system.
    pub(super) source: Option<String>,
    pub(super) manifest_path: PathBuf,
    /// The registries that the package may be published to. `None` stands for all.
    publish: Option<Vec<String>>,
}

#[derive(Deserialize)]
struct Resolve {
    nodes: Vec<Node>,
}

#[derive(Deserialize)]
struct Node {
    id: String,
    dependencies: Vec<String>,
    features: Vec<String>,
}

impl Tree {
    pub(super) fn parse(metadata: &str) -> anyhow::Result<Self> {
        serde_json::from_str(metadata).context("cargo metadata prints an unknown format")
    }

    /// Returns the features of `package` that the workspace enables.
    pub(super) fn features(&self, package: &Package) -> &[String] {
        let node = self.resolve.nodes.iter().find(|node| node.id == package.id);
        node.map_or(&[], |node| &node.features)
    }

    /// Returns the packages that depend on `package` directly.
    pub(super) fn dependents<'a>(
        &'a self,
        package: &'a Package,
    ) -> impl Iterator<Item = &'a Package> {
        let by_id: HashMap<&str, &Package> =
            self.packages.iter().map(|p| (p.id.as_str(), p)).collect();
        let dependents = self
            .resolve
            .nodes
            .iter()
            .filter(|node| node.dependencies.contains(&package.id));
        dependents.filter_map(move |node| by_id.get(node.id.as_str()).copied())
    }
}

impl Package {
    /// Returns whether the manifest has `publish = false`.
    pub(super) fn is_private(&self) -> bool {
        self.publish.as_ref().is_some_and(Vec::is_empty)
    }
}

impl fmt::Display for Package {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.name, self.version)
    }
}
