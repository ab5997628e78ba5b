//! Channels and validator interpret a schema alike, with leaves behind all kinds of references.

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::{Map, Value, json};
use time_series_domain::metric_type::{StepBudget, ValueSchema};
use time_series_domain::{Json, Pointer};

/// Type of a leaf.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Number,
    Text,
}

/// The way in which a subschema is referenced.
#[derive(Debug, Clone, Copy)]
enum Reference {
    Inline,
    Pointer,
    Escaped,
    Anchor,
    RelativeId,
    AbsoluteId,
    InsideOfAnother,
}

#[derive(Debug, Clone)]
enum Node {
    Leaf(Kind, Reference),
    Object(BTreeMap<String, Node>, Reference),
}

fn reference() -> impl Strategy<Value = Reference> {
    use Reference::{AbsoluteId, Anchor, Escaped, Inline, InsideOfAnother, Pointer, RelativeId};
    prop::sample::select(vec![
        Inline,
        Pointer,
        Escaped,
        Anchor,
        RelativeId,
        AbsoluteId,
        InsideOfAnother,
    ])
}

fn node() -> impl Strategy<Value = Node> {
    let leaf = (
        prop::sample::select(vec![Kind::Number, Kind::Text]),
        reference(),
    )
        .prop_map(|(kind, reference)| Node::Leaf(kind, reference));
    leaf.prop_recursive(3, 16, 4, |inner| {
        (
            prop::collection::btree_map("[a-z/~% ]{1,3}", inner, 1..4),
            reference(),
        )
            .prop_map(|(members, reference)| Node::Object(members, reference))
    })
}

/// A schema document under construction.
struct Document {
    definitions: Map<String, Value>,
}

impl Document {
    fn of(node: &Node) -> Value {
        let mut document = Self {
            definitions: Map::new(),
        };
        let Value::Object(mut root) = document.schema(node) else {
            unreachable!("a schema that is an object")
        };
        root.insert(
            "$schema".to_owned(),
            json!("https://json-schema.org/draft/2020-12/schema"),
        );
        root.insert("$id".to_owned(), json!("https://example.com/root/document"));
        root.insert("$defs".to_owned(), Value::Object(document.definitions));
        Value::Object(root)
    }

    fn schema(&mut self, node: &Node) -> Value {
        let (schema, reference) = match node {
            Node::Leaf(Kind::Number, reference) => (json!({"type": "number"}), reference),
            Node::Leaf(Kind::Text, reference) => (json!({"type": "string"}), reference),
            Node::Object(members, reference) => {
                let properties: Map<String, Value> = members
                    .iter()
                    .map(|(key, member)| (key.clone(), self.schema(member)))
                    .collect();
                let required: Vec<&String> = members.keys().collect();
                (
                    json!({"type": "object", "properties": properties, "required": required}),
                    reference,
                )
            }
        };
        self.refer(schema, *reference)
    }

    /// The schema itself, or a reference to its location.
    fn refer(&mut self, mut schema: Value, reference: Reference) -> Value {
        let number = self.definitions.len();
        let mut define = |name: String, schema: Value| {
            self.definitions.insert(name, schema);
        };
        match reference {
            Reference::Inline => schema,
            Reference::Pointer => {
                define(format!("p{number}"), schema);
                // An absolute reference: a bare pointer would be relative to the inner resource.
                json!({"$ref": format!("https://example.com/root/document#/$defs/p{number}")})
            }
            Reference::Escaped => {
                define(format!("e {number}%"), schema);
                json!({"$ref": format!("https://example.com/root/document#/$defs/e%20{number}%25")})
            }
            Reference::Anchor => {
                schema["$anchor"] = json!(format!("a{number}"));
                define(format!("a{number}"), schema);
                json!({"$ref": format!("https://example.com/root/document#a{number}")})
            }
            Reference::RelativeId => {
                let schema = json!({"$id": format!("relative{number}"), "allOf": [schema]});
                define(format!("r{number}"), schema);
                json!({"$ref": format!("https://example.com/root/relative{number}")})
            }
            Reference::AbsoluteId => {
                let schema = json!({"$id": format!("urn:example:{number}"), "anyOf": [schema]});
                define(format!("u{number}"), schema);
                json!({"$ref": format!("urn:example:{number}")})
            }
            // The same pointer means something else in the outer document.
            Reference::InsideOfAnother => {
                let inner = json!({"$id": format!("inner{number}"), "$ref": "#/$defs/leaf", "$defs": {"leaf": schema}});
                define(format!("i{number}"), inner);
                define(
                    "leaf".to_owned(),
                    json!({"properties": {"wrong": {"type": "number"}}}),
                );
                json!({"$ref": format!("https://example.com/root/inner{number}")})
            }
        }
    }
}

fn leaves(node: &Node, at: &Pointer, found: &mut Vec<(Pointer, Kind)>) {
    match node {
        Node::Leaf(kind, _) => found.push((at.clone(), *kind)),
        Node::Object(members, _) => {
            for (key, member) in members {
                leaves(member, &at.child(key), found);
            }
        }
    }
}

/// A value with every leaf; the one at `odd` is of the other kind.
fn value(node: &Node, at: &Pointer, odd: Option<&Pointer>) -> Value {
    match node {
        Node::Leaf(kind, _) => match (kind, odd == Some(at)) {
            (Kind::Number, false) | (Kind::Text, true) => json!(1.5),
            (Kind::Number, true) | (Kind::Text, false) => json!("text"),
        },
        Node::Object(members, _) => {
            let member =
                |(key, member): (&String, &Node)| (key.clone(), value(member, &at.child(key), odd));
            Value::Object(members.iter().map(member).collect())
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn channels_are_the_numeric_leaves_of_the_validator(node in node()) {
        let document = Document::of(&node);
        let schema = ValueSchema::parse(document.clone()).expect("a valid schema");
        let mut all = Vec::new();
        leaves(&node, &Pointer::root(), &mut all);
        let mut numbers: Vec<Pointer> =
            all.iter().filter(|(_, kind)| *kind == Kind::Number).map(|(at, _)| at.clone()).collect();
        numbers.sort();
        prop_assert_eq!(schema.numeric_leaves(), numbers.as_slice(), "{:#}", document);
        let fits = |value: &Value| {
            let value = Json::parse(&value.to_string()).expect("JSON");
            schema.fits(&value, &mut StepBudget::default())
        };
        prop_assert!(fits(&value(&node, &Pointer::root(), None)), "{:#}", document);
        for (at, _) in &all {
            prop_assert!(!fits(&value(&node, &Pointer::root(), Some(at))), "{} in {:#}", at, document);
        }
    }
}
