//! A JSON array that is read no further than anybody needs it.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserialize, Deserializer, IgnoredAny, SeqAccess, Visitor};

/// The elements of an array, as many as a session may have points and one more; the rest is skipped.
pub(super) struct BoundedSeq<T>(pub(super) Vec<T>);

/// The most points of one session's body.
pub(super) const MAX_POINTS: usize = 1_000_000;

impl<T> BoundedSeq<T> {
    /// Whether there were more than a session may have.
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
