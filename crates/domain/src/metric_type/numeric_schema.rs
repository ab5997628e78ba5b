//! Fast path for schemas of numbers only: most schemas, which are validated without a validator.

use std::sync::Arc;

use serde_json::{Map, Value};

use crate::Json;

/// Keywords without constraints. A schema with any unlisted keyword is left to the validator.
const ANNOTATIONS: [&str; 3] = ["$schema", "title", "description"];
/// Keywords of the schema of a number.
const NUMBER_KEYWORDS: [&str; 5] = [
    "type",
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
];
/// Keywords of the schema of an object of numbers.
const OBJECT_KEYWORDS: [&str; 4] = ["type", "properties", "required", "additionalProperties"];
/// 2^53. Whole numbers and bounds of at least this magnitude are left to the validator.
const MAX_EXACT: f64 = 9_007_199_254_740_992.0;

/// A schema of a number, or of an object of numbers.
#[derive(Debug)]
pub(super) enum NumericSchema {
    /// A number.
    Number(NumberRule),
    /// An object whose members with these names, if present, are numbers with constraints.
    Object {
        numbers: Vec<(String, NumberRule)>,
        required: Vec<String>,
        /// True if other members are allowed.
        is_open: bool,
    },
}

/// The constraints of a number.
#[derive(Debug, Default)]
pub(super) struct NumberRule {
    is_whole: bool,
    minimum: Option<f64>,
    maximum: Option<f64>,
    exclusive_minimum: Option<f64>,
    exclusive_maximum: Option<f64>,
}

impl NumericSchema {
    /// Returns the constraints of a schema; `None` if it may have others.
    pub(super) fn of(schema: &Value) -> Option<Self> {
        let members = schema.as_object()?;
        let has_only = |keywords: &[&str]| {
            members
                .keys()
                .all(|key| ANNOTATIONS.contains(&key.as_str()) || keywords.contains(&key.as_str()))
        };
        match members.get("type")?.as_str()? {
            "object" if has_only(&OBJECT_KEYWORDS) => Self::of_object(members),
            "number" | "integer" if has_only(&NUMBER_KEYWORDS) => {
                NumberRule::of(members).map(Self::Number)
            }
            _ => None,
        }
    }

    fn of_object(members: &Map<String, Value>) -> Option<Self> {
        let mut numbers = Vec::new();
        for (name, schema) in members
            .get("properties")
            .and_then(Value::as_object)
            .into_iter()
            .flatten()
        {
            let Some(Self::Number(rule)) = Self::of(schema) else {
                return None;
            };
            numbers.push((name.clone(), rule));
        }
        let names = members
            .get("required")
            .and_then(Value::as_array)
            .into_iter()
            .flatten();
        let required = names
            .map(|name| name.as_str().map(str::to_owned))
            .collect::<Option<_>>()?;
        let is_open = members
            .get("additionalProperties")
            .map_or(Some(true), Value::as_bool)?;
        Some(Self::Object {
            numbers,
            required,
            is_open,
        })
    }

    /// Returns whether a value is known to match. The validator decides and describes all other
    /// cases.
    pub(super) fn admits(&self, value: &Json) -> bool {
        match (self, value) {
            (Self::Number(rule), value) => rule.admits(value),
            (
                Self::Object {
                    numbers,
                    required,
                    is_open,
                },
                Json::Object(members),
            ) => {
                let mut fitting = 0;
                for (name, rule) in numbers {
                    match members.get(name) {
                        Some(member) if rule.admits(member) => fitting += 1,
                        Some(_) => return false,
                        None => {}
                    }
                }
                (*is_open || fitting == members.len())
                    && required.iter().all(|name| members.contains_key(name))
            }
            _ => false,
        }
    }

    /// Returns whether all objects with one column per key match, or without keys all numbers of
    /// the only column.
    pub(super) fn admits_numbers(&self, keys: Option<&[Arc<str>]>, columns: &[Vec<f64>]) -> bool {
        match (self, keys) {
            (Self::Number(rule), None) => columns
                .iter()
                .flatten()
                .all(|number| rule.admits_double(*number)),
            (
                Self::Object {
                    numbers,
                    required,
                    is_open,
                },
                Some(keys),
            ) => {
                let has = |name: &String| keys.iter().any(|key| **key == **name);
                let fits = |(key, column): (&Arc<str>, &Vec<f64>)| match numbers
                    .iter()
                    .find(|(name, _)| **name == **key)
                {
                    Some((_, rule)) => column.iter().all(|number| rule.admits_double(*number)),
                    None => *is_open,
                };
                required.iter().all(has) && keys.iter().zip(columns).all(fits)
            }
            _ => false,
        }
    }
}

impl NumberRule {
    fn of(members: &Map<String, Value>) -> Option<Self> {
        let bound = |keyword| match members.get(keyword) {
            None => Some(None),
            Some(bound) => bound
                .as_f64()
                .filter(|bound| bound.abs() < MAX_EXACT)
                .map(Some),
        };
        Some(Self {
            is_whole: members.get("type")? == "integer",
            minimum: bound("minimum")?,
            maximum: bound("maximum")?,
            exclusive_minimum: bound("exclusiveMinimum")?,
            exclusive_maximum: bound("exclusiveMaximum")?,
        })
    }

    fn admits(&self, value: &Json) -> bool {
        let Json::Number(number) = value else {
            return false;
        };
        if number.is_exactly_f64() {
            self.admits_double(number.as_f64())
        } else {
            self.is_unconstrained()
        }
    }

