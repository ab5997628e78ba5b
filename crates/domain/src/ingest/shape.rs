//! The shape of values that consist of numbers only.

use std::sync::Arc;

use crate::json::Pointer;
use crate::json::numbers;

/// Maximum leaves of a shape. Values with more leaves are parsed as JSON.
const MAX_LEAVES: usize = 64;

/// The shape of a value that is a number or an object of numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Shape {
    /// A number.
    Number,
    /// An object of numbers under these keys, in their order of appearance.
    Object(Vec<Arc<str>>),
}

/// Values of one shape, with one column per leaf.
pub(super) struct NumericColumns {
    pub(super) shape: Shape,
    pub(super) columns: Vec<Vec<f64>>,
}

impl Shape {
    /// Returns the shape of objects with these keys; `None` if there are no keys, duplicate keys or
    /// more than [`MAX_LEAVES`].
    pub(super) fn object<'a>(keys: impl IntoIterator<Item = &'a str>) -> Option<Self> {
        let keys: Vec<Arc<str>> = keys
            .into_iter()
            .take(MAX_LEAVES + 1)
            .map(Arc::from)
            .collect();
        let is_duplicate = |index: usize| keys[..index].contains(&keys[index]);
        let is_numeric =
            (1..=MAX_LEAVES).contains(&keys.len()) && !(0..keys.len()).any(is_duplicate);
        is_numeric.then_some(Self::Object(keys))
    }

    /// Returns the shape of a JSON text; `None` if it does not consist of numbers only.
    pub(super) fn of(value: &str) -> Option<Self> {
        if numbers::number(value).is_some() {
            return Some(Self::Number);
        }
        let mut keys = Vec::new();
        let is_object = numbers::members(value, |key, _| {
            keys.push(key);
            true
        });
        is_object.then(|| Self::object(keys))?
    }

    /// The number of leaves of a value.
    pub(super) const fn leaves(&self) -> usize {
        match self {
            Self::Number => 1,
            Self::Object(keys) => keys.len(),
        }
    }

    /// Returns the keys and indexes of the leaves, in order of the keys.
    pub(super) fn by_key(&self) -> Vec<(Option<&str>, usize)> {
        match self {
            Self::Number => vec![(None, 0)],
            Self::Object(keys) => {
                let mut leaves: Vec<_> = keys
                    .iter()
                    .enumerate()
                    .map(|(index, key)| (Some(&**key), index))
                    .collect();
                leaves.sort_unstable();
                leaves
            }
        }
    }

    /// Returns the index of the leaf at a pointer.
    pub(super) fn leaf_at(&self, pointer: &Pointer) -> Option<usize> {
        match (self, pointer.tokens()) {
            (Self::Number, []) => Some(0),
            (Self::Object(keys), [token]) => keys.iter().position(|key| **key == **token),
            _ => None,
        }
    }
}
