//! The `[sources]` table: packages come from allowed registries or from this workspace.

use super::policy::Sources;
use super::tree::{Package, Tree};

pub(super) fn violations(sources: &Sources, tree: &Tree) -> Vec<String> {
    tree.packages
        .iter()
        .filter_map(|package| violation(sources, package, tree))
        .collect()
}

fn violation(sources: &Sources, package: &Package, tree: &Tree) -> Option<String> {
    match &package.source {
        None if package.manifest_path.starts_with(&tree.workspace_root) => None,
        None => Some(format!(
            "{package} lies outside the workspace: {}",
            package.manifest_path.display()
        )),
        Some(source) => {
            let registry = source
                .strip_prefix("registry+")
                .or_else(|| source.strip_prefix("sparse+"));
            let is_allowed = registry
                .is_some_and(|url| sources.allow_registry.iter().any(|allowed| allowed == url));
            (!is_allowed)
                .then(|| format!("{package} comes from a source that is not allowed: {source}"))
        }
    }
}