    fn admits_double(&self, number: f64) -> bool {
        let is_whole = number.fract() == 0.0
            && number.abs() < MAX_EXACT
            && !(number == 0.0 && number.is_sign_negative());
        (!self.is_whole || is_whole)
            && self.minimum.is_none_or(|minimum| number >= minimum)
            && self.maximum.is_none_or(|maximum| number <= maximum)
            && self.exclusive_minimum.is_none_or(|bound| number > bound)
            && self.exclusive_maximum.is_none_or(|bound| number < bound)
    }

    const fn is_unconstrained(&self) -> bool {
        let bounds = [
            self.minimum,
            self.maximum,
            self.exclusive_minimum,
            self.exclusive_maximum,
        ];
        !self.is_whole && matches!(bounds, [None, None, None, None])
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::json::Number;
    use crate::metric_type::ValueSchema;

    fn member() -> impl Strategy<Value = Json> {
        let texts = [
            "1",
            "-0.0",
            "0",
            "2.5",
            "7.0",
            "255",
            "256",
            "1e19",
            "1e100",
            "9007199254740993",
            "0.1234567890123456789",
            "null",
            "\"1\"",
            "[]",
            "{}",
            "true",
        ];
        prop::sample::select(texts.to_vec()).prop_map(|text| Json::parse(text).expect("JSON"))
    }

    fn number_schema() -> impl Strategy<Value = Value> {
        let bound = || {
            prop::option::of(prop::sample::select(vec![
                json!(0),
                json!(1),
                json!(2.5),
                json!(255),
                json!(-1),
            ]))
        };
        let bounds = [bound(), bound(), bound(), bound()];
        (prop::sample::select(vec!["number", "integer"]), bounds).prop_map(|(kind, bounds)| {
            let mut schema = json!({"type": kind, "title": "any"});
            for (keyword, bound) in NUMBER_KEYWORDS[1..].iter().zip(bounds) {
                if let Some(bound) = bound {
                    schema[keyword] = bound;
                }
            }
            schema
        })
    }

    fn schema() -> impl Strategy<Value = Value> {
        let required = prop::sample::subsequence(vec!["a", "b", "c"], 0..3);
        let properties = prop::collection::btree_map("[ab]", number_schema(), 0..3);
        let object = (properties, required, prop::option::of(any::<bool>())).prop_map(
            |(properties, required, open)| {
                let mut schema =
                    json!({"type": "object", "properties": properties, "required": required});
                if let Some(open) = open {
                    schema["additionalProperties"] = open.into();
                }
                schema
            },
        );
        prop_oneof![number_schema(), object]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(1_000))]

        #[test]
        fn admitted_values_are_valid(
            value in prop_oneof![member(), prop::collection::btree_map("[abc]", member(), 0..4).prop_map(Json::Object)],
            schema in schema(),
        ) {
            let numeric = NumericSchema::of(&schema).expect("numbers only");
            let parsed = ValueSchema::parse(schema).expect("a schema");
            prop_assert!(!numeric.admits(&value) || parsed.is_valid(&value));
        }

        #[test]
        fn columns_are_admitted_like_their_values(
            keys in prop::sample::subsequence(vec!["a", "b", "c"], 1..4),
            rows in prop::collection::vec(prop::array::uniform3(
                prop_oneof![-2.0..3.0_f64, (-1..300_i32).prop_map(f64::from)]), 1..4),
            schema in schema(),
        ) {
            let numeric = NumericSchema::of(&schema).expect("numbers only");
            let number = |v: f64| Json::Number(Number::from_f64(v).expect("small"));
            let column = |index: usize| rows.iter().map(|row| row[index]).collect::<Vec<f64>>();
            let shared: Vec<Arc<str>> = keys.iter().map(|key| Arc::from(*key)).collect();
            let columns: Vec<Vec<f64>> = (0..keys.len()).map(column).collect();
            let object = |row: &[f64; 3]| {
                Json::Object(keys.iter().map(|key| (*key).to_owned()).zip(row.iter().map(|v| number(*v))).collect())
            };
            let each = rows.iter().all(|row| numeric.admits(&object(row)));
            prop_assert_eq!(numeric.admits_numbers(Some(&shared), &columns), each);
            let each = rows.iter().all(|row| numeric.admits(&number(row[0])));
            prop_assert_eq!(numeric.admits_numbers(None, &[column(0)]), each);
        }
    }

    #[test]
    fn common_schemas_are_decided() {
        let color = json!({"type": "integer", "minimum": 0, "maximum": 255});
        let schema = json!({"type": "object", "properties": {"r": color}, "required": ["r"], "additionalProperties": false});
        let admits = |text| {
            NumericSchema::of(&schema)
                .expect("numbers only")
                .admits(&Json::parse(text).expect("JSON"))
        };
        assert!(admits(r#"{"r": 0}"#) && admits(r#"{"r": 255.0}"#));
        for rejected in [
            r#"{"r": 256}"#,
            r#"{"r": 0.5}"#,
            r#"{"r": 1, "s": 1}"#,
            "{}",
            "1",
        ] {
            assert!(!admits(rejected), "{rejected}");
        }
    }

    #[test]
    fn schemas_with_other_constraints_have_no_fast_path() {
        let number = json!({"type": "number"});
        for schema in [
            json!(true),
            json!({}),
            json!({"type": ["number", "null"]}),
            json!({"type": "number", "multipleOf": 0.1}),
            json!({"type": "number", "minimum": 1e300}),
            json!({"type": "object", "properties": {"a": number}, "additionalProperties": number}),
            json!({"type": "object", "properties": {"a": {"type": "string"}}}),
            json!({"type": "object", "properties": {"a": number}, "allOf": []}),
        ] {
            assert!(NumericSchema::of(&schema).is_none(), "{schema}");
        }
    }
}
