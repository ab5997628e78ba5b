//! JSON pointers (RFC 6901) to object members.

use std::fmt;
use std::str::FromStr;

/// A path of object keys from the root of a value; the root itself is the empty path.
///
/// ```
/// use time_series_domain::Pointer;
///
/// let pointer: Pointer = "/pos/x~1y".parse()?;
/// assert_eq!(pointer.tokens(), ["pos", "x/y"]);
/// assert_eq!(pointer.dotted(), "pos.x/y");
/// # Ok::<(), time_series_domain::json::PointerError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Pointer(Vec<String>);

/// The text is not a JSON pointer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("is not a JSON pointer; use an empty text or one that starts with a slash, such as /pos/x")]
pub struct PointerError;

impl Pointer {
    /// Returns the pointer to the value itself.
    #[must_use]
    pub const fn root() -> Self {
        Self(Vec::new())
    }

    /// Returns the pointer of unescaped keys.
    #[must_use]
    pub const fn from_tokens(tokens: Vec<String>) -> Self {
        Self(tokens)
    }

    /// Parses RFC 6901 text: empty, or starting with a slash; `None` for any other text.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if text.is_empty() {
            return Some(Self::root());
        }
        let path = text.strip_prefix('/')?;
        Some(Self(path.split('/').map(unescape).collect()))
    }

    /// Returns the unescaped keys.
    #[must_use]
    pub fn tokens(&self) -> &[String] {
        &self.0
    }

    /// Returns whether the pointer is the root.
    #[must_use]
    pub const fn is_root(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the pointer with one more key.
    #[must_use]
    pub fn child(&self, key: &str) -> Self {
        let mut tokens = self.0.clone();
        tokens.push(key.to_owned());
        Self(tokens)
    }

    /// Returns the keys joined by dots, for display; `value` for the root.
    #[must_use]
    pub fn dotted(&self) -> String {
        if self.is_root() {
            "value".to_owned()
        } else {
            self.0.join(".")
        }
    }
}

fn unescape(token: &str) -> String {
    token.replace("~1", "/").replace("~0", "~")
}

impl fmt::Display for Pointer {
    /// The RFC 6901 text.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for token in &self.0 {
            write!(f, "/{}", token.replace('~', "~0").replace('/', "~1"))?;
        }
        Ok(())
    }
}

impl FromStr for Pointer {
    type Err = PointerError;

    fn from_str(text: &str) -> Result<Self, PointerError> {
        Self::parse(text).ok_or(PointerError)
    }
}
