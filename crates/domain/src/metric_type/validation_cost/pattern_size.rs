//! The size of the compiled program of a regular expression.

/// Maximum counted repetition. The regex compiler rejects larger ones by size.
const MAX_REPEAT: u64 = 100_000;

/// Returns an upper bound of the number of instructions of a pattern, with counted repetitions
/// expanded.
///
/// The matcher may execute every instruction for every byte of a text.
pub(super) fn pattern_size(pattern: &str) -> u64 {
    let mut parser = PatternParser {
        rest: pattern,
        groups: vec![PatternGroup::default()],
    };
    while let Some(c) = parser.next() {
        match c {
            '(' => parser.groups.push(PatternGroup::default()),
            ')' => parser.close_group(),
            '[' => parser.class(),
            '\\' => {
                let class = parser.next();
                parser.atom(if class.is_some_and(|c| "pPDSWB".contains(c)) {
                    WIDE_CLASS
                } else {
                    1
                });
            }
            '{' => parser.repetition(),
            '*' | '+' | '?' | '|' => parser.atom(1),
            '.' => parser.atom(WIDE_CLASS),
            // One instruction per byte of a literal.
            c => parser.atom(c.len_utf8() as u64),
        }
    }
    while parser.groups.len() > 1 {
        parser.close_group();
    }
    parser
        .groups
        .pop()
        .map_or(u64::MAX, |whole| whole.size.saturating_add(1))
}

/// Number of instructions of a class with non-ASCII characters, which is a set of byte sequences.
const WIDE_CLASS: u64 = 8;

/// A group of the pattern.
#[derive(Default)]
struct PatternGroup {
    size: u64,
    /// The size of the last atom, which a repetition multiplies.
    last: u64,
}

struct PatternParser<'a> {
    rest: &'a str,
    /// The open groups; the first is the whole pattern.
    groups: Vec<PatternGroup>,
}

impl PatternParser<'_> {
    fn next(&mut self) -> Option<char> {
        let mut chars = self.rest.chars();
        let next = chars.next();
        self.rest = chars.as_str();
        next
    }

    fn atom(&mut self, size: u64) {
        if let Some(group) = self.groups.last_mut() {
            group.last = size;
            group.size = group.size.saturating_add(size);
        }
    }

    fn close_group(&mut self) {
        if self.groups.len() > 1
            && let Some(closed) = self.groups.pop()
        {
            self.atom(closed.size.saturating_add(1));
        }
    }

    /// Parses `[a-z]`: one instruction, unless the class may have non-ASCII characters.
    fn class(&mut self) {
        let (mut length, mut size) = (0, 1);
        while let Some(c) = self.next() {
            length += 1;
            match c {
                '\\' => {
                    self.next();
                    size = WIDE_CLASS;
                }
                ']' if length > 1 => break,
                '^' if length == 1 => size = WIDE_CLASS,
                c if !c.is_ascii() => size = size.max(WIDE_CLASS) + 1,
                _ => {}
            }
        }
        self.atom(size);
    }

    /// Parses `{3}`, `{3,}` or `{3,5}` after an atom; other braces are literals.
    fn repetition(&mut self) {
        let bounds = self.rest.split_once('}').map(|(bounds, _)| bounds);
        let is_count = |text: &str| {
            !text.is_empty()
                && text
                    .bytes()
                    .all(|b| b.is_ascii_digit() || b == b',' || b == b' ')
        };
        let Some(bounds) = bounds.filter(|bounds| is_count(bounds)) else {
            return self.atom(1);
        };
        let counts = bounds
            .split(',')
            .map(|count| count.trim().parse().unwrap_or(0));
        let count: u64 = counts.max().unwrap_or(0).clamp(1, MAX_REPEAT);
        self.rest = self.rest.get(bounds.len() + 1..).unwrap_or_default();
        if let Some(group) = self.groups.last_mut() {
            let repeated = group.last.saturating_mul(count);
            group.size = group.size.saturating_add(repeated);
            group.last = repeated;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::pattern_size;

    #[test]
    fn repetitions_multiply_the_size_of_their_atom() {
        assert!(pattern_size("^[a-z]{3}$") < 100);
        assert!(pattern_size("^[a-z]{1000}$") > 1_000);
        assert!(pattern_size("^[^a-z]{1000}$") > 8_000);
        assert!(pattern_size("((a{100}){100}){100}") > 1_000_000);
        assert!(
            pattern_size("^[0-9]{4}-[0-9]{2}-[0-9]{2}$") < 200,
            "adjacent repetitions add up"
        );
    }

    #[test]
    fn malformed_patterns_are_parsed_to_their_end() {
        for odd in [
            "",
            ")",
            "(",
            "[",
            "\\",
            "{",
            "a{",
            "a{,}",
            "a{x}",
            "[]]",
            "(((",
            "é{3}",
            "a{99999999999999999999}",
        ] {
            assert!(pattern_size(odd) >= 1, "{odd}");
        }
    }
}
