//! The `[licenses]` table: every package must be usable under the allowed licences alone.

use anyhow::Context;
use spdx::{Expression, Licensee, ParseMode};

use super::policy::Licenses;
use super::tree::{Package, Tree};

pub(super) fn violations(licenses: &Licenses, tree: &Tree) -> anyhow::Result<Vec<String>> {
    let parse = |name: &String| {
        Licensee::parse(name).with_context(|| format!("deny.toml: {name} is not a licence"))
    };
    let allowed = licenses
        .allow
        .iter()
        .map(parse)
        .collect::<anyhow::Result<Vec<_>>>()?;
    let checked = tree
        .packages
        .iter()
        .filter(|package| !(licenses.private.ignore && package.is_private()));
    Ok(checked
        .filter_map(|package| violation(&allowed, package))
        .collect())
}

fn violation(allowed: &[Licensee], package: &Package) -> Option<String> {
    let Some(license) = &package.license else {
        return Some(format!("{package} names no licence"));
    };
    // Old packages write "MIT/Apache-2.0".
    match Expression::parse_mode(license, ParseMode::LAX) {
        Err(_) => Some(format!(
            "the licence of {package} is not an SPDX expression: {license}"
        )),
        Ok(expression) => {
            let is_allowed =
                expression.evaluate(|required| allowed.iter().any(|one| one.satisfies(required)));
            (!is_allowed).then(|| format!("the licence of {package} is not allowed: {license}"))
        }
    }
}
