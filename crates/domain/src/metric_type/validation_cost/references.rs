//! The targets of references inside of a schema document.

use std::borrow::Cow;

use serde_json::Value;

use crate::metric_type::schema::is_old_draft;

/// A subschema and the schema resource that its references count from.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    pub(super) schema: &'a Value,
    pub(super) resource: &'a Value,
}

/// The names in a document that references may use.
pub(super) struct References<'a> {
    document: &'a Value,
    /// Subschemas with `$id`, which are resources of their own.
    resources: Vec<(&'a str, &'a Value)>,
    /// Subschemas with an anchor; of a dynamic one there may be several.
    anchors: Vec<(&'a str, Place<'a>)>,
    /// Resources with `$recursiveAnchor`.
    recursive: Vec<&'a Value>,
    is_old: bool,
}

impl<'a> References<'a> {
    pub(super) fn of(document: &'a Value) -> Self {
        let is_old = is_old_draft(document);
        let mut references = Self {
            document,
            resources: Vec::new(),
            anchors: Vec::new(),
            recursive: Vec::new(),
            is_old,
        };
        references.find_names(references.root());
        references
    }

    pub(super) const fn root(&self) -> Place<'a> {
        Place {
            schema: self.document,
            resource: self.document,
        }
    }

    /// Whether the document's draft ignores what stands beside `$ref`.
    pub(super) const fn is_old(&self) -> bool {
        self.is_old
    }

    /// The place as its own subschemas see it.
    pub(super) fn enter(place: Place<'a>) -> Place<'a> {
        if resource_id(place.schema).is_some() {
            Place {
                resource: place.schema,
                ..place
            }
        } else {
            place
        }
    }

    fn find_names(&mut self, place: Place<'a>) {
        let place = Self::enter(place);
        if let Some(id) = resource_id(place.schema) {
            self.resources.push((id, place.schema));
        }
        match place.schema {
            Value::Array(items) => items
                .iter()
                .for_each(|schema| self.find_names(Place { schema, ..place })),
            Value::Object(members) => {
                let text = |keyword| members.get(keyword).and_then(Value::as_str);
                for anchor in ["$anchor", "$dynamicAnchor"].into_iter().filter_map(text) {
                    self.anchors.push((anchor, place));
                }
                for anchor in ["$id", "id"]
                    .into_iter()
                    .filter_map(text)
                    .filter_map(|id| id.strip_prefix('#'))
                {
                    self.anchors.push((anchor, place));
                }
                if members.get("$recursiveAnchor") == Some(&Value::Bool(true)) {
                    self.recursive.push(place.resource);
                }
                members
                    .values()
                    .for_each(|schema| self.find_names(Place { schema, ..place }));
            }
            _ => {}
        }
    }

    /// Every subschema that a reference may stand for; none if it is outside of the document.
    pub(super) fn targets(
        &self,
        from: Place<'a>,
        keyword: &str,
        reference: &str,
    ) -> Vec<Place<'a>> {
        let (uri, fragment) = reference.split_once('#').unwrap_or((reference, ""));
        let fragment = decode(fragment);
        if keyword == "$recursiveRef" {
            let recursive = self.recursive.iter().copied();
            return recursive
                .chain([from.resource, self.document])
                .map(|schema| Place {
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
                    Place {
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
                .map(|(_, place)| *place)
                .collect()
        }
    }

    /// Follows a JSON pointer, which may lead into another resource.
    fn follow(from: Place<'a>, pointer: &str) -> Option<Place<'a>> {
        let mut place = from;
        for token in pointer.split('/').skip(1) {
            place = Self::enter(place);
            let token = token.replace("~1", "/").replace("~0", "~");
            place.schema = match place.schema {
                Value::Object(members) => members.get(&token)?,
                Value::Array(items) => items.get(token.parse::<usize>().ok()?)?,
                _ => return None,
            };
        }
        Some(place)
    }
}

/// The identifier of a schema that is a resource of its own.
fn resource_id(schema: &Value) -> Option<&str> {
    let members = schema.as_object()?;
    let id = members.get("$id").or_else(|| members.get("id"))?.as_str()?;
    (!id.starts_with('#')).then_some(id)
}

/// Decodes the escapes of a URI fragment.
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
