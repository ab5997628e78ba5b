//! Targets of references inside a schema document.

use std::borrow::Cow;

use serde_json::Value;

use crate::metric_type::draft::{draft_of, ignores_siblings_of_ref};

/// A subschema, and the schema resource that its references are relative to.
#[derive(Clone, Copy)]
pub(super) struct SchemaLocation<'a> {
    pub(super) schema: &'a Value,
    pub(super) resource: &'a Value,
}

/// The identifiers and anchors of a document.
pub(super) struct References<'a> {
    document: &'a Value,
    /// Schema resources: subschemas with `$id`.
    resources: Vec<(&'a str, &'a Value)>,
    /// Subschemas with an anchor. A dynamic anchor may occur several times.
    anchors: Vec<(&'a str, SchemaLocation<'a>)>,
    /// Resources with `$recursiveAnchor`.
    recursive: Vec<&'a Value>,
    ignores_siblings_of_ref: bool,
}

impl<'a> References<'a> {
    /// Collects the identifiers and anchors of a document.
    pub(super) fn of(document: &'a Value) -> Self {
        let mut references = Self {
            document,
            resources: Vec::new(),
            anchors: Vec::new(),
            recursive: Vec::new(),
            ignores_siblings_of_ref: draft_of(document).is_some_and(ignores_siblings_of_ref),
        };
        references.collect(references.root());
        references
    }

    /// Returns the location of the document.
    pub(super) const fn root(&self) -> SchemaLocation<'a> {
        SchemaLocation {
            schema: self.document,
            resource: self.document,
        }
    }

    /// Returns whether the draft of the document ignores keywords beside `$ref`.
    pub(super) const fn ignores_siblings_of_ref(&self) -> bool {
        self.ignores_siblings_of_ref
    }

    /// Returns the location for subschemas: a subschema with `$id` is its own resource.
    pub(super) fn enter(location: SchemaLocation<'a>) -> SchemaLocation<'a> {
        if resource_id(location.schema).is_some() {
            SchemaLocation {
                resource: location.schema,
                ..location
            }
        } else {
            location
        }
    }

    fn collect(&mut self, location: SchemaLocation<'a>) {
        let location = Self::enter(location);
        if let Some(id) = resource_id(location.schema) {
            self.resources.push((id, location.schema));
        }
        match location.schema {
            Value::Array(items) => items
                .iter()
                .for_each(|schema| self.collect(SchemaLocation { schema, ..location })),
            Value::Object(members) => {
                let text = |keyword| members.get(keyword).and_then(Value::as_str);
                for anchor in ["$anchor", "$dynamicAnchor"].into_iter().filter_map(text) {
                    self.anchors.push((anchor, location));
                }
                for anchor in ["$id", "id"]
                    .into_iter()
                    .filter_map(text)
                    .filter_map(|id| id.strip_prefix('#'))
                {
                    self.anchors.push((anchor, location));
                }
                if members.get("$recursiveAnchor") == Some(&Value::Bool(true)) {
                    self.recursive.push(location.resource);
                }
                members
                    .values()
                    .for_each(|schema| self.collect(SchemaLocation { schema, ..location }));
            }
            _ => {}
        }
    }

    /// Returns all subschemas that a reference may refer to; none for a target outside the
    /// document.
    pub(super) fn targets(
        &self,
        from: SchemaLocation<'a>,
        keyword: &str,
        reference: &str,
    ) -> Vec<SchemaLocation<'a>> {
        let (uri, fragment) = reference.split_once('#').unwrap_or((reference, ""));
        let fragment = decode(fragment);
        if keyword == "$recursiveRef" {
            let recursive = self.recursive.iter().copied();
            return recursive
                .chain([from.resource, self.document])
                .map(|schema| SchemaLocation {
                    schema,
                    resource: schema,
                })
                .collect();
        }
        let resources: Vec<&Value> = if uri.is_empty() {
            if std::ptr::eq(from.resource, self.document) {
                vec![self.document]
            } else {
                vec![from.resource, self.document]
            }
        } else {
            let is_named = |id: &str| {
                let id = id.trim_end_matches('#');
                id == uri || id.ends_with(uri) || uri.ends_with(id)
            };
            self.resources
                .iter()
                .filter(|(id, _)| is_named(id))
                .map(|(_, resource)| *resource)
                .collect()
        };
        if fragment.is_empty() || fragment.starts_with('/') {
            let follow = |resource| {
                Self::follow(
                    SchemaLocation {
                        schema: resource,
                        resource,
                    },
                    &fragment,
                )
            };
            resources.into_iter().filter_map(follow).collect()
        } else {
            self.anchors
                .iter()
                .filter(|(anchor, _)| *anchor == fragment)
                .map(|(_, location)| *location)
                .collect()
        }
    }

    /// Resolves a JSON pointer, which may lead into another resource.
    fn follow(from: SchemaLocation<'a>, pointer: &str) -> Option<SchemaLocation<'a>> {
        let mut location = from;
        for token in pointer.split('/').skip(1) {
            location = Self::enter(location);
            let token = token.replace("~1", "/").replace("~0", "~");
            location.schema = match location.schema {
                Value::Object(members) => members.get(&token)?,
                Value::Array(items) => items.get(token.parse::<usize>().ok()?)?,
                _ => return None,
            };
        }
        Some(location)
    }
}

/// Returns the identifier of a schema resource.
fn resource_id(schema: &Value) -> Option<&str> {
    let members = schema.as_object()?;
    let id = members.get("$id").or_else(|| members.get("id"))?.as_str()?;
    (!id.starts_with('#')).then_some(id)
}

/// Decodes the percent-encoding of a URI fragment.
fn decode(fragment: &str) -> Cow<'_, str> {
    if !fragment.contains('%') {
        return Cow::Borrowed(fragment);
    }
    let mut bytes = Vec::new();
    let mut rest = fragment.as_bytes();
    while let [first, tail @ ..] = rest {
        let escaped = tail
            .get(..2)
            .and_then(|hex| std::str::from_utf8(hex).ok())
            .filter(|_| *first == b'%');
        if let Some(byte) = escaped.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            bytes.push(byte);
            rest = &tail[2..];
        } else {
            bytes.push(*first);
            rest = tail;
        }
    }
    Cow::Owned(String::from_utf8_lossy(&bytes).into_owned())
}
