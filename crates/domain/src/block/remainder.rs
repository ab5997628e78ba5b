//! What no channel gives back: the rest of each value that has one.

use std::collections::BTreeMap;
use std::fmt::Write;

use crate::channel::Pointer;
use crate::{Json, JsonError};

/// The rests of a block's values by the point's place in the block; most blocks have none.
///
/// They are kept as JSON text, since parsed values take up to thirty times as much memory.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Remainder {
    /// The texts of all rests, one behind the other.
    text: String,
    /// The rests, ascending by place.
    rests: Vec<Rest>,
}

/// The position of a rest in the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Rest {
    /// The place of the point in the block.
    place: usize,
    start: usize,
    end: usize,
}

/// A stored remainder that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RemainderError {
    /// Not JSON.
    #[error("remainder {0}")]
    Json(#[from] JsonError),
    /// Not an object of places.
    #[error("remainder is not an object whose keys are places in the block")]
    Shape,
}

impl Remainder {
    /// From the rest of each point, printed by [`Json`].
    pub(super) fn new<'a>(rests: impl IntoIterator<Item = Option<&'a str>>) -> Self {
        let mut remainder = Self::default();
        for (place, rest) in rests.into_iter().enumerate() {
            if let Some(rest) = rest {
                remainder.push(place, rest);
            }
        }
        remainder
    }

    fn push(&mut self, place: usize, rest: &str) {
        let start = self.text.len();
        self.text.push_str(rest);
        self.rests.push(Rest {
            place,
            start,
            end: self.text.len(),
        });
    }

    /// Whether every value is given back by the channels alone.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.rests.is_empty()
    }

    /// The rest of the value at `place`.
    ///
    /// # Panics
    /// Never: every rest was printed from a value, or read once when it was loaded.
    #[must_use]
    pub fn get(&self, place: usize) -> Option<Json> {
        let text = self.text_of(place)?;
        Some(Json::parse_printed(text).expect("every rest was a value when it was stored here"))
    }

    /// The places of the points that have a rest, ascending.
    pub fn places(&self) -> impl Iterator<Item = usize> {
        self.rests.iter().map(|rest| rest.place)
    }

    /// The JSON text of the rest of the value at `place`.
    #[must_use]
    pub fn text_of(&self, place: usize) -> Option<&str> {
        let found = self
            .rests
            .binary_search_by_key(&place, |rest| rest.place)
            .ok()?;
        let Rest { start, end, .. } = self.rests[found];
        Some(&self.text[start..end])
    }

    /// The memory that it takes, in bytes.
    #[must_use]
    pub const fn heap_bytes(&self) -> usize {
        self.text.capacity() + self.rests.capacity() * size_of::<Rest>()
    }

    /// As a JSON object `{"place": rest}`, for storage.
    #[must_use]
    pub fn to_text(&self) -> String {
        let mut text = String::with_capacity(self.text.len() + 8 * self.rests.len() + 2);
        text.push('{');
        for (number, Rest { place, start, end }) in self.rests.iter().enumerate() {
            let comma = if number == 0 { "" } else { "," };
            write!(text, "{comma}\"{place}\":").expect("a String takes everything");
            text.push_str(&self.text[*start..*end]);
        }
        text.push('}');
        text
    }

    /// Reads [`Self::to_text`] back.
    ///
    /// # Errors
    /// [`RemainderError`] for anything else.
    pub fn from_text(text: &str) -> Result<Self, RemainderError> {
        let fields: crate::json::RawFields<'_> =
            serde_json::from_str(text).map_err(|_| RemainderError::Shape)?;
        let mut rests = BTreeMap::new();
        for (key, raw) in fields.0 {
            let place: usize = key.parse().map_err(|_| RemainderError::Shape)?;
            Json::parse_printed(raw.get())?;
            rests.insert(place, raw.get());
        }
        let mut remainder = Self::default();
        for (place, rest) in rests {
            remainder.push(place, rest);
        }
        Ok(remainder)
    }
}

