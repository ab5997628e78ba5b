//! One answer in its several shapes, taken apart into the same cells.

use std::collections::BTreeMap;

use serde_json::value::RawValue;

use crate::json::Json;
use crate::metrics::Metric;
use crate::play::Outcome;
use crate::wide::functions::key;
use crate::wide::model::leaf_name;

/// What a row is told by: `bucket`, `user_id`, `session_id`, `series`, `leaf`, where it has them and they are not null.
pub(crate) type Place = Vec<(&'static str, String)>;

/// What is said in each column that says something.
pub(crate) type Said = BTreeMap<String, Json>;

/// Rows that say something.
pub(crate) type Flat = Vec<(Place, Said)>;

type Object = BTreeMap<String, Box<RawValue>>;

const TOLD_BY: [&str; 5] = ["bucket", "user_id", "session_id", "series", "leaf"];

/// The functions of an answer: those asked for, and those over them.
pub(crate) struct Columns<'a> {
    pub(crate) functions: &'a [&'static str],
    pub(crate) over: &'a [&'static str],
}

impl Columns<'_> {
    /// The columns of a flat row.
    pub(crate) fn names(&self) -> Vec<String> {
        match (self.functions, self.over) {
            ([_], [] | [_]) => vec!["value".to_owned()],
            (functions, [] | [_]) => functions.iter().map(|f| key(f)).collect(),
            (functions, over) => functions
                .iter()
                .flat_map(|f| over.iter().map(move |o| format!("{}_{}", key(f), key(o))))
                .collect(),
        }
    }

    /// The keys above what a nested row says in each column.
    fn prefixes(&self) -> Vec<Vec<String>> {
        let level = |functions: &[&str]| match functions {
            [] | [_] => vec![Vec::new()],
            several => several.iter().map(|f| vec![key(f)]).collect(),
        };
        let deeper = level(self.over);
        let below = |prefix: &Vec<String>| {
            deeper
                .iter()
                .map(|d| [prefix.clone(), d.clone()].concat())
                .collect::<Vec<_>>()
        };
        level(self.functions).iter().flat_map(below).collect()
    }

    /// Nested rows, as they stand in `results` or in lines.
    pub(crate) fn of_nested(&self, rows: &[Box<RawValue>], catalogue: &[Metric]) -> Outcome<Flat> {
        let mut flat = Flat::new();
        for row in rows {
            let row = object(row.get())?;
            let place = told_by(&row, &TOLD_BY)?;
            let series = &place
                .iter()
                .find(|(name, _)| *name == "series")
                .ok_or("no series")?
                .1;
            let metric = catalogue
                .iter()
                .find(|m| m.series == *series)
                .ok_or("a series of ours")?;
            let value = Json::read(row.get("value").ok_or("no value")?.get());
            let leaves: Vec<(Option<String>, Vec<String>)> = match metric.leaves.as_slice() {
                [] => vec![(None, Vec::new())],
                [path] if metric.is_scalar() => vec![(Some(leaf_name(path)), Vec::new())],
                paths => paths
                    .iter()
                    .map(|path| (Some(leaf_name(path)), path.clone()))
                    .collect(),
            };
            for (leaf, path) in leaves {
                let mut said = Said::new();
                for (column, prefix) in self.names().into_iter().zip(self.prefixes()) {
                    said.extend(
                        below(&value, &[prefix, path.clone()].concat())
                            .map(|value| (column, value.normal())),
                    );
                }
                let mut place = place.clone();
                place.extend(leaf.map(|leaf| ("leaf", leaf)));
                flat.push((place, said));
            }
        }
        Ok(saying(flat))
    }

    /// Flat rows, as they stand in `results` or in lines.
    pub(crate) fn of_flat(&self, rows: &[Box<RawValue>]) -> Outcome<Flat> {
        let names = self.names();
        let mut flat = Flat::new();
        for row in rows {
            let row = object(row.get())?;
            let said = row
                .iter()
                .filter(|(name, _)| !TOLD_BY.contains(&name.as_str()));
            let said: Said = said
                .map(|(name, value)| (name.clone(), Json::read(value.get()).normal()))
                .collect();
            only(&said, &names)?;
            flat.push((told_by(&row, &TOLD_BY)?, said));
        }
        Ok(saying(flat))
    }

    /// Objects of a series, a leaf and a group each, with an array a column.
    pub(crate) fn of_columns(&self, objects: &[Box<RawValue>]) -> Outcome<Flat> {
        let names = self.names();
        let mut flat = Flat::new();
        for one in objects {
            let one = object(one.get())?;
            let place = told_by(&one, &TOLD_BY[1..])?;
            let array = |name: &str| -> Outcome<Vec<Json>> {
                match one.get(name).map(|array| Json::read(array.get())) {
                    Some(Json::List(values)) => Ok(values),
                    other => Err(format!("{name} is {other:?}")),
                }
            };
            let buckets = array("bucket")?;
            let columns = names
                .iter()
                .map(|name| Ok((name, array(name)?)))
                .collect::<Outcome<Vec<_>>>()?;
            if columns
                .iter()
                .any(|(_, values)| values.len() != buckets.len())
            {
                return Err(format!("{place:?}: arrays of different lengths"));
            }
            for (row, bucket) in buckets.iter().enumerate() {
                let Json::Text(bucket) = bucket else {
                    return Err(format!("{bucket} is no bucket"));
                };
                let said = columns
                    .iter()
                    .map(|(name, values)| ((*name).clone(), values[row].normal()))
                    .collect();
                flat.push((
                    [vec![("bucket", bucket.clone())], place.clone()].concat(),
                    said,
                ));
            }
        }
        Ok(saying(flat))
    }

    /// Lines of CSV about numbers, the first of which names the columns.
    pub(crate) fn of_csv(&self, text: &str) -> Outcome<Flat> {
        let mut lines = csv(text)
            .into_iter()
            .filter(|line| !line[0].starts_with('#'));
        let header = lines.next().ok_or("no header")?;
        let names = self.names();
        let last = header
            .len()
            .checked_sub(names.len())
            .ok_or("too few columns")?;
        if header[last..] != names {
            return Err(format!(
                "columns are {header:?}, and should end with {names:?}"
            ));
        }
        let mut flat = Flat::new();
        for line in lines {
            if line.len() != header.len() {
                return Err(format!("{line:?} has not the columns {header:?}"));
            }
            let cell =
                |name: &str| Some(line[header[..last].iter().position(|h| h == name)?].clone());
            let place = TOLD_BY
                .iter()
                .filter_map(|name| Some((*name, cell(name)?)))
                .collect();
            let told =
                |text: &String| (!text.is_empty()).then(|| Json::Number(text.clone()).normal());
            let said = names
                .iter()
                .zip(&line[last..])
                .filter_map(|(name, text)| Some((name.clone(), told(text)?)));
            flat.push((place, said.collect()));
        }
        Ok(saying(flat))
    }
}

