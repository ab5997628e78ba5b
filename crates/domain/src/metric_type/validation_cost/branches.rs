//! The branches of `anyOf` and `oneOf`, and which of them a value rules out at once.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::graph::{Graph, Node};

/// References that are followed to the keywords of a branch.
const MAX_HOPS: usize = 16;
/// The validator looks for a discriminator from this number of branches on.
const MIN_DISCRIMINATED: usize = 3;

/// The kinds of values that `type` tells apart here.
pub(super) const KINDS: [&str; 3] = ["object", "array", "other"];

/// `anyOf` or `oneOf`.
pub(super) struct Choice {
    all: Vec<usize>,
    /// For each of [`KINDS`]: groups of branches, of which a value of the kind enters one at most.
    groups: [Vec<Vec<usize>>; 3],
    /// For each of [`KINDS`]: branches that every value of the kind enters.
    open: [Vec<usize>; 3],
}

impl Choice {
    pub(super) fn new(all: Vec<usize>) -> Self {
        Self {
            open: [all.clone(), all.clone(), all.clone()],
            groups: [Vec::new(), Vec::new(), Vec::new()],
            all,
        }
    }

    pub(super) fn branches(&self) -> impl Iterator<Item = &usize> {
        self.all.iter()
    }

    /// Branches that every value of a kind enters.
    pub(super) fn open(&self, kind: usize) -> &[usize] {
        &self.open[kind]
    }

    /// Groups of branches, of which a value of a kind enters one at most.
    pub(super) fn groups(&self, kind: usize) -> &[Vec<usize>] {
        &self.groups[kind]
    }
}

/// What rules a branch out: the kinds of its `type`, and the properties with fixed values that it requires.
struct Branch<'a> {
    number: usize,
    accepts: [bool; 3],
    required: Vec<&'a str>,
    fixed: BTreeMap<&'a str, Vec<String>>,
    /// Properties whose value may be fixed by keywords that are not looked at.
    unknown: Vec<&'a str>,
    /// Whether all its keywords are known here, so that its discriminator is the validator's.
    is_plain: bool,
}

impl Graph<'_> {
    /// Tells for each choice which branches exclude each other.
    pub(super) fn sort_branches(&mut self) {
        for number in 0..self.nodes.len() {
            let sorted: Vec<Choice> = self.nodes[number]
                .choices
                .iter()
                .map(|choice| self.sorted(choice))
                .collect();
            self.nodes[number].choices = sorted;
        }
    }

    fn sorted(&self, choice: &Choice) -> Choice {
        let branches: Vec<Branch<'_>> = choice
            .all
            .iter()
            .map(|number| self.branch(*number))
            .collect();
        let mut sorted = Choice::new(choice.all.clone());
        for kind in 0..KINDS.len() {
            sorted.open[kind] = branches
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
            sorted.open[0] = branches
                .iter()
                .filter(|b| b.accepts[0] && !b.fixed.contains_key(name))
                .map(|b| b.number)
                .collect();
            sorted.groups[0] = groups.into_values().collect();
        }
        sorted
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
                node_is_only_reference(node, keywords),
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

fn node_is_only_reference(node: &Node<'_>, keywords: &Map<String, Value>) -> bool {
    let is_beside = |keyword: &String| {
        !matches!(
            keyword.as_str(),
            "title" | "description" | "$comment" | "$ref"
        )
    };
    // Until draft 7, the node was read as a reference alone.
    keywords.contains_key("$ref") && (node.own == 1 || !keywords.keys().any(is_beside))
}

/// The property by which the validator chooses the branch, where every branch fixes and requires it.
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
    // The validator takes the name that most branches require and that two of them fix.
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

fn is_pinnable(value: &Value) -> bool {
    value.is_string() || value.is_i64()
}

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
