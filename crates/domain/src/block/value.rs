//! Splitting values into channel numbers and a remainder, and restoring them.

use std::collections::BTreeMap;

use crate::Json;
use crate::json::{Number, Pointer};

/// Splits a value into the number of each channel and the remainder.
///
/// A number that is exactly a double is removed from the remainder. Any other number stays there
/// with all its digits, and the channel gets the nearest double.
pub(super) fn split(mut value: Json, channels: &[Pointer]) -> (Vec<Option<f64>>, Option<Json>) {
    let mut is_empty = false;
    let mut numbers = Vec::with_capacity(channels.len());
    for pointer in channels {
        let found = match pointer.find(&value) {
            Some(Json::Number(n)) if !is_empty => Some((n.as_f64(), n.is_exactly_f64())),
            _ => None,
        };
        if matches!(found, Some((_, true))) {
            is_empty = remove(&mut value, pointer.tokens());
        }
        numbers.push(found.map(|(number, _)| number));
    }
    (numbers, (!is_empty).then_some(value))
}

/// Removes the member at `path` and the objects that become empty. Returns whether nothing is left.
fn remove(value: &mut Json, path: &[String]) -> bool {
    let Some((key, deeper)) = path.split_first() else {
        return true;
    };
    let Json::Object(members) = value else {
        return false;
    };
    if let Some(member) = members.get_mut(key)
        && remove(member, deeper)
    {
        members.remove(key);
        return members.is_empty();
    }
    false
}

/// Restores a value: the inverse of [`split`].
///
/// A number in the remainder takes precedence over the number of its channel, since it has all
/// digits.
pub(crate) fn join(
    numbers: impl Iterator<Item = Option<f64>>,
    channels: &[Pointer],
    remainder: Option<Json>,
) -> Json {
    let mut value = remainder;
    for (number, pointer) in numbers.zip(channels) {
        let Some(number) = number else { continue };
        if value
            .as_ref()
            .is_some_and(|value| pointer.find(value).is_some())
        {
            continue;
        }
        if let Ok(number) = Number::from_f64(number) {
            insert(
                value.get_or_insert_with(|| Json::Object(BTreeMap::new())),
                pointer.tokens(),
                Json::Number(number),
            );
        }
    }
    value.unwrap_or(Json::Null)
}

fn insert(value: &mut Json, path: &[String], number: Json) {
    let Some((key, deeper)) = path.split_first() else {
        *value = number;
        return;
    };
    if let Json::Object(members) = value {
        let member = members
            .entry(key.clone())
            .or_insert_with(|| Json::Object(BTreeMap::new()));
        insert(member, deeper, number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pointers(texts: &[&str]) -> Vec<Pointer> {
        texts.iter().filter_map(|t| Pointer::parse(t)).collect()
    }

    fn remainder_of(text: &str, channels: &[&str]) -> Option<String> {
        let value = Json::parse(text).expect("json");
        let channels = pointers(channels);
        let (numbers, remainder) = split(value.clone(), &channels);
        assert_eq!(
            join(numbers.into_iter(), &channels, remainder.clone()),
            value,
            "{text}"
        );
        remainder.map(|r| r.to_string())
    }

    #[test]
    fn values_of_channels_alone_have_no_remainder() {
        assert_eq!(remainder_of("72", &[""]), None);
        assert_eq!(remainder_of(r#"{"value":1}"#, &["/value"]), None);
        assert_eq!(
            remainder_of(r#"{"pos":{"x":1,"y":2}}"#, &["/pos/x", "/pos/y"]),
            None
        );
    }

    #[test]
    fn everything_else_is_the_remainder() {
        assert_eq!(
            remainder_of(r#"{"value":1,"note":"a"}"#, &["/value"]).as_deref(),
            Some(r#"{"note":"a"}"#)
        );
        assert_eq!(remainder_of("{}", &["/value"]).as_deref(), Some("{}"));
        assert_eq!(
            remainder_of(r#"{"pos":{}}"#, &["/pos/x"]).as_deref(),
            Some(r#"{"pos":{}}"#)
        );
        assert_eq!(
            remainder_of(r#"{"a":1,"pos":{}}"#, &["/a", "/pos/x"]).as_deref(),
            Some(r#"{"pos":{}}"#)
        );
        assert_eq!(remainder_of("null", &[""]).as_deref(), Some("null"));
        assert_eq!(
            remainder_of(r#"{"value":null}"#, &["/value"]).as_deref(),
            Some(r#"{"value":null}"#)
        );
        assert_eq!(remainder_of("[1,2]", &[]).as_deref(), Some("[1,2]"));
    }

    #[test]
    fn long_integers_keep_all_digits_in_the_remainder() {
        let remainder = remainder_of(r#"{"value":9007199254740993}"#, &["/value"]);
        assert_eq!(remainder.as_deref(), Some(r#"{"value":9007199254740993}"#));
    }

    #[test]
    fn a_leaf_may_also_be_the_parent_of_a_leaf() {
        assert_eq!(remainder_of(r#"{"a":5}"#, &["/a", "/a/b"]), None);
        assert_eq!(remainder_of(r#"{"a":{"b":5}}"#, &["/a", "/a/b"]), None);
    }
}
