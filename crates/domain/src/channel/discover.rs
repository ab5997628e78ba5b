//! Finds the numeric leaves that a JSON Schema declares.

use std::collections::BTreeSet;

use serde_json::Value;

use super::Pointer;

/// Deeper leaves stay in the remainder; a value cannot be nested deeper anyway.
const MAX_LEAF_DEPTH: usize = crate::json::MAX_DEPTH;
/// Subschemas that are looked at: references can multiply a small schema without end.
const MAX_VISITS: usize = 10_000;

/// The pointers of all leaves that may be numbers, sorted.
///
/// Follows `properties`, references inside the document, `allOf`, `anyOf`, `oneOf` and `then`/`else`.
/// A leaf is numeric where its `type` names `number` or `integer` (alone or among others), or where
/// its `enum` or `const` is a number. Array items and undeclared properties are no leaves.
///
/// ```
/// use serde_json::json;
/// use time_series_domain::channel::numeric_leaves;
///
/// let leaves = numeric_leaves(&json!({
///     "type": "object",
///     "properties": {"pos": {"$ref": "#/definitions/point"}, "name": {"type": "string"}},
///     "definitions": {"point": {"properties": {"x": {"type": "number"}, "y": {"type": ["integer", "null"]}}}}
/// }));
/// let texts: Vec<String> = leaves.iter().map(ToString::to_string).collect();
/// assert_eq!(texts, ["/pos/x", "/pos/y"]);
/// ```
#[must_use]
pub fn numeric_leaves(schema: &Value) -> Vec<Pointer> {
    let mut walk = Walk { document: schema, leaves: BTreeSet::new(), open_refs: Vec::new(), visits: 0 };
    walk.schema(schema, &Pointer::root());
    walk.leaves.into_iter().collect()
}

struct Walk<'a> {
    document: &'a Value,
    leaves: BTreeSet<Pointer>,
    /// References being followed, so that a recursive schema ends.
    open_refs: Vec<&'a str>,
    visits: usize,
}

impl<'a> Walk<'a> {
    fn schema(&mut self, schema: &'a Value, at: &Pointer) {
        self.visits += 1;
        if at.tokens().len() > MAX_LEAF_DEPTH || self.visits > MAX_VISITS {
            return;
        }
        if names_a_number(schema) {
            self.leaves.insert(at.clone());
        }
        if let Some(properties) = schema.get("properties").and_then(Value::as_object) {
            for (key, property) in properties {
                self.schema(property, &at.child(key));
            }
        }
        for keyword in ["allOf", "anyOf", "oneOf"] {
            for branch in schema.get(keyword).and_then(Value::as_array).into_iter().flatten() {
                self.schema(branch, at);
            }
        }
        for keyword in ["then", "else"] {
            if let Some(branch) = schema.get(keyword) {
                self.schema(branch, at);
            }
        }
        if let Some(reference) = schema.get("$ref").and_then(Value::as_str) {
            self.reference(reference, at);
        }
    }

    fn reference(&mut self, reference: &'a str, at: &Pointer) {
        let Some(path) = reference.strip_prefix('#') else { return };
        if self.open_refs.contains(&reference) {
            return;
        }
        if let Some(target) = self.document.pointer(path) {
            self.open_refs.push(reference);
            self.schema(target, at);
            self.open_refs.pop();
        }
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
        numeric_leaves(schema).iter().map(ToString::to_string).collect()
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
    fn a_recursive_reference_ends() {
        let schema = json!({"properties": {"v": {"type": "number"}, "next": {"$ref": "#"}}});
        assert_eq!(leaves(&schema), ["/next/v", "/v"]);
    }

    #[test]
    fn branches_are_united() {
        let schema = json!({"anyOf": [
            {"properties": {"a": {"type": "number"}}},
            {"properties": {"b": {"enum": [1, 2]}}}
        ]});
        assert_eq!(leaves(&schema), ["/a", "/b"]);
    }
}
