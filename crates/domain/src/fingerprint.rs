//! Fingerprints: digests of typed values that differ whenever a field differs.
//!
//! Cache keys, entity tags and cursors are fingerprints. Every encoding is self-delimiting, so that
//! no two values have the same encoding, and independent of `Debug` and `Display`. Implementations
//! for structs destructure all fields, so that a new field does not compile until it is either
//! hashed or explicitly ignored.

use std::fmt;
use std::ops::Range;

use uuid::Uuid;

/// Version of the encoding. Raise it whenever an implementation of [`Fingerprinted`] changes.
const ENCODING: u64 = 1;

/// A 256-bit BLAKE3 digest of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Fingerprint([u8; 32]);

impl Fingerprint {
    /// Returns the bytes of the digest.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Display for Fingerprint {
    /// 64 hexadecimal digits.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// A value that can be part of a fingerprint.
pub trait Fingerprinted {
    /// Feeds every part of the value that a result may depend on.
    fn feed(&self, hasher: &mut FingerprintHasher);
}

/// Builds a [`Fingerprint`] from fields.
///
/// ```
/// use time_series_domain::fingerprint::FingerprintHasher;
///
/// fn fingerprint(a: &str, b: &str) -> time_series_domain::fingerprint::Fingerprint {
///     FingerprintHasher::new("example").field("a", a).field("b", b).finish()
/// }
/// assert_eq!(fingerprint("x", "y"), fingerprint("x", "y"));
/// assert_ne!(fingerprint("xy", ""), fingerprint("x", "y"));
/// ```
#[derive(Clone)]
pub struct FingerprintHasher(blake3::Hasher);

impl FingerprintHasher {
    /// Starts a fingerprint. Fingerprints of different purposes never agree.
    #[must_use]
    pub fn new(purpose: &str) -> Self {
        let mut hasher = Self(blake3::Hasher::new());
        hasher.number(ENCODING);
        hasher.bytes(purpose.as_bytes());
        hasher
    }

    /// Feeds a named field.
    pub fn field<T: Fingerprinted + ?Sized>(&mut self, name: &'static str, value: &T) -> &mut Self {
        self.bytes(name.as_bytes());
        value.feed(self);
        self
    }

    /// Feeds the name of an enum's variant.
    pub fn variant(&mut self, name: &str) -> &mut Self {
        self.bytes(name.as_bytes());
        self
    }

    /// Returns the fingerprint of everything fed so far.
    #[must_use]
    pub fn finish(&self) -> Fingerprint {
        Fingerprint(self.0.finalize().into())
    }

    fn bytes(&mut self, bytes: &[u8]) {
        self.number(bytes.len() as u64);
        self.0.update(bytes);
    }

    fn number(&mut self, number: u64) {
        self.0.update(&number.to_le_bytes());
    }
}

impl Fingerprinted for str {
    fn feed(&self, hasher: &mut FingerprintHasher) {
        hasher.bytes(self.as_bytes());
    }
}

impl Fingerprinted for String {
    fn feed(&self, hasher: &mut FingerprintHasher) {
        self.as_str().feed(hasher);
    }
}

impl Fingerprinted for bool {
    fn feed(&self, hasher: &mut FingerprintHasher) {
        hasher.number(u64::from(*self));
    }
}

impl Fingerprinted for u32 {
    fn feed(&self, hasher: &mut FingerprintHasher) {
        hasher.number(u64::from(*self));
    }
}

impl Fingerprinted for u64 {
    fn feed(&self, hasher: &mut FingerprintHasher) {
        hasher.number(*self);
    }
}

impl Fingerprinted for usize {
    fn feed(&self, hasher: &mut FingerprintHasher) {
        hasher.number(*self as u64);
    }
}

impl Fingerprinted for i32 {
    fn feed(&self, hasher: &mut FingerprintHasher) {
        i64::from(*self).feed(hasher);
    }
}

impl Fingerprinted for i64 {
    fn feed(&self, hasher: &mut FingerprintHasher) {
        hasher.number(self.cast_unsigned());
    }
}

impl Fingerprinted for f64 {
    fn feed(&self, hasher: &mut FingerprintHasher) {
        hasher.number(self.to_bits());
    }
}

impl Fingerprinted for Uuid {
    fn feed(&self, hasher: &mut FingerprintHasher) {
        hasher.bytes(self.as_bytes());
    }
}

impl Fingerprinted for Fingerprint {
    fn feed(&self, hasher: &mut FingerprintHasher) {
        hasher.bytes(&self.0);
    }
}

impl<T: Fingerprinted> Fingerprinted for Option<T> {
    fn feed(&self, hasher: &mut FingerprintHasher) {
        self.is_some().feed(hasher);
        if let Some(value) = self {
            value.feed(hasher);
        }
    }
}

impl<T: Fingerprinted> Fingerprinted for [T] {
    fn feed(&self, hasher: &mut FingerprintHasher) {
        self.len().feed(hasher);
        for item in self {
            item.feed(hasher);
        }
    }
}

impl<T: Fingerprinted> Fingerprinted for Vec<T> {
    fn feed(&self, hasher: &mut FingerprintHasher) {
        self.as_slice().feed(hasher);
    }
}

impl<A: Fingerprinted, B: Fingerprinted> Fingerprinted for (A, B) {
    fn feed(&self, hasher: &mut FingerprintHasher) {
        let (first, second) = self;
        first.feed(hasher);
        second.feed(hasher);
    }
}

impl<T: Fingerprinted> Fingerprinted for Range<T> {
    fn feed(&self, hasher: &mut FingerprintHasher) {
        let Self { start, end } = self;
        start.feed(hasher);
        end.feed(hasher);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of<T: Fingerprinted + ?Sized>(value: &T) -> Fingerprint {
        FingerprintHasher::new("test")
            .field("value", value)
            .finish()
    }

    #[test]
    fn purposes_and_field_names_are_hashed() {
        let one = FingerprintHasher::new("one").field("a", "x").finish();
        assert_ne!(one, FingerprintHasher::new("two").field("a", "x").finish());
        assert_ne!(one, FingerprintHasher::new("one").field("b", "x").finish());
    }

    #[test]
    fn absent_differs_from_every_present_value() {
        assert_ne!(of(&None::<u64>), of(&Some(0_u64)));
        assert_ne!(of(&None::<String>), of(&Some(String::new())));
        assert_ne!(of(&Vec::<Option<u64>>::new()), of(&vec![None::<u64>]));
    }

    #[test]
    fn a_fingerprint_prints_as_hexadecimal_digits() {
        let text = of("x").to_string();
        assert_eq!(text.len(), 64);
        assert!(
            text.bytes()
                .all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b)),
            "{text}"
        );
    }

    proptest! {
        #[test]
        fn lists_of_texts_agree_only_if_they_are_equal(
            one in prop::collection::vec("[ab\\x00]{0,3}", 0..4),
            two in prop::collection::vec("[ab\\x00]{0,3}", 0..4),
        ) {
            prop_assert_eq!(of(&one) == of(&two), one == two);
        }

        #[test]
        fn nested_lists_agree_only_if_they_are_equal(
            one in prop::collection::vec((prop::collection::vec(0..3_u64, 0..3), prop::option::of(0..3_i64)), 0..3),
            two in prop::collection::vec((prop::collection::vec(0..3_u64, 0..3), prop::option::of(0..3_i64)), 0..3),
        ) {
            prop_assert_eq!(of(&one) == of(&two), one == two);
        }
    }
}
