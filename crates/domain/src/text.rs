//! Bounded excerpts of client text, for messages that repeat it.

use std::borrow::Cow;
use std::fmt::{self, Display, Write};

/// Marks the end of a cut text.
const ELLIPSIS: char = '…';
/// Maximum length of a client's text in a message, in bytes as JSON.
pub const ECHO_BYTES: usize = 100;

/// Returns the text if it takes at most `max` bytes inside a JSON string, else its start and an
/// ellipsis.
///
/// The length includes JSON escapes, so that the bound also holds for the document that contains
/// the text.
///
/// ```
/// use time_series_domain::text::excerpt;
///
/// assert_eq!(excerpt("heart_rate", 20), "heart_rate");
/// assert_eq!(excerpt("heart_rate", 8), "heart…");
/// ```
#[must_use]
pub fn excerpt(text: &str, max: usize) -> Cow<'_, str> {
    match cut_offset(text, max) {
        None => Cow::Borrowed(text),
        Some(end) => Cow::Owned(format!("{}{ELLIPSIS}", &text[..end])),
    }
}

/// Returns the excerpt of a client's text for a message: at most [`ECHO_BYTES`] long.
#[must_use]
pub fn echo(text: &str) -> Cow<'_, str> {
    excerpt(text, ECHO_BYTES)
}

/// Shortens an owned text as [`excerpt`] does, and releases the memory of the removed part.
#[must_use]
pub fn shorten(mut text: String, max: usize) -> String {
    if let Some(end) = cut_offset(&text, max) {
        text.truncate(end);
        text.push(ELLIPSIS);
        text.shrink_to_fit();
    }
    text
}

/// Formats a value and stops after `max` bytes, so that a large value is never rendered in full.
#[must_use]
pub fn bounded(value: impl Display, max: usize) -> String {
    let mut out = Bounded {
        text: String::new(),
        left: max,
    };
    let is_whole = write!(out, "{value}").is_ok();
    // An incomplete text exceeds `max` by at least a byte, so that `shorten` adds the ellipsis.
    if is_whole {
        shorten(out.text, max)
    } else {
        shorten(out.text + " ", max)
    }
}

/// Formats a value whose text takes at most `max` bytes; `None`, after at most `6 * max` bytes, if
/// it takes more.
#[must_use]
pub fn whole(value: impl Display, max: usize) -> Option<String> {
    // A JSON escape takes at most six bytes per byte of text.
    let text = bounded(value, 6 * max);
    (text.len() <= max).then_some(text)
}

/// Returns the byte offset at which a text is cut, or `None` if it fits.
fn cut_offset(text: &str, max: usize) -> Option<usize> {
    // A character takes at most six bytes as JSON.
    if text.len() <= max / 6 {
        return None;
    }
    let mut taken = 0;
    let mut end = 0;
    for (offset, c) in text.char_indices() {
        taken += json_len(c);
        if taken > max {
            return Some(end);
        }
        if taken + ELLIPSIS.len_utf8() <= max {
            end = offset + c.len_utf8();
        }
    }
    None
}

/// Returns the length of a character inside a JSON string, in bytes.
const fn json_len(c: char) -> usize {
    match c {
        '"' | '\\' | '\n' | '\r' | '\t' | '\u{8}' | '\u{c}' => 2,
        '\0'..='\u{1f}' => 6,
        _ => c.len_utf8(),
    }
}

/// A text buffer that fails to write once the text exceeds a bound.
struct Bounded {
    text: String,
    left: usize,
}

impl Write for Bounded {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        if let Some(left) = self.left.checked_sub(text.len()) {
            self.left = left;
            self.text.push_str(text);
            return Ok(());
        }
        let end = (self.left + 1..=text.len())
            .find(|end| text.is_char_boundary(*end))
            .unwrap_or(text.len());
        self.text.push_str(&text[..end]);
        self.left = 0;
        Err(fmt::Error)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn json_text_len(text: &str) -> usize {
        serde_json::to_string(text).expect("a string").len() - 2
    }

    proptest! {
        #[test]
        fn an_excerpt_fits_as_json_and_is_a_prefix(text in "(?s).{0,60}", max in 3..200_usize) {
            let excerpt = excerpt(&text, max);
            prop_assert!(json_text_len(&excerpt) <= max);
            let is_whole = json_text_len(&text) <= max;
            prop_assert_eq!(is_whole, *excerpt == *text);
            prop_assert!(is_whole || text.starts_with(excerpt.trim_end_matches(ELLIPSIS)));
        }

        #[test]
        fn all_functions_cut_alike(text in "(?s).{0,60}", max in 3..200_usize) {
            let expected = excerpt(&text, max).into_owned();
            prop_assert_eq!(&shorten(text.clone(), max), &expected);
            prop_assert_eq!(&bounded(&text, max), &expected);
            prop_assert_eq!(whole(&text, max), (text.len() <= max).then_some(text.clone()));
        }
    }

    #[test]
    fn a_large_value_is_not_rendered_in_full() {
        struct Endless;
        impl Display for Endless {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                loop {
                    f.write_str("more ")?;
                }
            }
        }
        assert_eq!(bounded(Endless, 12), "more more…");
    }
}
