//! The service's secret and the keys that are derived from it.

use secrecy::{ExposeSecret, SecretBox};

/// Context of the root itself, so that key material used elsewhere gives other keys here.
const ROOT: &str = "time-series-backend 2026-11-27 root secret";

/// The secret that all keys of a service are derived from. It has no `Display`, and `Debug` hides it.
#[derive(Debug)]
pub struct RootSecret(SecretBox<[u8; 32]>);

/// A key of message authentication codes (keyed BLAKE3, 256 bits). `Debug` hides it.
#[derive(Debug)]
pub struct MacKey(SecretBox<[u8; 32]>);

impl RootSecret {
    /// Derives the root from key material of any length; at least 32 random bytes are needed to be safe.
    #[must_use]
    pub fn new(material: &[u8]) -> Self {
        Self(derive(ROOT, material))
    }

    /// Derives the key of one purpose. Contexts are constants of the program, each used for one purpose.
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
    /// Computes the code of a message in parts. Comparing two `blake3::Hash` takes constant time.
    #[must_use]
    pub fn tag(&self, parts: &[&[u8]]) -> blake3::Hash {
        let mut hasher = self.hasher();
        for part in parts {
            hasher.part(part.len()).update(part);
        }
        hasher.finish()
    }

    /// Starts the code of a message that is fed step by step.
    #[must_use]
    pub fn hasher(&self) -> MacHasher {
        MacHasher(blake3::Hasher::new_keyed(self.0.expose_secret()))
    }
}

/// Computes a message authentication code step by step. Parts are length-prefixed: no two messages
/// share an encoding.
pub struct MacHasher(blake3::Hasher);

impl MacHasher {
    /// Begins a part of that many bytes.
    pub fn part(&mut self, bytes: usize) -> &mut Self {
        self.update(&(bytes as u64).to_le_bytes())
    }

    /// Feeds bytes of the part.
    pub fn update(&mut self, bytes: &[u8]) -> &mut Self {
        self.0.update(bytes);
        self
    }

    /// Returns the code of all that was fed.
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
    fn debug_output_hides_keys() {
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
    fn parts_cannot_be_shifted() {
        let key = RootSecret::new(&[7; 32]).mac_key("test");
        assert_ne!(key.tag(&[b"ab", b"c"]), key.tag(&[b"a", b"bc"]));
        assert_ne!(key.tag(&[b"abc"]), key.tag(&[b"abc", b""]));
    }

    #[test]
    fn another_root_gives_other_keys() {
        let tag = |material: &[u8]| RootSecret::new(material).mac_key("test").tag(&[b"x"]);
        assert_ne!(tag(&[1; 32]), tag(&[2; 32]));
    }
}
