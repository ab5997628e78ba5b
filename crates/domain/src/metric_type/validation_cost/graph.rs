//! The subschemas that a validator applies, and which of them apply to the same part of a value.

use std::collections::HashMap;

use serde_json::{Map, Value};

use super::branches::Choice;
use super::pattern_size::pattern_size;
use super::references::{Place, References};

/// The number of the schema that stands for documents outside of this one.
pub(super) const EXTERNAL: usize = 0;
/// The number of the root schema.
pub(super) const ROOT: usize = 1;

/// All subschemas that can be reached from a schema.
pub(super) struct Graph<'a> {
    pub(super) nodes: Vec<Node<'a>>,
    references: References<'a>,
    numbers: HashMap<usize, usize>,
    /// Subschemas that are numbered but not read yet.
    unread: Vec<(usize, Place<'a>)>,
}

/// A subschema: its own checks, and the subschemas that it applies.
#[derive(Default)]
pub(super) struct Node<'a> {
    /// The keywords; none of a boolean schema.
    pub(super) keywords: Option<&'a Map<String, Value>>,
    /// Steps per value that it is applied to.
    pub(super) own: u64,
    /// Steps per unit of the value's text.
    pub(super) text: u64,
    /// Steps per element or member of the value.
    pub(super) keys: u64,
    /// Steps per unit of a member's key.
    pub(super) key_text: u64,
    /// Steps at every part of the value, at any depth.
    pub(super) deep: u64,
    /// Subschemas that apply to the same value.
    pub(super) in_place: Vec<usize>,
    /// References; each applies one of its targets to the same value.
    pub(super) references: Vec<Vec<usize>>,
    /// `anyOf` and `oneOf`.
    pub(super) choices: Vec<Choice>,
    /// Subschemas for elements or members, of which at most one applies to each.
    pub(super) elements: Vec<usize>,
    /// Subschemas that apply to every element or member besides.
    pub(super) every: Vec<usize>,
    /// Whether it has `unevaluatedProperties` or `unevaluatedItems`, which apply subschemas again.
    pub(super) is_unevaluated: bool,
    /// The instructions of its patterns, each with its text.
    pub(super) patterns: Vec<(&'a str, u64)>,
}

impl<'a> Graph<'a> {
    pub(super) fn of(document: &'a Value) -> Self {
        let mut graph = Self {
            nodes: vec![Node {
                own: 1,
                ..Node::default()
            }],
            references: References::of(document),
            numbers: HashMap::new(),
            unread: Vec::new(),
        };
        graph.number(graph.references.root());
        while let Some((number, place)) = graph.unread.pop() {
            graph.nodes[number] = graph.read(place);
        }
        graph
    }

    /// Returns the number of a subschema, whose address identifies it.
    fn number(&mut self, place: Place<'a>) -> usize {
        let next = self.nodes.len();
        let number = *self
            .numbers
            .entry(std::ptr::from_ref(place.schema).addr())
            .or_insert(next);
        if number == next {
            self.nodes.push(Node::default());
            self.unread.push((number, place));
        }
        number
    }

