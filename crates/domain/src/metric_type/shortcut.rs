//! Schemas that ask for numbers and nothing else: most are of this kind, and need no validator to be checked.

use serde_json::Value;

use crate::Json;

/// Keywords that such a schema may have; all others may mean more.
const KEYWORDS: [&str; 6] = ["$schema", "title", "description", "type", "properties", "required"];

/// What such a schema asks for.
#[derive(Debug)]
pub(super) enum Shortcut {
    /// A number.
    Number,
    /// An object whose members of these names, where they are there, are numbers.
    Object { numbers: Vec<String>, required: Vec<String> },
}

impl Shortcut {
    /// `None` of a schema that may ask for more.
    pub(super) fn of(schema: &Value) -> Option<Self> {
        let members = schema.as_object()?;
        if !members.keys().all(|key| KEYWORDS.contains(&key.as_str())) {
            return None;
        }
        let (properties, required) = (members.get("properties"), members.get("required"));
        match members.get("type")?.as_str()? {
            "number" if properties.is_none() && required.is_none() => Some(Self::Number),
            "object" => {
                let mut numbers = Vec::new();
                for (name, schema) in properties.and_then(Value::as_object).into_iter().flatten() {
                    let Some(Self::Number) = Self::of(schema) else { return None };
                    numbers.push(name.clone());
                }
                let names = required.and_then(Value::as_array).into_iter().flatten();
                let required = names.map(|name| name.as_str().map(str::to_owned)).collect::<Option<_>>()?;
                Some(Self::Object { numbers, required })
            }
            _ => None,
        }
    }

    /// Whether a value fits. One that does not is left to the validator, which says why.
    pub(super) fn admits(&self, value: &Json) -> bool {
        match (self, value) {
            (Self::Number, Json::Number(_)) => true,
            (Self::Object { numbers, required }, Json::Object(members)) => {
                let is_number =
                    |name: &String| members.get(name).is_none_or(|member| matches!(member, Json::Number(_)));
                required.iter().all(|name| members.contains_key(name)) && numbers.iter().all(is_number)
            }
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::metric_type::ValueSchema;

    fn member() -> impl Strategy<Value = Json> {
        prop_oneof![
            Just("1"),
            Just("-0.0"),
            Just("1e100"),
            Just("9007199254740993"),
            Just("null"),
            Just("\"1\""),
            Just("[]"),
            Just("{}"),
            Just("true")
        ]
        .prop_map(|text| Json::parse(text).expect("JSON"))
    }

    proptest! {
        #[test]
        fn it_admits_what_the_validator_admits(
            value in prop_oneof![
                member(),
                prop::collection::btree_map("[abc]", member(), 0..4).prop_map(Json::Object),
            ],
            which in 0..4_usize,
        ) {
            let number = json!({"type": "number", "title": "any"});
            let schema = [
                number.clone(),
                json!({"type": "object", "properties": {"a": number, "b": number}, "required": ["a"]}),
                json!({"type": "object", "properties": {"a": number}, "required": ["a", "c"]}),
                json!({"type": "object"}),
            ][which].clone();
            let shortcut = Shortcut::of(&schema).expect("asks for numbers only");
            let validated = ValueSchema::parse(schema).expect("a schema").violations(&value).is_empty();
            prop_assert_eq!(shortcut.admits(&value), validated);
        }
    }

    #[test]
    fn what_may_ask_for_more_has_none() {
        let number = json!({"type": "number"});
        for schema in [
            json!(true),
            json!({}),
            json!({"type": "integer"}),
            json!({"type": ["number", "null"]}),
            json!({"type": "number", "minimum": 0}),
            json!({"type": "object", "properties": {"a": number}, "additionalProperties": false}),
            json!({"type": "object", "properties": {"a": {"type": "string"}}}),
            json!({"type": "object", "properties": {"a": number}, "allOf": []}),
        ] {
            assert!(Shortcut::of(&schema).is_none(), "{schema}");
        }
    }
}
