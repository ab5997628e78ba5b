//! Query parameters, each declared once: name, values, documentation and example.
//!
//! A declaration is a `static` beside the code that uses it. An endpoint lists its declarations in
//! [`FromQuery::PARAMETERS`](super::FromQuery::PARAMETERS), from which the OpenAPI document and the
//! list of known names are made, and reads each of them with its `read`. To add a parameter,
//! declare it, list it and read it.

use std::fmt::Display;
use std::str::FromStr;

use apistos::Schema;
use schemars::schema::{ArrayValidation, InstanceType, NumberValidation, SchemaObject};
use serde_json::Value;
use uuid::Uuid;

use super::QueryParams;

/// A declared parameter.
pub(crate) trait Parameter: Sync {
    /// The parts that all parameters have.
    fn common(&self) -> &Common;

    /// The JSON Schema of its values.
    fn schema(&self) -> SchemaObject;
}

/// The parts that all parameters have.
pub(crate) struct Common {
    pub(crate) name: &'static str,
    pub(super) doc: &'static str,
    pub(super) is_required: bool,
    /// JSON, or else a text.
    pub(super) example: Option<&'static str>,
}

/// One of some words, each with its meaning.
pub(crate) struct Choice<T: 'static> {
    common: Common,
    words: &'static [(&'static str, T)],
}

/// A text that `parse` reads.
pub(crate) struct Text<T> {
    common: Common,
    parse: fn(&str) -> Result<T, String>,
}

/// A text that the handler reads, or several, comma-separated and repeatable.
pub(crate) struct Texts {
    common: Common,
    is_list: bool,
}

/// A number of a range.
pub(crate) struct Number<T: 'static> {
    common: Common,
    min: T,
    max: T,
}

/// `true` or `false`; false by default.
pub(crate) struct Flag {
    common: Common,
}

/// A UUID, or several, comma-separated and repeatable.
pub(crate) struct Id {
    common: Common,
    is_list: bool,
}

impl Common {
    const fn new(name: &'static str, doc: &'static str) -> Self {
        Self {
            name,
            doc,
            is_required: false,
            example: None,
        }
    }
}

/// Adds the builder methods that all kinds of parameters have.
macro_rules! builders {
    ($($kind:ident $(<$param:ident>)?),*) => {$(
        impl $(<$param>)? $kind $(<$param>)? {
            /// Sets the example: JSON, or else a text.
            pub(crate) const fn example(mut self, example: &'static str) -> Self {
                self.common.example = Some(example);
                self
            }
        }
    )*};
}

builders!(Choice<T>, Text<T>, Texts, Number<T>, Id, Flag);

impl<T: Copy + Sync> Choice<T> {
    pub(crate) const fn new(
        name: &'static str,
        words: &'static [(&'static str, T)],
        doc: &'static str,
    ) -> Self {
        Self {
            common: Common::new(name, doc),
            words,
        }
    }

    pub(crate) fn read(&self, params: &mut QueryParams) -> Option<T> {
        params.word(self.common.name, self.words)
    }
}

impl<T> Text<T> {
    pub(crate) const fn new(
        name: &'static str,
        parse: fn(&str) -> Result<T, String>,
        doc: &'static str,
    ) -> Self {
        Self {
            common: Common::new(name, doc),
            parse,
        }
    }

    pub(crate) fn read(&self, params: &mut QueryParams) -> Option<T> {
        params.read(self.common.name, self.parse)
    }

    /// Returns the text as it was sent.
    pub(crate) fn sent(&self, params: &QueryParams) -> Option<String> {
        params
            .all(self.common.name)
            .first()
            .map(|text| (*text).to_owned())
    }
}

impl Texts {
    pub(crate) const fn one(name: &'static str, doc: &'static str) -> Self {
        Self {
            common: Common::new(name, doc),
            is_list: false,
        }
    }

    pub(crate) const fn many(name: &'static str, doc: &'static str) -> Self {
        Self {
            common: Common::new(name, doc),
            is_list: true,
        }
    }

    /// Returns the text of a parameter that may be sent once.
    pub(crate) fn read(&self, params: &mut QueryParams) -> Option<String> {
        params.one(self.common.name)
    }

    /// Returns all texts of a repeatable parameter.
    pub(crate) fn read_all(&self, params: &QueryParams) -> Vec<String> {
        let texts = params.all(self.common.name).into_iter();
        texts.map(str::to_owned).collect()
    }