    fn read(&mut self, place: Place<'a>) -> Node<'a> {
        let Value::Object(keywords) = place.schema else {
            return Node {
                own: 1,
                ..Node::default()
            };
        };
        let place = References::enter(place);
        let mut node = Node {
            keywords: Some(keywords),
            own: 1,
            ..Node::default()
        };
        // Until draft 7, a reference stands for the whole schema.
        if self.references.is_old() && keywords.contains_key("$ref") {
            self.keyword(&mut node, place, "$ref", &keywords["$ref"]);
            return node;
        }
        for (keyword, argument) in keywords {
            node.own += 1;
            self.keyword(&mut node, place, keyword, argument);
        }
        node
    }

    fn keyword(
        &mut self,
        node: &mut Node<'a>,
        place: Place<'a>,
        keyword: &str,
        argument: &'a Value,
    ) {
        let lists = |value: &Value| value.as_array().map_or(0, Vec::len) as u64;
        match keyword {
            "$ref" | "$dynamicRef" | "$recursiveRef" => {
                let places =
                    self.references
                        .targets(place, keyword, argument.as_str().unwrap_or_default());
                let targets: Vec<usize> = places
                    .into_iter()
                    .map(|target| self.number(target))
                    .collect();
                node.references.push(if targets.is_empty() {
                    vec![EXTERNAL]
                } else {
                    targets
                });
            }
            "allOf" | "not" | "if" | "then" | "else" => {
                self.all(place, argument, &mut node.in_place)
            }
            "dependentSchemas" | "dependencies" => {
                let dependencies = argument.as_object().into_iter().flat_map(Map::values);
                for dependency in dependencies {
                    node.own += 1 + lists(dependency);
                    if !dependency.is_array() {
                        node.in_place.push(self.number(Place {
                            schema: dependency,
                            ..place
                        }));
                    }
                }
            }
            "anyOf" | "oneOf" => {
                let mut branches = Vec::new();
                self.all(place, argument, &mut branches);
                node.choices.push(Choice::new(branches));
            }
            "properties" => {
                node.own += argument.as_object().map_or(0, Map::len).min(16) as u64;
                node.keys += 4;
                self.members(place, argument, &mut node.elements);
            }
            "items" | "prefixItems" | "additionalItems" | "additionalProperties" => {
                node.keys += 1;
                self.all(place, argument, &mut node.elements);
            }
            "patternProperties" => {
                for pattern in argument.as_object().into_iter().flat_map(Map::keys) {
                    let size = pattern_size(pattern);
                    node.keys += 2;
                    node.key_text = node.key_text.saturating_add(size);
                    node.patterns.push((pattern, size));
                }
                self.members(place, argument, &mut node.every);
            }
            "propertyNames" => self.all(place, argument, &mut node.every),
            // The bounds of how many contain it count separately.
            "contains" => {
                self.all(place, argument, &mut node.every);
                self.all(place, argument, &mut node.every);
            }
            "unevaluatedProperties" | "unevaluatedItems" => {
                node.is_unevaluated = true;
                self.all(place, argument, &mut node.every);
                self.all(place, argument, &mut node.every);
            }
            "dependentRequired" => {
                node.own += argument
                    .as_object()
                    .into_iter()
                    .flat_map(Map::values)
                    .map(|names| 1 + lists(names))
                    .sum::<u64>();
            }
            "required" => node.own += lists(argument),
            "enum" => {
                let options = argument.as_array().map_or(&[][..], Vec::as_slice);
                let is_indexed = |of: fn(&Value) -> bool| {
                    options.iter().all(|option| of(option) || option.is_null())
                };
                node.own += if is_indexed(Value::is_string) || is_indexed(Value::is_i64) {
                    4
                } else {
                    size(argument)
                };
                node.text += 1;
            }
            "const" => node.own += size(argument),
            "pattern" => {
                let pattern = argument.as_str().unwrap_or_default();
                let size = pattern_size(pattern);
                node.text = node.text.saturating_add(size);
                node.patterns.push((pattern, size));
            }
            "format" | "contentMediaType" | "contentEncoding" => node.text += 8,
            "minLength" | "maxLength" => node.text += 1,
            "multipleOf" => node.own += 4,
            // Short arrays are compared pair by pair, others through a hash of each element.
            "uniqueItems" => node.deep += 16,
            _ => {}
        }
    }

    /// Numbers the subschema, or the subschemas of a list.
    fn all(&mut self, place: Place<'a>, argument: &'a Value, into: &mut Vec<usize>) {
        match argument {
            Value::Array(schemas) => {
                for schema in schemas {
                    into.push(self.number(Place { schema, ..place }));
                }
            }
            schema => into.push(self.number(Place { schema, ..place })),
        }
    }

    /// Numbers the subschemas of an object by name.
    fn members(&mut self, place: Place<'a>, argument: &'a Value, into: &mut Vec<usize>) {
        for schema in argument.as_object().into_iter().flat_map(Map::values) {
            into.push(self.number(Place { schema, ..place }));
        }
    }
}

impl Node<'_> {
    /// Every subschema that applies to the same value.
    pub(super) fn same_value(&self) -> impl Iterator<Item = usize> + '_ {
        let references = self.references.iter().flatten();
        let branches = self.choices.iter().flat_map(Choice::branches);
        self.in_place
            .iter()
            .chain(references)
            .chain(branches)
            .copied()
    }

    /// Every subschema that applies to an element or member.
    pub(super) fn parts(&self) -> impl Iterator<Item = usize> + '_ {
        self.elements.iter().chain(&self.every).copied()
    }
}

/// How many values a value consists of.
fn size(value: &Value) -> u64 {
    1 + match value {
        Value::Array(items) => items.iter().map(size).sum(),
        Value::Object(members) => members.values().map(size).sum(),
        _ => 0,
    }
}
