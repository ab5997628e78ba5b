//! The root secret of a service, and the keys derived from it.

use secrecy::{ExposeSecret, SecretBox};

/// Derivation context of the root, which separates its keys from other uses of the key material.
const ROOT: &str = "time-series-backend 2026-11-27 root secret";

/// The secret that all keys of a service are derived from. Has no `Display`; `Debug` redacts it.
#[derive(Debug)]
pub struct RootSecret(SecretBox<[u8; 32]>);

/// A key for message authentication codes (keyed BLAKE3, 256 bits). `Debug` redacts it.
#[derive(Debug)]
pub struct MacKey(SecretBox<[u8; 32]>);

impl RootSecret {
    /// Derives the root from key material of any length. Secure only with at least 32 random bytes.
    #[must_use]
    pub fn new(material: &[u8]) -> Self {
        Self(derive(ROOT, material))
    }

    /// Derives the key for one purpose. Each context is a constant of the program with one purpose.
    ///
    /// ```
    /// use time_series_domain::RootSecret;
    ///
    /// let root = RootSecret::new(b"thirty-two or more random bytes.");
    /// let tag = root.mac_key("example 2026 a").tag(&[b"message"]);
    /// assert_eq!(tag, root.mac_key("example 2026 a").tag(&[b"message"]));
    /// assert_ne!(tag, root.mac_key("example 2026 b").tag(&[b"message"]));
    /// ```
    #[must_use]
    pub fn mac_key(&self, context: &'static str) -> MacKey {
        MacKey(derive(context, self.0.expose_secret()))
    }
}

impl MacKey {
    /// Computes the code of a message of several parts. `blake3::Hash` compares in constant time.
    #[must_use]
    pub fn tag(&self, parts: &[&[u8]]) -> blake3::Hash {
        let mut hasher = self.hasher();
        for part in parts {
            hasher.part(part.len()).update(part);
        }
        hasher.finish()
    }

    /// Starts the code of a message that is fed incrementally.
    #[must_use]
    pub fn hasher(&self) -> MacHasher {
        MacHasher(blake3::Hasher::new_keyed(self.0.expose_secret()))
    }
}

/// An incremental message authentication code. Parts are length-prefixed, so that different
/// messages have different encodings.
pub struct MacHasher(blake3::Hasher);

impl MacHasher {
    /// Starts a part of `bytes` bytes.
    pub fn part(&mut self, bytes: usize) -> &mut Self {
        self.update(&(bytes as u64).to_le_bytes())
    }

    /// Feeds bytes of the current part.
    pub fn update(&mut self, bytes: &[u8]) -> &mut Self {
        self.0.update(bytes);
        self
    }

    /// Returns the code of everything fed so far.
    #[must_use]
    pub fn finish(&self) -> blake3::Hash {
        self.0.finalize()
    }
}

fn derive(context: &str, material: &[u8]) -> SecretBox<[u8; 32]> {
    SecretBox::init_with(|| blake3::derive_key(context, material))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_output_redacts_keys() {
        let root = RootSecret::new(b"thirty-two or more random bytes.");
        let key = root.mac_key("test");
        for (text, secret) in [
            (format!("{root:?}"), root.0.expose_secret()),
            (format!("{key:?}"), key.0.expose_secret()),
        ] {
            assert!(text.contains("REDACTED"), "{text}");
            assert!(
                !text.contains(&format!("{}, {}", secret[0], secret[1])),
                "{text}"
            );
        }
    }

    #[test]
    fn boundaries_of_parts_change_the_code() {
        let key = RootSecret::new(&[7; 32]).mac_key("test");
        assert_ne!(key.tag(&[b"ab", b"c"]), key.tag(&[b"a", b"bc"]));
        assert_ne!(key.tag(&[b"abc"]), key.tag(&[b"abc", b""]));
    }

    #[test]
    fn different_roots_derive_different_keys() {
        let tag = |material: &[u8]| RootSecret::new(material).mac_key("test").tag(&[b"x"]);
        assert_ne!(tag(&[1; 32]), tag(&[2; 32]));
    }
}
