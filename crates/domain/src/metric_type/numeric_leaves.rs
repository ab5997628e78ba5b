//! Collects the numeric leaves that a JSON Schema declares.

use std::collections::BTreeSet;

use referencing::{Draft, Error, Registry, Resolver, uri};
use serde_json::Value;

use super::draft::ignores_siblings_of_ref;
use crate::json::Pointer;

/// Maximum depth of a leaf. Values are not nested deeper.
const MAX_LEAF_DEPTH: usize = crate::json::MAX_DEPTH;
/// Maximum number of visited subschemas: references can multiply a small schema exponentially.
const MAX_VISITS: usize = 10_000;
/// Maximum nesting of visited subschemas.
const MAX_NESTING: usize = 256;
/// Base URI of a document without an `$id`, the same as the validator uses.
const BASE_URI: &str = "json-schema:///";

/// Returns the sorted pointers of all leaves that may be numbers.
///
/// Follows `properties`, references inside the document (resolved as the validator does), `allOf`,
/// `anyOf`, `oneOf`, `then`, `else` and schemas of dependencies. A leaf is numeric if its `type`
/// contains `number` or `integer`, or if its `enum` or `const` is a number. Array items and
/// undeclared properties are not leaves.
///
/// # Errors
/// A reference or identifier cannot be resolved inside the document.
pub(super) fn numeric_leaves(document: &Value, draft: Draft) -> Result<Vec<Pointer>, Error> {
    let resource = draft.create_resource_ref(document);
    let base = uri::from_str(resource.id().unwrap_or(BASE_URI))?;
    let registry = Registry::new()
        .draft(draft)
        .add(base.as_str(), resource)?
        .prepare()?;
    let mut walk = Walk {
        leaves: BTreeSet::new(),
        open: Vec::new(),
        visits: 0,
        nesting: 0,
    };
    walk.schema(document, &registry.resolver(base), draft, &Pointer::root())?;
    Ok(walk.leaves.into_iter().collect())
}

struct Walk<'a> {
    leaves: BTreeSet<Pointer>,
    /// Targets of the references that are being followed; stops at recursive references.
    open: Vec<&'a Value>,
    visits: usize,
    nesting: usize,
}

impl<'a> Walk<'a> {
    fn schema(
        &mut self,
        schema: &'a Value,
        resolver: &Resolver<'a>,
        draft: Draft,
        at: &Pointer,
    ) -> Result<(), Error> {
        self.visits += 1;
        if at.tokens().len() > MAX_LEAF_DEPTH
            || self.visits > MAX_VISITS
            || self.nesting >= MAX_NESTING
        {
            return Ok(());
        }
        let Value::Object(keywords) = schema else {
            return Ok(());
        };
        self.nesting += 1;
        let draft = draft.detect(schema);
        let resolver = &resolver.in_subresource(draft.create_resource_ref(schema))?;
        if let Some(reference) = keywords.get("$ref").and_then(Value::as_str) {
            self.target(resolver.lookup(reference)?.into_inner(), at)?;
        }
        // Up to draft 7, `$ref` replaces the whole schema.
        if !keywords.contains_key("$ref") || !ignores_siblings_of_ref(draft) {
            self.keywords(schema, resolver, draft, at)?;
        }
        self.nesting -= 1;
        Ok(())
    }

    fn keywords(
        &mut self,
        schema: &'a Value,
        resolver: &Resolver<'a>,
        draft: Draft,
        at: &Pointer,
    ) -> Result<(), Error> {
        if names_a_number(schema) {
            self.leaves.insert(at.clone());
        }
        if let Some(reference) = schema.get("$dynamicRef").and_then(Value::as_str) {
            self.target(resolver.lookup(reference)?.into_inner(), at)?;
        }
        if schema.get("$recursiveRef").is_some() {
            self.target(resolver.lookup_recursive_ref()?.into_inner(), at)?;
        }
        for (key, property) in schema
            .get("properties")
            .and_then(Value::as_object)
            .into_iter()
            .flatten()
        {
            self.schema(property, resolver, draft, &at.child(key))?;
        }
        for keyword in ["allOf", "anyOf", "oneOf"] {
            for branch in schema
                .get(keyword)
                .and_then(Value::as_array)
                .into_iter()
                .flatten()
            {
                self.schema(branch, resolver, draft, at)?;
            }
        }
        for branch in ["then", "else"]
            .into_iter()
            .filter_map(|keyword| schema.get(keyword))
        {
            self.schema(branch, resolver, draft, at)?;
        }
        for keyword in ["dependentSchemas", "dependencies"] {
            for (_, branch) in schema
                .get(keyword)
                .and_then(Value::as_object)
                .into_iter()
                .flatten()
            {
                self.schema(branch, resolver, draft, at)?;
            }
        }
        Ok(())
    }

