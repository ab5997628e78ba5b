//! The settings of deny.toml that the offline check implements. Any other setting is an error.

use anyhow::{Context, ensure};
use semver::VersionReq;
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::tree::Package;

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Policy {
    pub(super) graph: Graph,
    /// Left to cargo-deny: advisories need the network.
    #[serde(rename = "advisories")]
    _advisories: IgnoredAny,
    pub(super) licenses: Licenses,
    pub(super) bans: Bans,
    pub(super) sources: Sources,
}

/// The part of the dependency graph that is checked.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Graph {
    pub(super) all_features: bool,
    pub(super) targets: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Licenses {
    pub(super) allow: Vec<String>,
    pub(super) private: Private,
}

/// The treatment of packages with `publish = false`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Private {
    pub(super) ignore: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Sources {
    #[serde(rename = "unknown-registry")]
    _unknown_registry: Deny,
    #[serde(rename = "unknown-git")]
    _unknown_git: Deny,
    pub(super) allow_registry: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Bans {
    #[serde(rename = "multiple-versions")]
    _multiple_versions: Warn,
    multiple_versions_include_dev: bool,
    pub(super) deny: Vec<Ban>,
    pub(super) features: Vec<FeatureBan>,
}

/// The only level that is implemented for unknown sources.
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Deny {
    Deny,
}

/// The only level that is implemented for crates in several versions without a ban: the warning is
/// left to cargo-deny.
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Warn {
    Warn,
}

/// A crate that is banned, or that is allowed in one version only.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Ban {
    #[serde(rename = "crate")]
    pub(super) spec: Spec,
    #[serde(default)]
    pub(super) deny_multiple_versions: bool,
    /// Packages that may depend on the banned crate directly.
    #[serde(default)]
    pub(super) wrappers: Vec<String>,
    pub(super) reason: String,
}

/// Features of a crate that may not be enabled.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct FeatureBan {
    #[serde(rename = "crate")]
    pub(super) spec: Spec,
    pub(super) deny: Vec<String>,
    pub(super) reason: String,
}

/// A crate by name, or by name and version requirement: `h2:<0.4.16`.
#[derive(Deserialize)]
#[serde(try_from = "String")]
pub(super) struct Spec {
    name: String,
    /// `None` stands for all versions. The requirement `*` would leave out pre-releases.
    versions: Option<VersionReq>,
}

impl Policy {
    pub(super) fn parse(text: &str) -> anyhow::Result<Self> {
        let policy: Self = toml::from_str(text)
            .context("deny.toml has a setting that this check cannot enforce")?;
        ensure!(
            policy.bans.multiple_versions_include_dev,
            "deny.toml: set multiple-versions-include-dev, since this check counts versions of \
             dev-dependencies as well"
        );
        Ok(policy)
    }
}

impl Spec {
    pub(super) fn matches(&self, package: &Package) -> bool {
        let is_in_range = self
            .versions
            .as_ref()
            .is_none_or(|versions| versions.matches(&package.version));
        self.name == package.name && is_in_range
    }
}

impl TryFrom<String> for Spec {
    type Error = anyhow::Error;

    fn try_from(text: String) -> anyhow::Result<Self> {
        ensure!(
            !text.contains('@'),
            "{text}: write an exact version as name:=1.2.3"
        );
        Ok(match text.split_once(':') {
            Some((name, versions)) => Self {
                name: name.to_owned(),
                versions: Some(versions.parse()?),
            },
            None => Self {
                name: text,
                versions: None,
            },
        })
    }
}
