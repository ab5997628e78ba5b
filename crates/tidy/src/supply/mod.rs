//! Checks the dependencies against deny.toml without the network: bans, licences and sources.
//!
//! The check enforces what `cargo deny check bans licenses sources` enforces with the same file. It
//! refuses a setting that it does not implement, so deny.toml cannot promise more than is checked.

mod bans;
mod licenses;
mod policy;
mod sources;
mod tree;

use anyhow::{Context, ensure};
use time_series_devkit::cargo::{cargo, output, root};

use self::policy::Policy;
use self::tree::Tree;

pub(crate) fn check() -> anyhow::Result<()> {
    let text =
        std::fs::read_to_string(root().join("deny.toml")).context("cannot read deny.toml")?;
    let policy = Policy::parse(&text)?;
    let mut command = cargo(["metadata", "--locked", "--format-version", "1"]);
    if policy.graph.all_features {
        command.arg("--all-features");
    }
    for target in &policy.graph.targets {
        command.args(["--filter-platform", target]);
    }
    let tree = Tree::parse(&output(&mut command)?)?;
    let violations = violations(&policy, &tree)?;
    ensure!(
        violations.is_empty(),
        "deny.toml is violated:\n{}",
        violations.join("\n")
    );
    Ok(())
}

/// Returns every violation of the policy, one sentence each.
fn violations(policy: &Policy, tree: &Tree) -> anyhow::Result<Vec<String>> {
    let mut violations = bans::violations(&policy.bans, tree);
    violations.extend(licenses::violations(&policy.licenses, tree)?);
    violations.extend(sources::violations(&policy.sources, tree));
    Ok(violations)
}

#[cfg(test)]
mod tests;
