//! Reads columns that are sent as one array per leaf: `{"r": […], "position": {"lat": […]},
//! "position.lng": […]}`.

use std::collections::{BTreeMap, HashSet};
use std::fmt;
use std::sync::Arc;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::FieldErrorCode;
use super::bounded_seq::MAX_POINTS;
use super::columns_body::{ErrorSink, too_many};
use super::field_error::EntryError;
use super::raw_values::offset_in;
use crate::json::Pointer;
use crate::json::{MAX_DEPTH, MAX_VALUE_BYTES};
use crate::metric_type::MetricType;
use crate::{Json, JsonError, JsonErrorKind};

pub(super) const NOT_AN_ARRAY: &str = "must be an array of values, or an object of arrays by leaf";

/// A leaf with an array in an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Leaf {
    /// The keys that lead to the array in the entry.
    sent: Vec<String>,
    /// The keys that lead to the leaf in a value.
    path: Vec<String>,
}

/// The leaves of an entry.
pub(super) type Leaves = Arc<[Leaf]>;

/// Returns the pointer below `values` to `inner` of the value at `index`.
pub(super) fn sent_pointer(leaves: &[Leaf], index: usize, inner: &Pointer) -> String {
    let tokens = inner.tokens();
    match leaves.iter().find(|leaf| tokens.starts_with(&leaf.path)) {
        Some(leaf) => {
            let deeper = Pointer::from_tokens(tokens[leaf.path.len()..].to_vec());
            format!(
                "{}/{index}{deeper}",
                Pointer::from_tokens(leaf.sent.clone())
            )
        }
        None => inner.to_string(),
    }
}

/// Resolves dots in keys by the channels of a metric type: `position.lat` is `lat` of `position` if
/// the metric type has an object `position` of numbers. Returns `None` if no key has a dot.
///
/// # Errors
/// The pointer of a leaf that is sent under two keys.
pub(super) fn resolve(
    leaves: &[Leaf],
    metric_type: &MetricType,
) -> Result<Option<Leaves>, Pointer> {
    if !leaves
        .iter()
        .any(|leaf| leaf.sent.iter().any(|key| key.contains('.')))
    {
        return Ok(None);
    }
    let channels = || {
        metric_type
            .channels
            .iter()
            .map(|channel| channel.pointer.tokens())
    };
    let exact: HashSet<&[String]> = channels().collect();
    let objects: HashSet<&str> = channels()
        .filter_map(|tokens| tokens.split_last()?.1.first())
        .map(|s| &**s)
        .collect();
    let path = |leaf: &Leaf| {
        let path: Vec<String> = leaf
            .sent
            .iter()
            .flat_map(|key| key.split('.'))
            .map(str::to_owned)
            .collect();
        let is_nested = !exact.contains(leaf.sent.as_slice()) && objects.contains(&*path[0]);
        if is_nested && path.len() <= MAX_DEPTH && !path.iter().any(String::is_empty) {
            path
        } else {
            leaf.path.clone()
        }
    };
    let resolved: Leaves = leaves
        .iter()
        .map(|leaf| Leaf {
            sent: leaf.sent.clone(),
            path: path(leaf),
        })
        .collect::<Vec<_>>()
        .into();
    let mut in_order: Vec<&Leaf> = resolved.iter().collect();
    in_order.sort_by(|a, b| a.path.cmp(&b.path));
    match in_order
        .windows(2)
        .find(|pair| pair[1].path.starts_with(&pair[0].path))
    {
        Some(pair) => Err(Pointer::from_tokens(pair[1].sent.clone())),
        None => Ok(Some(resolved)),
    }
}

/// Parses the value at `index`: the element of each leaf, at its offset in the body.
///
/// # Errors
/// One error per element that cannot be stored.
pub(super) fn value(
    body: &str,
    leaves: &[Leaf],
    columns: &[Vec<u32>],
    index: usize,
) -> Result<Json, Vec<JsonError>> {
    let mut members = BTreeMap::new();
    let mut errors = Vec::new();
    let mut bytes_left = MAX_VALUE_BYTES;
    for (Leaf { path, .. }, column) in leaves.iter().zip(columns) {
        match Json::parse_leading(&body[column[index] as usize..], &mut bytes_left) {
            Ok(element) if path.len() + element.levels() > MAX_DEPTH + 1 => {
                errors.push(JsonError {
                    pointer: Pointer::from_tokens(path.clone()),
                    kind: JsonErrorKind::TooDeep,
                });
            }
            Ok(element) => insert(&mut members, path, element),
            Err(JsonError { pointer, kind }) => {
                let path = path.iter().chain(pointer.tokens()).cloned().collect();
                errors.push(JsonError {
                    pointer: Pointer::from_tokens(path),
                    kind,
                });
            }
        }
    }
    if errors.is_empty() {
        Ok(Json::Object(members))
    } else {
        Err(errors)
    }
}