    pub(crate) const fn name(&self) -> &'static str {
        self.common.name
    }
}

impl<T: FromStr + PartialOrd + Display + Copy> Number<T> {
    pub(crate) const fn new(name: &'static str, min: T, max: T, doc: &'static str) -> Self {
        Self {
            common: Common::new(name, doc),
            min,
            max,
        }
    }

    pub(crate) fn read(&self, params: &mut QueryParams) -> Option<T> {
        params.number(self.common.name, &self.min, &self.max)
    }

    pub(crate) fn is_sent(&self, params: &QueryParams) -> bool {
        !params.all(self.common.name).is_empty()
    }
}

impl Flag {
    pub(crate) const fn new(name: &'static str, doc: &'static str) -> Self {
        Self {
            common: Common::new(name, doc),
        }
    }

    pub(crate) fn read(&self, params: &mut QueryParams) -> bool {
        params.flag(self.common.name)
    }
}

impl Id {
    pub(crate) const fn optional(name: &'static str, doc: &'static str) -> Self {
        Self {
            common: Common::new(name, doc),
            is_list: false,
        }
    }

    pub(crate) const fn required(name: &'static str, doc: &'static str) -> Self {
        let mut id = Self::optional(name, doc);
        id.common.is_required = true;
        id
    }

    pub(crate) const fn required_list(name: &'static str, doc: &'static str) -> Self {
        let mut id = Self::required(name, doc);
        id.is_list = true;
        id
    }

    pub(crate) fn read(&self, params: &mut QueryParams) -> Option<Uuid> {
        params.uuid(self.common.name)
    }

    /// Returns the id of a required parameter. Without one, records an error and returns the nil
    /// UUID.
    pub(crate) fn read_required(&self, params: &mut QueryParams) -> Uuid {
        params.required_uuid(self.common.name)
    }

    /// Returns the ids of a required list, in ascending order, each once.
    pub(crate) fn read_list(&self, params: &mut QueryParams) -> Vec<Uuid> {
        params.required_uuids(self.common.name)
    }
}

impl<T: Sync> Parameter for Choice<T> {
    fn common(&self) -> &Common {
        &self.common
    }

    fn schema(&self) -> SchemaObject {
        let words = self.words.iter().map(|(word, _)| Value::from(*word));
        SchemaObject {
            enum_values: Some(words.collect()),
            ..text()
        }
    }
}

impl<T> Parameter for Text<T> {
    fn common(&self) -> &Common {
        &self.common
    }

    fn schema(&self) -> SchemaObject {
        text()
    }
}

impl Parameter for Texts {
    fn common(&self) -> &Common {
        &self.common
    }

    fn schema(&self) -> SchemaObject {
        if self.is_list { list(text()) } else { text() }
    }
}

impl<T: Copy + Display + Sync> Parameter for Number<T> {
    fn common(&self) -> &Common {
        &self.common
    }

    fn schema(&self) -> SchemaObject {
        let bound = |value: T| value.to_string().parse::<f64>().ok();
        SchemaObject {
            number: Some(Box::new(NumberValidation {
                minimum: bound(self.min),
                maximum: bound(self.max).filter(|max| *max < MAX_EXACT),
                ..NumberValidation::default()
            })),
            ..of_type(InstanceType::Integer)
        }
    }
}

impl Parameter for Flag {
    fn common(&self) -> &Common {
        &self.common
    }

    fn schema(&self) -> SchemaObject {
        of_type(InstanceType::Boolean)
    }
}

impl Parameter for Id {
    fn common(&self) -> &Common {
        &self.common
    }

    fn schema(&self) -> SchemaObject {
        let id = SchemaObject {
            format: Some("uuid".to_owned()),
            ..text()
        };
        if self.is_list { list(id) } else { id }
    }
}

/// Integers below this bound are exact in JSON numbers.
const MAX_EXACT: f64 = 9_007_199_254_740_992.0;

fn of_type(instance_type: InstanceType) -> SchemaObject {
    SchemaObject {
        instance_type: Some(instance_type.into()),
        ..SchemaObject::default()
    }
}

fn text() -> SchemaObject {
    of_type(InstanceType::String)
}

fn list(items: SchemaObject) -> SchemaObject {
    SchemaObject {
        array: Some(Box::new(ArrayValidation {
            items: Some(Schema::Object(items).into()),
            ..ArrayValidation::default()
        })),
        ..of_type(InstanceType::Array)
    }
}
