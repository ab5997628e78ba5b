//! Every kind of violation is reported, and the tree of this workspace has none.

use serde_json::{Value, json};

use super::policy::Policy;
use super::tree::Tree;

const POLICY: &str = r#"
    [graph]
    all-features = true
    targets = ["x86_64-unknown-linux-gnu"]
    [advisories]
    yanked = "deny"
    [licenses]
    allow = ["MIT", "Apache-2.0 WITH LLVM-exception"]
    private = { ignore = true }
    [sources]
    unknown-registry = "deny"
    unknown-git = "deny"
    allow-registry = ["https://github.com/rust-lang/crates.io-index"]
    [bans]
    multiple-versions = "warn"
    multiple-versions-include-dev = true
    [[bans.deny]]
    crate = "runtime"
    deny-multiple-versions = true
    reason = "one runtime"
    [[bans.deny]]
    crate = "transport:<0.4"
    reason = "old transport"
    [[bans.deny]]
    crate = "client"
    wrappers = ["ours"]
    reason = "tools only"
    [[bans.features]]
    crate = "schema"
    deny = ["fetch"]
    reason = "no fetching"
"#;

/// Returns a package of crates.io that the policy accepts.
fn package(name: &str, version: &str) -> Value {
    json!({
        "id": format!("{name}@{version}"),
        "name": name,
        "version": version,
        "license": "MIT",
        "source": "registry+https://github.com/rust-lang/crates.io-index",
        "manifest_path": format!("/registry/{name}-{version}/Cargo.toml"),
        "publish": null,
    })
}

/// Returns `package` with one field changed.
fn with(mut package: Value, field: &str, value: Value) -> Value {
    package[field] = value;
    package
}

fn violations_of(packages: &[Value], nodes: &[Value]) -> Vec<String> {
    let metadata =
        json!({ "packages": packages, "resolve": { "nodes": nodes }, "workspace_root": "/work" });
    let policy = Policy::parse(POLICY).unwrap();
    super::violations(&policy, &Tree::parse(&metadata.to_string()).unwrap()).unwrap()
}

#[test]
fn an_acceptable_tree_has_no_violations() {
    let ours = with(package("ours", "0.1.0"), "source", Value::Null);
    let ours = with(ours, "manifest_path", json!("/work/ours/Cargo.toml"));
    let node = json!({ "id": "ours@0.1.0", "dependencies": ["client@1.0.0"], "features": [] });
    let packages = [
        ours,
        package("client", "1.0.0"),
        package("transport", "0.4.1"),
        package("runtime", "1.0.0"),
    ];
    assert_eq!(violations_of(&packages, &[node]), Vec::<String>::new());
}

#[test]
fn a_second_version_of_a_single_version_crate_is_reported() {
    let violations = violations_of(
        &[
            package("runtime", "1.0.0"),
            package("runtime", "2.0.0-rc.1"),
        ],
        &[],
    );
    assert_eq!(
        violations,
        ["only one version is allowed of runtime 1.0.0 and runtime 2.0.0-rc.1: one runtime"]
    );
}

#[test]
fn a_banned_version_is_reported() {
    let violations = violations_of(&[package("transport", "0.3.27")], &[]);
    assert_eq!(violations, ["transport 0.3.27 is banned: old transport"]);
}

#[test]
fn a_banned_crate_below_an_unlisted_dependent_is_reported() {
    let node = json!({ "id": "schema@1.0.0", "dependencies": ["client@1.0.0"], "features": [] });
    let violations = violations_of(
        &[package("schema", "1.0.0"), package("client", "1.0.0")],
        &[node],
    );
    assert_eq!(
        violations,
        ["client 1.0.0 is banned, and schema 1.0.0 is not among its wrappers: tools only"]
    );
}

#[test]
fn a_banned_feature_is_reported() {
    let node = json!({ "id": "schema@1.0.0", "dependencies": [], "features": ["std", "fetch"] });
    let violations = violations_of(&[package("schema", "1.0.0")], &[node]);
    assert_eq!(
        violations,
        ["feature fetch of schema 1.0.0 is banned: no fetching"]
    );
}

#[test]
fn licences_are_evaluated_as_spdx_expressions() {
    let is_allowed = |license: &str| {
        let package = with(package("library", "1.0.0"), "license", json!(license));
        violations_of(&[package], &[]).is_empty()
    };
    assert!(is_allowed("MIT"));
    assert!(is_allowed("MIT/GPL-3.0"));
    assert!(is_allowed(
        "GPL-3.0-only OR (MIT AND Apache-2.0 WITH LLVM-exception)"
    ));
    assert!(!is_allowed("MIT AND GPL-3.0-only"));
    assert!(
        !is_allowed("Apache-2.0"),
        "the exception is part of the licence"
    );
    assert!(!is_allowed("no licence that anybody knows"));
}

#[test]
fn a_package_without_a_licence_is_reported_unless_it_is_private() {
    let unlicensed = with(package("library", "1.0.0"), "license", Value::Null);
    assert_eq!(
        violations_of(std::slice::from_ref(&unlicensed), &[]),
        ["library 1.0.0 names no licence"]
    );
    assert_eq!(
        violations_of(&[with(unlicensed, "publish", json!([]))], &[]),
        Vec::<String>::new()
    );
}

#[test]
fn packages_from_elsewhere_are_reported() {
    for source in [
        "git+https://example.org/library",
        "registry+https://example.org/index",
    ] {
        let violations = violations_of(
            &[with(package("library", "1.0.0"), "source", json!(source))],
            &[],
        );
        assert_eq!(
            violations,
            [format!(
                "library 1.0.0 comes from a source that is not allowed: {source}"
            )]
        );
    }
    let outside = with(package("library", "1.0.0"), "source", Value::Null);
    let violations = violations_of(&[outside], &[]);
    assert_eq!(
        violations,
        ["library 1.0.0 lies outside the workspace: /registry/library-1.0.0/Cargo.toml"]
    );
}

#[test]
fn a_setting_that_is_not_implemented_is_refused() {
    let skipping = POLICY.replace("[bans]", "[bans]\nskip = [\"transport\"]");
    assert!(Policy::parse(&skipping).is_err());
    let lenient = POLICY.replace("unknown-git = \"deny\"", "unknown-git = \"warn\"");
    assert!(Policy::parse(&lenient).is_err());
    let at = POLICY.replace("transport:<0.4", "transport@0.3.27");
    assert!(
        Policy::parse(&at).is_err(),
        "the form name@version is not implemented"
    );
}

#[test]
fn this_workspace_has_no_violations() {
    super::check().unwrap();
}