/// Inserts a leaf into a value. No leaf may lie inside another one.
pub(super) fn insert(value: &mut BTreeMap<String, Json>, keys: &[String], leaf: Json) {
    let Some((key, deeper)) = keys.split_first() else {
        return;
    };
    if deeper.is_empty() {
        value.insert(key.clone(), leaf);
        return;
    }
    let inner = value
        .entry(key.clone())
        .or_insert_with(|| Json::Object(BTreeMap::new()));
    if let Json::Object(members) = inner {
        insert(members, deeper, leaf);
    }
}

/// Finds the leaves of an entry and the offsets of the elements of each leaf, in one pass. All
/// arrays must have the same length.
pub(super) fn find_leaves(
    body: &str,
    raw: &RawValue,
    errors: &mut ErrorSink<'_>,
) -> Option<(Leaves, Vec<Vec<u32>>)> {
    let mut finder = LeafFinder {
        body,
        path: Vec::new(),
        leaves: Vec::new(),
        columns: Vec::new(),
        errors,
        is_valid: true,
    };
    if (&mut finder)
        .deserialize(&mut serde_json::Deserializer::from_str(raw.get()))
        .is_err()
    {
        (finder.errors)(EntryError::new(
            "/values",
            FieldErrorCode::InvalidString,
            "has a key that is not a valid string, or a number that is too large",
        ));
        return None;
    }
    finder
        .is_valid
        .then(|| (finder.leaves.into(), finder.columns))
}

/// Collects the offset of each element of an array in the body, up to one more than [`MAX_POINTS`].
pub(super) struct Elements<'b, 'o> {
    pub(super) body: &'b str,
    pub(super) offsets: &'o mut Vec<u32>,
}

impl<'de> DeserializeSeed<'de> for Elements<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Elements<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<(), A::Error> {
        while let Some(element) = elements.next_element::<&'de RawValue>()? {
            if self.offsets.len() <= MAX_POINTS {
                let offset = offset_in(self.body, element)
                    .ok_or_else(|| A::Error::custom("an offset above 4 GiB"))?;
                self.offsets.push(offset);
            }
        }
        Ok(())
    }
}

/// Finds the arrays in an object of arrays and objects.
struct LeafFinder<'b, 'f, 'x> {
    body: &'b str,
    path: Vec<String>,
    leaves: Vec<Leaf>,
    columns: Vec<Vec<u32>>,
    errors: &'f mut ErrorSink<'x>,
    is_valid: bool,
}

impl LeafFinder<'_, '_, '_> {
    /// Adds an error of the array or object at the current path.
    fn error(&mut self, code: FieldErrorCode, message: impl Into<String>) {
        let pointer = format!("/values{}", Pointer::from_tokens(self.path.clone()));
        (self.errors)(EntryError::new(pointer, code, message));
        self.is_valid = false;
    }

    fn not_an_array(&mut self) {
        self.error(FieldErrorCode::InvalidType, NOT_AN_ARRAY);
    }
}

impl<'de> DeserializeSeed<'de> for &mut LeafFinder<'_, '_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for &mut LeafFinder<'_, '_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array or an object")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, elements: A) -> Result<(), A::Error> {
        let mut offsets = Vec::new();
        Elements {
            body: self.body,
            offsets: &mut offsets,
        }
        .visit_seq(elements)?;
        if offsets.len() > MAX_POINTS {
            self.error(FieldErrorCode::TooManyPoints, too_many());
            return Ok(());
        }
        if let Some(first) = self
            .columns
            .first()
            .map(Vec::len)
            .filter(|first| *first != offsets.len())
        {
            let message = format!(
                "has {} values, but another leaf has {first}; send null for missing values",
                offsets.len()
            );
            self.error(FieldErrorCode::InvalidType, message);
            return Ok(());
        }
        self.leaves.push(Leaf {
            sent: self.path.clone(),
            path: self.path.clone(),
        });
        self.columns.push(offsets);
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        if self.path.len() == MAX_DEPTH {
            self.error(
                FieldErrorCode::TooDeep,
                format!("is nested deeper than {MAX_DEPTH} levels"),
            );
            while members
                .next_entry::<serde::de::IgnoredAny, serde::de::IgnoredAny>()?
                .is_some()
            {}
            return Ok(());
        }
        let mut seen = HashSet::new();
        while let Some(key) = members.next_key::<String>()? {
            let is_first = seen.insert(key.clone());
            let has_nul = key.contains('\0');
            self.path.push(key);
            if has_nul {
                self.error(
                    FieldErrorCode::NulCharacter,
                    "has the NUL character in a key, which cannot be stored",
                );
                members.next_value::<serde::de::IgnoredAny>()?;
            } else if is_first {
                members.next_value_seed(&mut *self)?;
            } else {
                self.error(FieldErrorCode::DuplicateKey, "occurs twice; send it once");
                members.next_value::<serde::de::IgnoredAny>()?;
            }
            self.path.pop();
        }
        if seen.is_empty() && !self.path.is_empty() {
            self.error(
                FieldErrorCode::InvalidType,
                "is an empty object; leave it out, or send an array for each leaf",
            );
        }
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        self.not_an_array();
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        self.not_an_array();
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        self.not_an_array();
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        self.not_an_array();
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        self.not_an_array();
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        self.not_an_array();
        Ok(())
    }
}

#[cfg(test)]
mod tests;
