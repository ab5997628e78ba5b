//! Groups the branches of `anyOf` and `oneOf` that exclude each other.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::choice::{Choice, KINDS};
use super::graph::{Graph, Node};

/// Maximum number of references that are followed to the keywords of a branch.
const MAX_HOPS: usize = 16;
/// Minimum number of branches for which the validator looks for a discriminator.
const MIN_DISCRIMINATED: usize = 3;

/// The constraints that exclude a branch: its `type`, and required properties with fixed values.
struct Branch<'a> {
    number: usize,
    accepts: [bool; 3],
    required: Vec<&'a str>,
    fixed: BTreeMap<&'a str, Vec<String>>,
    /// Properties whose value may be fixed by keywords that are not analysed.
    unknown: Vec<&'a str>,
    /// True if all keywords are analysed, so that the discriminator is the one of the validator.
    is_plain: bool,
}

impl Graph<'_> {
    /// Groups the branches of every choice.
    pub(super) fn group_branches(&mut self) {
        for number in 0..self.nodes.len() {
            let grouped: Vec<Choice> = self.nodes[number]
                .choices
                .iter()
                .map(|choice| self.grouped(choice))
                .collect();
            self.nodes[number].choices = grouped;
        }
    }

    fn grouped(&self, choice: &Choice) -> Choice {
        let branches: Vec<Branch<'_>> = choice
            .branches()
            .map(|number| self.branch(*number))
            .collect();
        let mut grouped = Choice::new(choice.branches().copied().collect());
        for kind in 0..KINDS.len() {
            grouped.open[kind] = branches
                .iter()
                .filter(|b| b.accepts[kind])
                .map(|b| b.number)
                .collect();
        }
        if let Some(name) = discriminator(&branches) {
            let mut groups: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
            for branch in branches.iter().filter(|branch| branch.accepts[0]) {
                for value in branch.fixed.get(name).into_iter().flatten() {
                    groups.entry(value).or_default().push(branch.number);
                }
            }
            grouped.open[0] = branches
                .iter()
                .filter(|b| b.accepts[0] && !b.fixed.contains_key(name))
                .map(|b| b.number)
                .collect();
            grouped.groups[0] = groups.into_values().collect();
        }
        grouped
    }

    fn branch(&self, number: usize) -> Branch<'_> {
        let mut node = &self.nodes[number];
        let mut branch = Branch {
            number,
            accepts: [true; 3],
            required: Vec::new(),
            fixed: BTreeMap::new(),
            unknown: Vec::new(),
            is_plain: false,
        };
        for _ in 0..MAX_HOPS {
            let Some(keywords) = node.keywords else {
                return branch;
            };
            if let Some(kinds) = keywords.get("type") {
                branch.accepts = kinds_of(kinds);
            }
            match (
                node.references.as_slice(),
                is_plain_reference(node, keywords),
            ) {
                ([targets], true) => match targets.as_slice() {
                    [target] => node = &self.nodes[*target],
                    _ => return branch,
                },
                ([], _) => {
                    branch.is_plain = !keywords.contains_key("allOf");
                    branch.read_fixed(keywords);
                    return branch;
                }
                _ => return branch,
            }
        }
        branch
    }
}

impl<'a> Branch<'a> {
    fn read_fixed(&mut self, keywords: &'a Map<String, Value>) {
        let required = keywords.get("required").and_then(Value::as_array);
        self.required = required
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect();
        let properties = keywords.get("properties").and_then(Value::as_object);
        for (name, property) in properties.into_iter().flatten() {
            let fixed = match (
                property.get("const"),
                property.get("enum").and_then(Value::as_array),
            ) {
                (Some(value), _) if is_pinnable(value) => vec![value.to_string()],
                (None, Some(values)) if !values.is_empty() && values.iter().all(is_pinnable) => {
                    values.iter().map(Value::to_string).collect()
                }
                _ => {
                    if property.get("$ref").is_some() || property.get("not").is_some() {
                        self.unknown.push(name);
                    }
                    continue;
                }
            };
            self.fixed.insert(name, fixed);
        }
    }
}

fn is_plain_reference(node: &Node<'_>, keywords: &Map<String, Value>) -> bool {
    let is_beside = |keyword: &String| {
        !matches!(
            keyword.as_str(),
            "title" | "description" | "$comment" | "$ref"
        )
    };
    // Up to draft 7, keywords beside `$ref` are not counted in `own`.
    keywords.contains_key("$ref") && (node.own == 1 || !keywords.keys().any(is_beside))
}

/// Returns the property by which the validator chooses a branch, if every branch requires it with a
/// fixed value.
fn discriminator<'a>(branches: &[Branch<'a>]) -> Option<&'a str> {
    if branches.len() < MIN_DISCRIMINATED || !branches.iter().all(|branch| branch.is_plain) {
        return None;
    }
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for branch in branches {
        let mut names = branch.required.clone();
        names.sort_unstable();
        names.dedup();
        for name in names {
            *counts.entry(name).or_default() += 1;
        }
    }
    // The validator chooses the name that most branches require and that at least two of them fix.
    let mut names: Vec<(&str, usize)> =
        counts.into_iter().filter(|(_, count)| *count > 1).collect();
    names.sort_by(|(a, a_count), (b, b_count)| b_count.cmp(a_count).then_with(|| a.cmp(b)));
    let fixes = |name: &str| {
        branches
            .iter()
            .filter(|branch| branch.fixed.contains_key(name))
            .count()
    };
    let is_unknown = |name: &str| branches.iter().any(|branch| branch.unknown.contains(&name));
    let (name, count) = names
        .into_iter()
        .find(|(name, _)| is_unknown(name) || fixes(name) > 1)?;
    (count == branches.len() && fixes(name) == branches.len()).then_some(name)
}

/// Returns whether the validator uses a fixed value as a discriminator.
fn is_pinnable(value: &Value) -> bool {
    value.is_string() || value.is_i64()
}

/// Returns which of [`KINDS`] a `type` accepts.
fn kinds_of(kinds: &Value) -> [bool; 3] {
    let mut accepts = [false; 3];
    let names = kinds
        .as_array()
        .map_or(std::slice::from_ref(kinds), Vec::as_slice);
    for name in names {
        match name.as_str() {
            Some("object") => accepts[0] = true,
            Some("array") => accepts[1] = true,
            _ => accepts[2] = true,
        }
    }
    accepts
}
