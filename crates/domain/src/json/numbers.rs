//! Scans numbers of a syntactically valid JSON text without building parsed values.
//!
//! Each function returns false, or `None`, for a text with other values and for numbers that are
//! not exactly a double.

use super::number::Number;

/// Parses a single number.
pub(crate) fn number(text: &str) -> Option<f64> {
    let number = Number::parse(text).ok()?;
    number.is_exactly_f64().then(|| number.as_f64())
}

/// Visits each member of an object of numbers, until `each` returns false.
pub(crate) fn members<'a>(text: &'a str, mut each: impl FnMut(&'a str, f64) -> bool) -> bool {
    items(text, b'{', b'}', |rest| {
        let (key, rest) = key(rest)?;
        let (number, rest) = leading_number(rest.strip_prefix(':')?)?;
        each(key, number).then_some(rest)
    })
    .is_some()
}

/// Visits each member of each object in an array of objects of numbers, until `each` returns false.
///
/// `each` receives the indexes of the object and of the member, the key and the number.
pub(crate) fn objects<'a>(
    text: &'a str,
    mut each: impl FnMut(usize, usize, &'a str, f64) -> bool,
) -> bool {
    let mut object = 0;
    let is_whole = items(text, b'[', b']', |rest| {
        let mut member = 0;
        let rest = items(rest, b'{', b'}', |rest| {
            let (key, rest) = key(rest)?;
            let (number, rest) = leading_number(rest.strip_prefix(':')?)?;
            let continues = each(object, member, key, number);
            member += 1;
            continues.then_some(rest)
        });
        object += 1;
        rest
    });
    is_whole.is_some()
}

/// Visits each element of an array of numbers, until `each` returns false.
pub(crate) fn elements(text: &str, mut each: impl FnMut(f64) -> bool) -> bool {
    items(text, b'[', b']', |rest| {
        let (number, rest) = leading_number(rest)?;
        each(number).then_some(rest)
    })
    .is_some()
}

/// Scans comma-separated items. `item` returns the text after the item; the function returns the
/// text after the closing bracket.
fn items<'a>(
    text: &'a str,
    open: u8,
    close: u8,
    mut item: impl FnMut(&'a str) -> Option<&'a str>,
) -> Option<&'a str> {
    let mut rest = text;
    if rest.as_bytes().first() != Some(&open) {
        return None;
    }
    loop {
        rest = without_space(item(without_space(&rest[1..]))?);
        match rest.as_bytes().first() {
            Some(b',') => {}
            end => return (end == Some(&close)).then(|| &rest[1..]),
        }
    }
}

/// Scans a key without escapes, and returns the text after it.
fn key(text: &str) -> Option<(&str, &str)> {
    let inner = text.strip_prefix('"')?;
    let end = inner.bytes().position(|b| matches!(b, b'"' | b'\\'))?;
    let (key, rest) = inner.split_at(end);
    Some((key, without_space(rest.strip_prefix('"')?)))
}

fn leading_number(text: &str) -> Option<(f64, &str)> {
    let text = without_space(text);
    let end = text
        .bytes()
        .position(|b| !matches!(b, b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E'));
    let (digits, rest) = text.split_at(end.unwrap_or(text.len()));
    Some((number(digits)?, rest))
}

fn without_space(text: &str) -> &str {
    text.trim_start_matches([' ', '\t', '\n', '\r'])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::Json;

    fn read_members(text: &str) -> Option<Vec<(&str, f64)>> {
        let mut read = Vec::new();
        let is_whole = members(text, |key, number| {
            read.push((key, number));
            true
        });
        is_whole.then_some(read)
    }

    fn read_elements(text: &str) -> Option<Vec<f64>> {
        let mut read = Vec::new();
        let is_whole = elements(text, |number| {
            read.push(number);
            true
        });
        is_whole.then_some(read)
    }

    #[test]
    fn whitespace_is_allowed_between_tokens() {
        assert_eq!(
            read_members("{ \"a\" : 1 ,\n\t\"b\":-2.5\r}"),
            Some(vec![("a", 1.0), ("b", -2.5)])
        );
        assert_eq!(read_elements("[ 1 , 2e3\n]"), Some(vec![1.0, 2000.0]));
    }

    #[test]
    fn texts_with_other_values_are_left_to_the_parser() {
        for text in [
            "{}",
            r#"{"a":"1"}"#,
            r#"{"a":null}"#,
            r#"{"a":{"b":1}}"#,
            r#"{"\u0061":1}"#,
            "[1]",
            "1",
        ] {
            assert_eq!(read_members(text), None, "{text}");
        }
        for text in [
            "[]",
            "[null]",
            "[[1]]",
            "[1,true]",
            "[9007199254740993]",
            "[1e141]",
            "{}",
            "1",
        ] {
            assert_eq!(read_elements(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn scanned_numbers_equal_parsed_numbers(
            keys in prop::collection::vec("[a-c ]{0,2}", 1..5),
            texts in prop::collection::vec(prop_oneof![
                any::<f64>().prop_map(|v| format!("{v:e}")), any::<i64>().prop_map(|v| v.to_string()),
                Just("-0.0".to_owned()), Just("0e5".to_owned()), Just("1e-400".to_owned()),
            ], 5),
        ) {
            let texts: Vec<&String> = texts.iter().filter(|text| Json::parse(text).is_ok()).collect();
            let pairs = || keys.iter().zip(&texts);
            let object = pairs().map(|(key, text)| format!("\"{key}\":{text}")).collect::<Vec<_>>().join(",");
            if let (object, Some(read)) = (format!("{{{object}}}"), read_members(&format!("{{{object}}}"))) {
                for ((key, number), (sent, text)) in read.iter().zip(pairs()) {
                    prop_assert_eq!(key, sent);
                    let Ok(Json::Number(parsed)) = Json::parse(text) else { panic!("{object}") };
                    prop_assert_eq!(number.to_bits(), parsed.as_f64().to_bits());
                    prop_assert!(parsed.is_exactly_f64());
                }
                prop_assert_eq!(read.len(), pairs().count());
            }
        }
    }
}