pub(crate) fn object(text: &str) -> Outcome<Object> {
    serde_json::from_str(text).map_err(|e| format!("{e}: {text}"))
}

fn told_by(row: &Object, names: &[&'static str]) -> Outcome<Place> {
    let mut place = Place::new();
    for name in names {
        match row.get(*name).map(|value| Json::read(value.get())) {
            None | Some(Json::Null) => {}
            Some(Json::Text(text)) => place.push((name, text)),
            Some(other) => return Err(format!("{name} is {other}")),
        }
    }
    Ok(place)
}

fn only(said: &Said, names: &[String]) -> Outcome {
    match said.keys().find(|name| !names.contains(name)) {
        Some(other) => Err(format!("there is a column {other}, of {names:?}")),
        None => Ok(()),
    }
}

fn below<'a>(value: &'a Json, path: &[String]) -> Option<&'a Json> {
    path.iter().try_fold(value, |value, key| match value {
        Json::Object(members) => members
            .iter()
            .find(|(k, _)| k == key)
            .map(|(_, member)| member),
        _ => None,
    })
}

/// Without what says nothing; -0.0 is 0.
fn saying(flat: Flat) -> Flat {
    let some = |said: Said| {
        said.into_iter()
            .filter(|(_, value)| *value != Json::Null)
            .collect::<Said>()
    };
    flat.into_iter()
        .map(|(place, said)| (place, some(said)))
        .filter(|(_, said)| !said.is_empty())
        .collect()
}

