//! The graph of the subschemas that a validator applies.

use std::collections::HashMap;

use serde_json::{Map, Value};

use super::choice::Choice;
use super::pattern_size::pattern_size;
use super::references::{References, SchemaLocation};

/// The number of the node that represents all other documents.
pub(super) const EXTERNAL: usize = 0;
/// The number of the node of the root schema.
pub(super) const ROOT: usize = 1;

/// All subschemas that are reachable from a schema, as nodes identified by number.
pub(super) struct Graph<'a> {
    pub(super) nodes: Vec<Node<'a>>,
    references: References<'a>,
    /// The numbers of subschemas by address.
    numbers: HashMap<usize, usize>,
    /// Subschemas that have a number but are not yet analysed.
    pending: Vec<(usize, SchemaLocation<'a>)>,
}

/// A subschema: the cost of its own keywords, and the subschemas that it applies.
#[derive(Default)]
pub(super) struct Node<'a> {
    /// The keywords; `None` for a boolean schema.
    pub(super) keywords: Option<&'a Map<String, Value>>,
    /// Steps per value.
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
    /// References: for each, the possible targets, of which one applies to the same value.
    pub(super) references: Vec<Vec<usize>>,
    /// The `anyOf` and `oneOf` of the subschema.
    pub(super) choices: Vec<Choice>,
    /// Subschemas for elements or members, of which at most one applies to each.
    pub(super) elements: Vec<usize>,
    /// Further subschemas that apply to every element or member.
    pub(super) every: Vec<usize>,
    /// True if there is an `unevaluatedProperties` or `unevaluatedItems`, which apply subschemas
    /// again.
    pub(super) is_unevaluated: bool,
    /// Patterns, each with its number of instructions.
    pub(super) patterns: Vec<(&'a str, u64)>,
}

impl<'a> Graph<'a> {
    /// Builds the graph of a schema document.
    pub(super) fn of(document: &'a Value) -> Self {
        let mut graph = Self {
            nodes: vec![Node {
                own: 1,
                ..Node::default()
            }],
            references: References::of(document),
            numbers: HashMap::new(),
            pending: Vec::new(),
        };
        graph.number(graph.references.root());
        while let Some((number, location)) = graph.pending.pop() {
            graph.nodes[number] = graph.analyse(location);
        }
        graph
    }

    /// Returns the number of a subschema, whose address identifies it.
    fn number(&mut self, location: SchemaLocation<'a>) -> usize {
        let next = self.nodes.len();
        let number = *self
            .numbers
            .entry(std::ptr::from_ref(location.schema).addr())
            .or_insert(next);
        if number == next {
            self.nodes.push(Node::default());
            self.pending.push((number, location));
        }
        number
    }

    fn analyse(&mut self, location: SchemaLocation<'a>) -> Node<'a> {
        let Value::Object(keywords) = location.schema else {
            return Node {
                own: 1,
                ..Node::default()
            };
        };
        let location = References::enter(location);
        let mut node = Node {
            keywords: Some(keywords),
            own: 1,
            ..Node::default()
        };
        // Up to draft 7, `$ref` replaces the whole schema.
        if self.references.ignores_siblings_of_ref() && keywords.contains_key("$ref") {
            self.keyword(&mut node, location, "$ref", &keywords["$ref"]);
            return node;
        }
        for (keyword, argument) in keywords {
            node.own += 1;
            self.keyword(&mut node, location, keyword, argument);
        }
        node
    }

    fn keyword(
        &mut self,
        node: &mut Node<'a>,
        location: SchemaLocation<'a>,
        keyword: &str,
        argument: &'a Value,
    ) {
        let lists = |value: &Value| value.as_array().map_or(0, Vec::len) as u64;
        match keyword {
            "$ref" | "$dynamicRef" | "$recursiveRef" => {
                let locations = self.references.targets(
                    location,
                    keyword,
                    argument.as_str().unwrap_or_default(),
                );
                let targets: Vec<usize> = locations
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
                self.all(location, argument, &mut node.in_place);
            }
            "dependentSchemas" | "dependencies" => {
                let dependencies = argument.as_object().into_iter().flat_map(Map::values);
                for dependency in dependencies {
                    node.own += 1 + lists(dependency);
                    if !dependency.is_array() {
                        node.in_place.push(self.number(SchemaLocation {
                            schema: dependency,
                            ..location
                        }));
                    }
                }
            }
            "anyOf" | "oneOf" => {
                let mut branches = Vec::new();
                self.all(location, argument, &mut branches);
                node.choices.push(Choice::new(branches));
            }
            "properties" => {
                node.own += argument.as_object().map_or(0, Map::len).min(16) as u64;
                node.keys += 4;
                self.members(location, argument, &mut node.elements);
            }
            "items" | "prefixItems" | "additionalItems" | "additionalProperties" => {
                node.keys += 1;
                self.all(location, argument, &mut node.elements);
            }
            "patternProperties" => {
                for pattern in argument.as_object().into_iter().flat_map(Map::keys) {
                    let size = pattern_size(pattern);
                    node.keys += 2;
                    node.key_text = node.key_text.saturating_add(size);
                    node.patterns.push((pattern, size));
                }
                self.members(location, argument, &mut node.every);
            }
            "propertyNames" => self.all(location, argument, &mut node.every),
            // `minContains` and `maxContains` apply it separately.
            "contains" => {
                self.all(location, argument, &mut node.every);
                self.all(location, argument, &mut node.every);
            }
            "unevaluatedProperties" | "unevaluatedItems" => {
                node.is_unevaluated = true;
                self.all(location, argument, &mut node.every);
                self.all(location, argument, &mut node.every);
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
            // Elements of short arrays are compared in pairs, those of others by hash.
            "uniqueItems" => node.deep += 16,
            _ => {}
        }
    }

    /// Adds the subschema, or the subschemas of an array.
    fn all(&mut self, location: SchemaLocation<'a>, argument: &'a Value, into: &mut Vec<usize>) {
        match argument {
            Value::Array(schemas) => {
                for schema in schemas {
                    into.push(self.number(SchemaLocation { schema, ..location }));
                }
            }
            schema => into.push(self.number(SchemaLocation { schema, ..location })),
        }
    }

    /// Adds the subschemas of an object.
    fn members(
        &mut self,
        location: SchemaLocation<'a>,
        argument: &'a Value,
        into: &mut Vec<usize>,
    ) {
        for schema in argument.as_object().into_iter().flat_map(Map::values) {
            into.push(self.number(SchemaLocation { schema, ..location }));
        }
    }
}

impl Node<'_> {
    /// Returns all subschemas that apply to the same value.
    pub(super) fn same_value(&self) -> impl Iterator<Item = usize> + '_ {
        let references = self.references.iter().flatten();
        let branches = self.choices.iter().flat_map(Choice::branches);
        self.in_place
            .iter()
            .chain(references)
            .chain(branches)
            .copied()
    }

    /// Returns all subschemas that apply to an element or member.
    pub(super) fn parts(&self) -> impl Iterator<Item = usize> + '_ {
        self.elements.iter().chain(&self.every).copied()
    }
}

/// Returns the number of values in a value, including itself.
fn size(value: &Value) -> u64 {
    1 + match value {
        Value::Array(items) => items.iter().map(size).sum(),
        Value::Object(members) => members.values().map(size).sum(),
        _ => 0,
    }
}