/// Takes a value apart into the number of each channel and what is left.
///
/// A number that is exactly a double leaves the value; any other number stays there as well.
pub(super) fn split(mut value: Json, channels: &[Pointer]) -> (Vec<Option<f64>>, Option<Json>) {
    let mut rest_is_gone = false;
    let mut numbers = Vec::with_capacity(channels.len());
    for pointer in channels {
        let found = match pointer.find(&value) {
            Some(Json::Number(n)) if !rest_is_gone => Some((n.as_f64(), n.is_exactly_f64())),
            _ => None,
        };
        if matches!(found, Some((_, true))) {
            rest_is_gone = remove(&mut value, pointer.tokens());
        }
        numbers.push(found.map(|(number, _)| number));
    }
    (numbers, (!rest_is_gone).then_some(value))
}

/// Removes what stands at `path` and the objects that this empties; true if nothing is left.
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

/// Puts a value together again: the inverse of [`split`].
///
/// A number that is in the rest stays as it is there, with all its digits.
pub(crate) fn join(
    numbers: impl Iterator<Item = Option<f64>>,
    channels: &[Pointer],
    rest: Option<Json>,
) -> Json {
    let mut value = rest;
    for (number, pointer) in numbers.zip(channels) {
        let Some(number) = number else { continue };
        if value
            .as_ref()
            .is_some_and(|value| pointer.find(value).is_some())
        {
            continue;
        }
        if let Ok(number) = crate::json::Number::from_f64(number) {
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

    fn rest_of(text: &str, channels: &[&str]) -> Option<String> {
        let value = Json::parse(text).expect("json");
        let channels = pointers(channels);
        let (numbers, rest) = split(value.clone(), &channels);
        assert_eq!(
            join(numbers.into_iter(), &channels, rest.clone()),
            value,
            "{text}"
        );
        rest.map(|r| r.to_string())
    }

    #[test]
    fn values_of_channels_alone_leave_nothing() {
        assert_eq!(rest_of("72", &[""]), None);
        assert_eq!(rest_of(r#"{"value":1}"#, &["/value"]), None);
        assert_eq!(
            rest_of(r#"{"pos":{"x":1,"y":2}}"#, &["/pos/x", "/pos/y"]),
            None
        );
    }

    #[test]
    fn everything_else_is_left() {
        assert_eq!(
            rest_of(r#"{"value":1,"note":"a"}"#, &["/value"]).as_deref(),
            Some(r#"{"note":"a"}"#)
        );
        assert_eq!(rest_of("{}", &["/value"]).as_deref(), Some("{}"));
        assert_eq!(
            rest_of(r#"{"pos":{}}"#, &["/pos/x"]).as_deref(),
            Some(r#"{"pos":{}}"#)
        );
        assert_eq!(
            rest_of(r#"{"a":1,"pos":{}}"#, &["/a", "/pos/x"]).as_deref(),
            Some(r#"{"pos":{}}"#)
        );
        assert_eq!(rest_of("null", &[""]).as_deref(), Some("null"));
        assert_eq!(
            rest_of(r#"{"value":null}"#, &["/value"]).as_deref(),
            Some(r#"{"value":null}"#)
        );
        assert_eq!(rest_of("[1,2]", &[]).as_deref(), Some("[1,2]"));
    }

    #[test]
    fn long_integers_stay_with_all_digits() {
        let rest = rest_of(r#"{"value":9007199254740993}"#, &["/value"]);
        assert_eq!(rest.as_deref(), Some(r#"{"value":9007199254740993}"#));
    }

    #[test]
    fn a_leaf_that_is_also_a_branch_works_both_ways() {
        assert_eq!(rest_of(r#"{"a":5}"#, &["/a", "/a/b"]), None);
        assert_eq!(rest_of(r#"{"a":{"b":5}}"#, &["/a", "/a/b"]), None);
    }

    #[test]
    fn what_was_accepted_reads_back_however_long_it_prints() {
        let many = format!("[{}1]", "1e14,".repeat(150_000));
        let digits = format!("[1.{}7]", "3".repeat(997));
        for text in [many, digits] {
            let value = Json::parse(&text).expect("accepted");
            let remainder = Remainder::new([Some(value.to_string().as_str())]);
            assert_eq!(Remainder::from_text(&remainder.to_text()), Ok(remainder));
        }
    }

    #[test]
    fn text_reads_back() {
        let remainder = Remainder::new([None, Some("null"), Some(r#""é\"""#)]);
        assert_eq!(Remainder::from_text(&remainder.to_text()), Ok(remainder));
    }
}
