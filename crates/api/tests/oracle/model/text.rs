//! Reference implementation of the aggregate functions of series without numbers.

use std::collections::BTreeMap;

use uuid::Uuid;

use crate::fixture::json::Json;
use crate::model::expected::{Bounds, Expected};
use crate::model::rows::{CLOCKS, GroupKey, Position};

/// A value that is not null.
#[derive(Debug, Clone)]
pub(crate) struct TextValue {
    pub(crate) position: Position,
    /// The group within which session and arrival order the values of one instant.
    pub(crate) ordered_within: GroupKey,
    pub(crate) session: Uuid,
    pub(crate) arrival: usize,
    /// The canonical value, or several of which it is one.
    pub(crate) alternatives: Vec<Json>,
}

impl TextValue {
    fn order(&self) -> (Uuid, usize) {
        (self.session, self.arrival)
    }
}

/// Returns the expected result of a function of at least one value.
pub(crate) fn aggregate(function: &str, values: &[TextValue]) -> Expected {
    let is_certain = values.iter().all(|value| value.alternatives.len() == 1);
    match function {
        "count" => Expected::exactly(values.len() as f64),
        "first" => Expected::any_of(CLOCKS.into_iter().flat_map(|clock| {
            let first = values.iter().map(|value| clock(value.position)).min();
            let tied = values.iter().filter(|v| Some(clock(v.position)) == first);
            foremost(tied, |a, b| a.order() < b.order())
        })),
        "last" => Expected::any_of(CLOCKS.into_iter().flat_map(|clock| {
            let last = values.iter().map(|value| clock(value.position)).max();
            let tied = values.iter().filter(|v| Some(clock(v.position)) == last);
            foremost(tied, |a, b| a.order() > b.order())
        })),
        "mode" if is_certain => mode(&frequencies(values)),
        "mode" => Expected::any_of(
            values
                .iter()
                .flat_map(|value| value.alternatives.iter().cloned().map(Expected::Json)),
        ),
        "distinct" if is_certain => Expected::Integer(frequencies(values).len() as u64),
        "distinct" => Expected::Number(Bounds {
            lower: 1.0,
            upper: values.len() as f64,
        }),
        other => unreachable!("function {other}"),
    }
}

/// Returns the foremost of the tied values of each group in which they have an order.
fn foremost<'a>(
    tied: impl Iterator<Item = &'a TextValue>,
    is_before: impl Fn(&TextValue, &TextValue) -> bool,
) -> Vec<Expected> {
    let mut foremost: BTreeMap<GroupKey, &TextValue> = BTreeMap::new();
    for value in tied {
        let best = foremost.entry(value.ordered_within).or_insert(value);
        if is_before(value, best) {
            *best = value;
        }
    }
    foremost
        .into_values()
        .flat_map(|value| value.alternatives.iter().cloned().map(Expected::Json))
        .collect()
}

fn frequencies(values: &[TextValue]) -> BTreeMap<&Json, usize> {
    let mut frequencies = BTreeMap::new();
    for value in values {
        *frequencies.entry(&value.alternatives[0]).or_default() += 1;
    }
    frequencies
}

/// Returns the least of the most frequent values. The contract does not order two lists or two
/// objects.
fn mode(frequencies: &BTreeMap<&Json, usize>) -> Expected {
    let max = frequencies.values().max().expect("a value");
    let tied: Vec<&Json> = frequencies
        .iter()
        .filter(|(_, frequency)| *frequency == max)
        .map(|(value, _)| *value)
        .collect();
    let is_unordered = |value: &&Json| {
        matches!(
            (tied[0], value),
            (Json::List(_), Json::List(_)) | (Json::Object(_), Json::Object(_))
        )
    };
    match tied[0] {
        Json::List(_) | Json::Object(_) => {
            let alternatives = tied.iter().copied().filter(is_unordered).cloned();
            Expected::any_of(alternatives.map(Expected::Json))
        }
        least => Expected::Json(least.clone()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode_of(texts: &[&str]) -> Expected {
        let value = |text: &&str| TextValue {
            position: Position::at(0),
            ordered_within: GroupKey::NONE,
            session: Uuid::nil(),
            arrival: 0,
            alternatives: vec![Json::parse(text).canonical()],
        };
        aggregate("mode", &texts.iter().map(value).collect::<Vec<_>>())
    }

    #[test]
    fn mode_orders_values_by_their_kind() {
        assert_eq!(
            mode_of(&["{}", r#""b""#, r#""a""#, "[]"]),
            Expected::Json(Json::Text("a".to_owned()))
        );
        assert_eq!(
            mode_of(&["{}", r#""b""#, "true", "[]", "false"]),
            Expected::Json(Json::Bool(false))
        );
    }

    #[test]
    fn mode_orders_strings_by_code_point() {
        assert_eq!(
            mode_of(&[r#""é""#, r#""z""#]),
            Expected::Json(Json::Text("z".to_owned()))
        );
    }

    #[test]
    fn mode_is_any_of_the_tied_lists() {
        assert_eq!(mode_of(&["[1]", "{}", "[2]"]).json_values().len(), 2);
        assert_eq!(
            mode_of(&["[1]", "{}", "{}"]),
            Expected::Json(Json::Object(Vec::new()))
        );
    }
}
