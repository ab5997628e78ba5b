//! JSON pointers (RFC 6901) to object members.

use std::fmt;

use crate::Json;

/// A path of object keys from the root of a value; the root itself is the empty path.
///
/// ```
/// use time_series_domain::Pointer;
///
/// let pointer = Pointer::parse("/pos/x~1y").expect("starts with a slash");
/// assert_eq!(pointer.tokens(), ["pos", "x/y"]);
/// assert_eq!(pointer.dotted(), "pos.x/y");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Pointer(Vec<String>);

impl Pointer {
    /// The value itself.
    #[must_use]
    pub const fn root() -> Self {
        Self(Vec::new())
    }

    /// From unescaped keys.
    #[must_use]
    pub const fn from_tokens(tokens: Vec<String>) -> Self {
        Self(tokens)
    }

    /// From RFC 6901 text: empty, or starting with a slash.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if text.is_empty() {
            return Some(Self::root());
        }
        let path = text.strip_prefix('/')?;
        let unescape = |token: &str| token.replace("~1", "/").replace("~0", "~");
        Some(Self(path.split('/').map(unescape).collect()))
    }

    /// The keys, unescaped.
    #[must_use]
    pub fn tokens(&self) -> &[String] {
        &self.0
    }

    /// Whether this is the value itself.
    #[must_use]
    pub const fn is_root(&self) -> bool {
        self.0.is_empty()
    }

    /// This pointer with one more key.
    #[must_use]
    pub fn child(&self, key: &str) -> Self {
        let mut tokens = self.0.clone();
        tokens.push(key.to_owned());
        Self(tokens)
    }

    /// For people: `pos.x`; the root is `value`.
    #[must_use]
    pub fn dotted(&self) -> String {
        if self.is_root() {
            "value".to_owned()
        } else {
            self.0.join(".")
        }
    }

    /// What stands here in `value`, following object keys only.
    #[must_use]
    pub fn find<'a>(&self, value: &'a Json) -> Option<&'a Json> {
        self.0.iter().try_fold(value, |at, key| at.get(key))
    }
}

impl fmt::Display for Pointer {
    /// RFC 6901.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for token in &self.0 {
            write!(f, "/{}", token.replace('~', "~0").replace('/', "~1"))?;
        }
        Ok(())
    }
}
