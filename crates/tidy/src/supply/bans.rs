//! The `[bans]` table: crates, versions and features that the tree must not contain.

use super::policy::{Ban, Bans, FeatureBan};
use super::tree::{Package, Tree};

pub(super) fn violations(bans: &Bans, tree: &Tree) -> Vec<String> {
    let mut violations = Vec::new();
    for ban in &bans.deny {
        let matching = tree
            .packages
            .iter()
            .filter(|package| ban.spec.matches(package))
            .collect::<Vec<_>>();
        if ban.deny_multiple_versions {
            violations.extend(several_versions(ban, &matching));
        } else {
            violations.extend(
                matching
                    .iter()
                    .filter_map(|package| banned(ban, package, tree)),
            );
        }
    }
    for ban in &bans.features {
        let matching = tree
            .packages
            .iter()
            .filter(|package| ban.spec.matches(package));
        violations.extend(matching.flat_map(|package| banned_features(ban, package, tree)));
    }
    violations
}

fn several_versions(ban: &Ban, matching: &[&Package]) -> Option<String> {
    let versions = matching.iter().map(ToString::to_string).collect::<Vec<_>>();
    (versions.len() > 1).then(|| {
        format!(
            "only one version is allowed of {}: {}",
            versions.join(" and "),
            ban.reason
        )
    })
}

fn banned(ban: &Ban, package: &Package, tree: &Tree) -> Option<String> {
    if ban.wrappers.is_empty() {
        return Some(format!("{package} is banned: {}", ban.reason));
    }
    let unlisted = tree
        .dependents(package)
        .find(|dependent| !ban.wrappers.contains(&dependent.name))?;
    Some(format!(
        "{package} is banned, and {unlisted} is not among its wrappers: {}",
        ban.reason
    ))
}

fn banned_features<'a>(
    ban: &'a FeatureBan,
    package: &'a Package,
    tree: &'a Tree,
) -> impl Iterator<Item = String> {
    let enabled = tree
        .features(package)
        .iter()
        .filter(|feature| ban.deny.contains(feature));
    enabled.map(move |feature| format!("feature {feature} of {package} is banned: {}", ban.reason))
}