/// RFC 4180: cells may be quoted, and then have commas, line ends, and doubled quotes.
pub(crate) fn csv(text: &str) -> Vec<Vec<String>> {
    let mut lines = vec![vec![String::new()]];
    let mut quoted = false;
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        let line = lines.last_mut().expect("a line");
        let cell = line.last_mut().expect("a cell");
        match character {
            '"' if quoted && characters.peek() == Some(&'"') => cell.extend(characters.next()),
            '"' => quoted = !quoted,
            ',' if !quoted => line.push(String::new()),
            '\r' if !quoted => {}
            '\n' if !quoted => lines.push(vec![String::new()]),
            other => cell.push(other),
        }
    }
    lines.retain(|line| line.len() > 1 || !line[0].is_empty());
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::catalogue;

    const BUCKET: &str = r#""bucket":"2025-01-01T00:00:00Z""#;

    fn rows(rows: &[&str]) -> Vec<Box<RawValue>> {
        let row = |row: &&str| RawValue::from_string(row.replace("BUCKET", BUCKET)).expect("JSON");
        rows.iter().map(row).collect()
    }

    #[test]
    fn one_function_has_a_column_named_value() {
        let columns = Columns {
            functions: &["avg"],
            over: &[],
        };
        let nested = rows(&[
            r#"{BUCKET,"series":"num.bare","value":1.5}"#,
            r#"{BUCKET,"series":"num.place","value":{"pos":{"x":2,"y":null}}}"#,
        ]);
        let nested = columns.of_nested(&nested, &catalogue()).expect("rows");
        let flat = rows(&[
            r#"{BUCKET,"series":"num.bare","leaf":"value","value":1.5}"#,
            r#"{BUCKET,"series":"num.place","leaf":"pos.x","value":2}"#,
        ]);
        assert_eq!(columns.of_flat(&flat).expect("rows"), nested);
        let csv = "bucket,series,leaf,value\n2025-01-01T00:00:00Z,num.bare,value,1.5\n2025-01-01T00:00:00Z,num.place,pos.x,2\n";
        assert_eq!(columns.of_csv(csv).expect("rows"), nested);
        let arrays = rows(&[
            r#"{"series":"num.bare","leaf":"value","bucket":["2025-01-01T00:00:00Z"],"value":[1.5]}"#,
            r#"{"series":"num.place","leaf":"pos.x","bucket":["2025-01-01T00:00:00Z"],"value":[2]}"#,
        ]);
        assert_eq!(columns.of_columns(&arrays).expect("rows"), nested);
    }

    #[test]
    fn several_functions_have_columns_of_their_names() {
        let columns = Columns {
            functions: &["max", "count"],
            over: &["p99.90", "min"],
        };
        let value = r#"{"max":{"p99.9":3,"min":1},"count":{"p99.9":2,"min":2}}"#;
        let nested = rows(&[&format!(
            r#"{{BUCKET,"series":"num.steps","value":{value}}}"#
        )]);
        let cells = r#""max_p99.9":3,"max_min":1,"count_p99.9":2,"count_min":2"#;
        let flat = rows(&[&format!(
            r#"{{BUCKET,"series":"num.steps","leaf":"value",{cells}}}"#
        )]);
        let nested = columns.of_nested(&nested, &catalogue()).expect("rows");
        assert_eq!(
            (nested.len(), columns.of_flat(&flat).expect("rows")),
            (1, nested)
        );
    }

    #[test]
    fn cells_may_be_quoted() {
        let lines = csv("a,b\r\n\"x \"\"y\"\",\nz\",2\n\n# end of 1 rows\n");
        assert_eq!(
            lines,
            [
                vec!["a", "b"],
                vec!["x \"y\",\nz", "2"],
                vec!["# end of 1 rows"]
            ]
        );
    }
}
