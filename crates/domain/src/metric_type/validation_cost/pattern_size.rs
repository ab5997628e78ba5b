//! The size of the program that a regular expression compiles to.

/// Larger repetitions are counted as this one; the compiler refuses them anyway.
const MAX_REPEAT: u64 = 100_000;

/// Returns an upper bound of the instructions of a pattern, with counted repetitions written out.
///
/// The matcher may execute each of them for each byte of a text.
pub(super) fn pattern_size(pattern: &str) -> u64 {
    let mut reader = Reader {
        rest: pattern,
        groups: vec![Group::default()],
    };
    while let Some(c) = reader.next() {
        match c {
            '(' => reader.groups.push(Group::default()),
            ')' => reader.close_group(),
            '[' => reader.class(),
            '\\' => {
                let class = reader.next();
                reader.atom(if class.is_some_and(|c| "pPDSWB".contains(c)) {
                    WIDE_CLASS
                } else {
                    1
                });
            }
            '{' => reader.repetition(),
            '*' | '+' | '?' | '|' => reader.atom(1),
            '.' => reader.atom(WIDE_CLASS),
            // One instruction per byte of a literal.
            c => reader.atom(c.len_utf8() as u64),
        }
    }
    while reader.groups.len() > 1 {
        reader.close_group();
    }
    reader
        .groups
        .pop()
        .map_or(u64::MAX, |whole| whole.size.saturating_add(1))
}

/// Instructions of a class with characters beyond ASCII, which is a set of byte sequences.
const WIDE_CLASS: u64 = 8;

/// A group of the pattern that is being read.
#[derive(Default)]
struct Group {
    size: u64,
    /// The size of its last atom, which a repetition multiplies.
    last: u64,
}

struct Reader<'a> {
    rest: &'a str,
    /// The groups that are open, the whole pattern first.
    groups: Vec<Group>,
}

impl Reader<'_> {
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

    /// `[a-z]`: one instruction, unless it may have characters beyond ASCII.
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

    /// `{3}`, `{3,}` or `{3,5}` behind an atom; anything else is literal.
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
    fn repetitions_multiply_what_they_repeat() {
        assert!(pattern_size("^[a-z]{3}$") < 100);
        assert!(pattern_size("^[a-z]{1000}$") > 1_000);
        assert!(pattern_size("^[^a-z]{1000}$") > 8_000);
        assert!(pattern_size("((a{100}){100}){100}") > 1_000_000);
        assert!(
            pattern_size("^[0-9]{4}-[0-9]{2}-[0-9]{2}$") < 200,
            "repetitions side by side add up"
        );
    }

    #[test]
    fn anything_is_read_to_its_end() {
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
