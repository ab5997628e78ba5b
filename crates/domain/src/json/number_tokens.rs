//! Scans the number tokens of a JSON text.

/// An iterator over the number tokens of a syntactically valid JSON text.
pub(super) struct NumberTokens<'t> {
    text: &'t str,
    /// The byte offset of the next character.
    offset: usize,
}

impl<'t> NumberTokens<'t> {
    pub(super) const fn new(text: &'t str) -> Self {
        Self { text, offset: 0 }
    }
}

impl<'t> Iterator for NumberTokens<'t> {
    type Item = &'t str;

    fn next(&mut self) -> Option<&'t str> {
        let bytes = self.text.as_bytes();
        loop {
            match bytes.get(self.offset)? {
                b'"' => self.skip_string(),
                b'-' | b'0'..=b'9' => break,
                _ => self.offset += 1,
            }
        }
        let start = self.offset;
        let is_part = |b: &u8| matches!(b, b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E');
        self.offset += bytes[start..].iter().take_while(|b| is_part(b)).count();
        Some(&self.text[start..self.offset])
    }
}

impl NumberTokens<'_> {
    fn skip_string(&mut self) {
        let bytes = self.text.as_bytes();
        self.offset += 1;
        while let Some(byte) = bytes.get(self.offset) {
            self.offset += if *byte == b'\\' { 2 } else { 1 };
            if *byte == b'"' {
                return;
            }
        }
    }
}
