//! The OpenAPI description of declared parameters.

use apistos::Schema;
use apistos::paths::{Examples, Parameter as Described, ParameterDefinition, ParameterIn};
use apistos::reference_or::ReferenceOr;
use schemars::schema::{InstanceType, SchemaObject};
use serde_json::Value;

use super::parameter::Parameter;

/// Describes parameters for the OpenAPI document, in the order of their names.
pub(super) fn describe(parameters: &[&dyn Parameter]) -> Vec<Described> {
    let mut described: Vec<Described> = parameters.iter().map(|p| describe_one(*p)).collect();
    described.sort_by(|a, b| a.name.cmp(&b.name));
    described
}

fn describe_one(parameter: &dyn Parameter) -> Described {
    let common = parameter.common();
    let schema = Schema::Object(parameter.schema());
    Described {
        name: common.name.to_owned(),
        _in: ParameterIn::Query,
        description: Some(common.doc.to_owned()),
        required: Some(common.is_required),
        definition: Some(ParameterDefinition::Schema(Box::new(ReferenceOr::Object(
            schema,
        )))),
        example: common.example.map(|e| Examples::Example(example(e))),
        ..Described::default()
    }
}

/// Returns the schema of a JSON object with these parameters as members.
pub(crate) fn object_schema(parameters: &[&dyn Parameter], doc: &str) -> Schema {
    let mut object = SchemaObject {
        instance_type: Some(InstanceType::Object.into()),
        ..SchemaObject::default()
    };
    object.metadata().description = Some(doc.to_owned());
    for parameter in parameters {
        let common = parameter.common();
        let mut member = parameter.schema();
        member.metadata().description = Some(common.doc.to_owned());
        let members = &mut object.object().properties;
        members.insert(common.name.to_owned(), Schema::Object(member));
        if common.is_required {
            object.object().required.insert(common.name.to_owned());
        }
    }
    Schema::Object(object)
}

fn example(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|_| Value::from(text))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::request::{Choice, Id, Number};

    static COLOR: Choice<u8> =
        Choice::new("color", &[("red", 1), ("blue", 2)], "The color.").example("red");
    static USERS: Id = Id::required_list("user_id", "The users.");
    static LIMIT: Number<u64> = Number::new("limit", 1, u64::MAX, "The limit.").example("5");

    #[test]
    fn parameters_are_described_by_their_declarations() {
        let described = describe(&[&USERS, &COLOR, &LIMIT]);
        let described = serde_json::to_value(described).expect("a description is JSON");
        let expected = json!([
            {
                "name": "color", "in": "query", "description": "The color.", "required": false,
                "schema": {"type": "string", "enum": ["red", "blue"]}, "example": "red"
            },
            {
                "name": "limit", "in": "query", "description": "The limit.", "required": false,
                "schema": {"type": "integer", "minimum": 1.0}, "example": 5
            },
            {
                "name": "user_id", "in": "query", "description": "The users.", "required": true,
                "schema": {"type": "array", "items": {"type": "string", "format": "uuid"}}
            }
        ]);
        assert_eq!(described, expected);
    }

    #[test]
    fn a_body_with_the_same_parameters_requires_the_same_members() {
        let schema = serde_json::to_value(object_schema(&[&USERS, &COLOR], "A body."));
        let schema = schema.expect("a schema is JSON");
        assert_eq!(schema["required"], json!(["user_id"]));
        assert_eq!(
            schema["properties"]["color"]["enum"],
            json!(["red", "blue"])
        );
    }
}
