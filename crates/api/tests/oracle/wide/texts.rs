//! Each function of values that are no numbers, by its definition.

use std::collections::BTreeMap;

use uuid::Uuid;

use crate::json::Json;
use crate::wide::want::{Span, Want};

/// A value that is not null; or the values of which it is one.
#[derive(Debug, Clone)]
pub(crate) struct Said {
    /// When, by each clock that may be meant.
    pub(crate) at: [i64; 2],
    /// Of one instant, the order is given within each of these only.
    pub(crate) party: (Uuid, Uuid),
    pub(crate) rank: (Uuid, usize),
    pub(crate) values: Vec<Json>,
}

/// The function of some values, of which there is at least one.
pub(crate) fn aggregate(function: &str, said: &[Said]) -> Want {
    let certain = said.iter().all(|said| said.values.len() == 1);
    match function {
        "count" => Want::exactly(said.len() as f64),
        "first" => Want::one_of([0, 1].into_iter().flat_map(|clock| {
            let first = said.iter().map(|said| said.at[clock]).min();
            ends(
                said.iter().filter(|said| Some(said.at[clock]) == first),
                |a, b| a.rank < b.rank,
            )
        })),
        "last" => Want::one_of([0, 1].into_iter().flat_map(|clock| {
            let last = said.iter().map(|said| said.at[clock]).max();
            ends(
                said.iter().filter(|said| Some(said.at[clock]) == last),
                |a, b| a.rank > b.rank,
            )
        })),
        "mode" if certain => mode(&tally(said)),
        "mode" => Want::one_of(
            said.iter()
                .flat_map(|said| said.values.iter().cloned().map(Want::Json)),
        ),
        "distinct" if certain => Want::Whole(tally(said).len() as u64),
        "distinct" => Want::Number(Span {
            least: 1.0,
            most: said.len() as f64,
        }),
        other => unreachable!("{other}"),
    }
}

/// The foremost of each party.
fn ends<'a>(
    tied: impl Iterator<Item = &'a Said>,
    before: impl Fn(&Said, &Said) -> bool,
) -> Vec<Want> {
    let mut foremost: BTreeMap<(Uuid, Uuid), &Said> = BTreeMap::new();
    for said in tied {
        let best = foremost.entry(said.party).or_insert(said);
        if before(said, best) {
            *best = said;
        }
    }
    foremost
        .into_values()
        .flat_map(|said| said.values.iter().cloned().map(Want::Json))
        .collect()
}

fn tally(said: &[Said]) -> BTreeMap<&Json, usize> {
    let mut times = BTreeMap::new();
    for said in said {
        *times.entry(&said.values[0]).or_default() += 1;
    }
    times
}

/// The least of the most frequent. Which of two lists or of two objects is less is not said.
fn mode(tally: &BTreeMap<&Json, usize>) -> Want {
    let most = tally.values().max().expect("a value");
    let tied: Vec<&Json> = tally
        .iter()
        .filter(|(_, times)| *times == most)
        .map(|(value, _)| *value)
        .collect();
    let open = |value: &&Json| {
        matches!(
            (tied[0], value),
            (Json::List(_), Json::List(_)) | (Json::Object(_), Json::Object(_))
        )
    };
    match tied[0] {
        Json::List(_) | Json::Object(_) => {
            Want::one_of(tied.iter().copied().filter(open).cloned().map(Want::Json))
        }
        least => Want::Json(least.clone()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_come_in_their_order() {
        let said = |text: &str| Said {
            at: [0; 2],
            party: (Uuid::nil(), Uuid::nil()),
            rank: (Uuid::nil(), 0),
            values: vec![Json::read(text).normal()],
        };
        let of = |texts: &[&str]| {
            aggregate(
                "mode",
                &texts.iter().map(|text| said(text)).collect::<Vec<_>>(),
            )
        };
        assert_eq!(
            of(&["{}", r#""b""#, r#""a""#, "[]"]),
            Want::Json(Json::Text("a".to_owned()))
        );
        assert_eq!(
            of(&["{}", r#""b""#, "true", "[]", "false"]),
            Want::Json(Json::Bool(false))
        );
        assert_eq!(
            of(&[r#""é""#, r#""z""#]),
            Want::Json(Json::Text("z".to_owned()))
        );
        assert_eq!(of(&["[1]", "{}", "[2]"]).values().len(), 2);
        assert_eq!(
            of(&["[1]", "{}", "{}"]),
            Want::Json(Json::Object(Vec::new()))
        );
    }
}