    fn target(
        &mut self,
        target: (&'a Value, Resolver<'a>, Draft),
        at: &Pointer,
    ) -> Result<(), Error> {
        let (schema, resolver, draft) = target;
        if !self.open.iter().any(|open| std::ptr::eq(*open, schema)) {
            self.open.push(schema);
            self.schema(schema, &resolver, draft, at)?;
            self.open.pop();
        }
        Ok(())
    }
}

fn names_a_number(schema: &Value) -> bool {
    let numeric = |name: &Value| matches!(name.as_str(), Some("number" | "integer"));
    match schema.get("type") {
        Some(Value::Array(names)) => names.iter().any(numeric),
        Some(name) => numeric(name),
        None => {
            let choices = schema.get("enum").and_then(Value::as_array);
            choices.is_some_and(|choices| choices.iter().any(Value::is_number))
                || schema.get("const").is_some_and(Value::is_number)
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn leaves(schema: &Value) -> Vec<String> {
        numeric_leaves(schema, Draft::Draft7.detect(schema))
            .expect("it resolves")
            .iter()
            .map(ToString::to_string)
            .collect()
    }

    #[test]
    fn a_scalar_schema_is_its_own_channel() {
        assert_eq!(leaves(&json!({"type": "number"})), [""]);
        assert_eq!(leaves(&json!({"type": ["integer", "null"]})), [""]);
    }

    #[test]
    fn text_booleans_and_arrays_have_no_channel() {
        let schema = json!({"properties": {
            "s": {"type": "string"}, "b": {"type": "boolean"},
            "a": {"type": "array", "items": {"type": "number"}}
        }});
        assert_eq!(leaves(&schema), Vec::<String>::new());
    }

    #[test]
    fn a_recursive_reference_terminates() {
        let schema = json!({"properties": {"v": {"type": "number"}, "next": {"$ref": "#"}}});
        assert_eq!(leaves(&schema), ["/next/v", "/v"]);
    }

    #[test]
    fn leaves_of_all_branches_are_collected() {
        let schema = json!({"anyOf": [
            {"properties": {"a": {"type": "number"}}},
            {"properties": {"b": {"enum": [1, 2]}}}
        ]});
        assert_eq!(leaves(&schema), ["/a", "/b"]);
    }

    #[test]
    fn up_to_draft_7_keywords_beside_a_reference_are_ignored() {
        let mut schema = json!({
            "$ref": "#/definitions/text", "properties": {"a": {"type": "number"}},
            "definitions": {"text": {"properties": {"b": {"type": "number"}}}}
        });
        assert_eq!(leaves(&schema), ["/b"]);
        schema["$schema"] = json!("https://json-schema.org/draft/2020-12/schema");
        assert_eq!(leaves(&schema), ["/a", "/b"]);
    }

    #[test]
    fn references_resolve_against_their_own_resource() {
        let schema = json!({
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "$id": "https://example.com/root",
            "properties": {
                "a": {"$ref": "inner"}, "b": {"$ref": "#point"}, "c": {"$ref": "#/$defs/a%25b"}, "d": {"$ref": "#/$defs/leaf"}
            },
            "$defs": {
                "inner": {"$id": "inner", "$ref": "#/$defs/leaf", "$defs": {"leaf": {"type": "number"}}},
                "point": {"$anchor": "point", "properties": {"x": {"type": "number"}}},
                "a%b": {"type": "integer"},
                "leaf": {"type": "string"}
            }
        });
        assert_eq!(leaves(&schema), ["/a", "/b/x", "/c"]);
    }

    #[test]
    fn a_long_chain_of_references_terminates() {
        let mut definitions = serde_json::Map::new();
        for n in 0..1_500 {
            definitions.insert(
                n.to_string(),
                json!({"$ref": format!("#/definitions/{}", n + 1)}),
            );
        }
        definitions.insert("1500".to_owned(), json!({"type": "number"}));
        let schema = json!({"$ref": "#/definitions/0", "definitions": definitions});
        assert!(leaves(&schema).len() <= 1);
    }
}
