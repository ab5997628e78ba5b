//! A JSON array whose elements are kept up to the limit of points and skipped beyond it.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserialize, Deserializer, IgnoredAny, SeqAccess, Visitor};

/// The first elements of an array, at most one more than [`MAX_POINTS`].
pub(super) struct BoundedSeq<T>(pub(super) Vec<T>);

/// Maximum points of one session's body.
pub(super) const MAX_POINTS: usize = 1_000_000;

impl<T> BoundedSeq<T> {
    /// Returns whether the array has more elements than [`MAX_POINTS`].
    pub(super) const fn is_too_long(&self) -> bool {
        self.0.len() > MAX_POINTS
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for BoundedSeq<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Elements<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for Elements<T> {
            type Value = BoundedSeq<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an array")
            }

            fn visit_seq<A: SeqAccess<'de>>(
                self,
                mut elements: A,
            ) -> Result<Self::Value, A::Error> {
                let mut read = BoundedSeq(Vec::new());
                while !read.is_too_long() {
                    match elements.next_element()? {
                        Some(element) => read.0.push(element),
                        None => return Ok(read),
                    }
                }
                while elements.next_element::<IgnoredAny>()?.is_some() {}
                Ok(read)
            }
        }
        deserializer.deserialize_seq(Elements(PhantomData))
    }
}
