//! Conversion of the shapes, layouts and formats of an aggregate answer to common flat rows.

use std::collections::BTreeMap;

use serde_json::value::RawValue;

use crate::compare::aggregate_rows::column_prefixes;
use crate::compare::csv::parse_csv;
use crate::fixture::json::Json;
use crate::fixture::metric_type::{MetricType, Path, leaf_name};
use crate::model::functions::response_key;
use crate::runner::Outcome;

/// The names of the members of a key.
const KEY_NAMES: [&str; 5] = ["bucket", "user_id", "session_id", "series", "leaf"];

/// The key of a flat row; `None` for members that are null or absent.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct FlatKey {
    pub(crate) bucket: Option<String>,
    pub(crate) user_id: Option<String>,
    pub(crate) session_id: Option<String>,
    pub(crate) series: Option<String>,
    pub(crate) leaf: Option<String>,
}

/// A row of one leaf.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct FlatRow {
    pub(crate) key: FlatKey,
    /// The canonical values that are not null, by column.
    values: BTreeMap<String, Json>,
}

type Object = BTreeMap<String, Box<RawValue>>;

/// The functions of a query, from which the columns of its answer follow.
pub(crate) struct Columns<'a> {
    pub(crate) functions: &'a [&'static str],
    pub(crate) over: &'a [&'static str],
}

/// A leaf of a nested row.
struct NestedLeaf {
    name: Option<String>,
    path: Path,
}

impl Columns<'_> {
    /// The names of the columns of flat rows.
    fn names(&self) -> Vec<String> {
        match (self.functions, self.over) {
            ([_], [] | [_]) => vec!["value".to_owned()],
            (functions, [] | [_]) => functions.iter().map(|f| response_key(f)).collect(),
            (functions, over) => functions
                .iter()
                .flat_map(|f| {
                    over.iter()
                        .map(move |o| format!("{}_{}", response_key(f), response_key(o)))
                })
                .collect(),
        }
    }

    /// Converts nested rows of JSON or NDJSON.
    pub(crate) fn read_nested(
        &self,
        rows: &[Box<RawValue>],
        catalogue: &[MetricType],
    ) -> Outcome<Vec<FlatRow>> {
        let mut flat = Vec::new();
        for row in rows {
            let row = parse_object(row.get())?;
            let key = read_key(&row)?;
            let metric_type = catalogue
                .iter()
                .find(|m| Some(&m.series) == key.series.as_ref())
                .ok_or("a row has an unknown series")?;
            let value = Json::parse(row.get("value").ok_or("a row has no value")?.get());
            for NestedLeaf { name, path } in nested_leaves(metric_type) {
                let prefixes = column_prefixes(self.functions, self.over);
                let values = self.names().into_iter().zip(prefixes);
                let values = values.filter_map(|(column, prefix)| {
                    let value = member_at(&value, &[prefix, path.clone()].concat())?;
                    Some((column, value.canonical()))
                });
                flat.push(FlatRow {
                    key: FlatKey {
                        leaf: name,
                        ..key.clone()
                    },
                    values: values.collect(),
                });
            }
        }
        Ok(without_nulls(flat))
    }

    /// Converts flat rows of JSON or NDJSON.
    pub(crate) fn read_flat(&self, rows: &[Box<RawValue>]) -> Outcome<Vec<FlatRow>> {
        let names = self.names();
        let mut flat = Vec::new();
        for row in rows {
            let row = parse_object(row.get())?;
            let values: BTreeMap<String, Json> = row
                .iter()
                .filter(|(name, _)| !KEY_NAMES.contains(&name.as_str()))
                .map(|(name, value)| (name.clone(), Json::parse(value.get()).canonical()))
                .collect();
            if let Some(name) = values.keys().find(|name| !names.contains(name)) {
                return Err(format!("column {name} is none of {names:?}"));
            }
            let key = read_key(&row)?;
            flat.push(FlatRow { key, values });
        }
        Ok(without_nulls(flat))
    }

    /// Converts the objects of `layout=columns`: one per series, leaf and group, with an array per
    /// column.
    pub(crate) fn read_column_layout(&self, objects: &[Box<RawValue>]) -> Outcome<Vec<FlatRow>> {
        let names = self.names();
        let mut flat = Vec::new();
        for object in objects {
            let mut object = parse_object(object.get())?;
            let buckets = take_array(&mut object, "bucket")?;
            let mut columns = Vec::new();
            for name in &names {
                let values = take_array(&mut object, name)?;
                if values.len() != buckets.len() {
                    return Err(format!("{name} and bucket have different lengths"));
                }
                columns.push((name, values));
            }
            let key = read_key(&object)?;
            for (index, bucket) in buckets.into_iter().enumerate() {
                let Json::Text(bucket) = bucket else {
                    return Err(format!("bucket {bucket} is not a string"));
                };
                let values = columns
                    .iter()
                    .map(|(name, values)| ((*name).clone(), values[index].canonical()));
                flat.push(FlatRow {
                    key: FlatKey {
                        bucket: Some(bucket),
                        ..key.clone()
                    },
                    values: values.collect(),
                });
            }
        }
        Ok(without_nulls(flat))
    }

    /// Converts the CSV of numeric series. The first line names the columns.
    pub(crate) fn read_csv(&self, text: &str) -> Outcome<Vec<FlatRow>> {
        let mut lines = parse_csv(text)
            .into_iter()
            .filter(|line| !line[0].starts_with('#'));
        let header = lines.next().ok_or("CSV has no header")?;
        let names = self.names();
        let key_len = header
            .len()
            .checked_sub(names.len())
            .ok_or("CSV has too few columns")?;
        if header[key_len..] != names {
            return Err(format!("columns {header:?} should end with {names:?}"));
        }
        let mut flat = Vec::new();
        for line in lines {
            if line.len() != header.len() {
                return Err(format!("{line:?} does not have the columns {header:?}"));
            }
            let member = |name: &str| {
                let index = header[..key_len].iter().position(|column| column == name)?;
                Some(line[index].clone())
            };
            let number =
                |text: &String| (!text.is_empty()).then(|| Json::Number(text.clone()).canonical());
            let values = names
                .iter()
                .zip(&line[key_len..])
                .filter_map(|(name, text)| Some((name.clone(), number(text)?)));
            flat.push(FlatRow {
                key: FlatKey {
                    bucket: member("bucket"),
                    user_id: member("user_id"),
                    session_id: member("session_id"),
                    series: member("series"),
                    leaf: member("leaf"),
                },
                values: values.collect(),
            });
        }
        Ok(without_nulls(flat))
    }
}

fn nested_leaves(metric_type: &MetricType) -> Vec<NestedLeaf> {
    if !metric_type.is_numeric() {
        return vec![NestedLeaf {
            name: None,
            path: Path::new(),
        }];
    }
    metric_type
        .leaves
        .iter()
        .map(|leaf| NestedLeaf {
            name: Some(leaf_name(leaf)),
            path: metric_type.aggregate_path(leaf),
        })
        .collect()
}

fn parse_object(text: &str) -> Outcome<Object> {
    serde_json::from_str(text).map_err(|e| format!("{e}: {text}"))
}

fn read_key(row: &Object) -> Outcome<FlatKey> {
    let member = |name: &str| match row.get(name).map(|value| Json::parse(value.get())) {
        None | Some(Json::Null) => Ok(None),
        Some(Json::Text(text)) => Ok(Some(text)),
        Some(other) => Err(format!("{name} is {other}")),
    };
    Ok(FlatKey {
        bucket: member("bucket")?,
        user_id: member("user_id")?,
        session_id: member("session_id")?,
        series: member("series")?,
        leaf: member("leaf")?,
    })
}

fn take_array(object: &mut Object, name: &str) -> Outcome<Vec<Json>> {
    match object.remove(name).map(|array| Json::parse(array.get())) {
        Some(Json::List(values)) => Ok(values),
        other => Err(format!("{name} is {other:?}, and should be an array")),
    }
}

fn member_at<'a>(value: &'a Json, path: &[String]) -> Option<&'a Json> {
    path.iter().try_fold(value, |value, key| match value {
        Json::Object(members) => members
            .iter()
            .find(|(k, _)| k == key)
            .map(|(_, member)| member),
        _ => None,
    })
}

/// Leaves out null values, and rows of nulls.
fn without_nulls(mut rows: Vec<FlatRow>) -> Vec<FlatRow> {
    for row in &mut rows {
        row.values.retain(|_, value| *value != Json::Null);
    }
    rows.retain(|row| !row.values.is_empty());
    rows
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::catalogue::catalogue;

    const BUCKET: &str = r#""bucket":"2025-01-01T00:00:00Z""#;
    const BUCKETS: &str = r#""bucket":["2025-01-01T00:00:00Z"]"#;

    /// Parses rows in which `BUCKETS` and `BUCKET` stand for the constants.
    fn rows(rows: &[&str]) -> Vec<Box<RawValue>> {
        rows.iter()
            .map(|row| row.replace("BUCKETS", BUCKETS).replace("BUCKET", BUCKET))
            .map(|row| RawValue::from_string(row).expect("JSON"))
            .collect()
    }

    #[test]
    fn the_column_of_one_function_is_named_value() {
        let columns = Columns {
            functions: &["avg"],
            over: &[],
        };
        let nested = rows(&[
            r#"{BUCKET,"series":"num.bare","value":1.5}"#,
            r#"{BUCKET,"series":"num.place","value":{"pos":{"x":2,"y":null}}}"#,
        ]);
        let nested = columns.read_nested(&nested, &catalogue()).expect("rows");
        let flat = rows(&[
            r#"{BUCKET,"series":"num.bare","leaf":"value","value":1.5}"#,
            r#"{BUCKET,"series":"num.place","leaf":"pos.x","value":2}"#,
        ]);
        assert_eq!(columns.read_flat(&flat).expect("rows"), nested);
        let csv = "bucket,series,leaf,value\n\
                   2025-01-01T00:00:00Z,num.bare,value,1.5\n\
                   2025-01-01T00:00:00Z,num.place,pos.x,2\n";
        assert_eq!(columns.read_csv(csv).expect("rows"), nested);
        let arrays = rows(&[
            r#"{"series":"num.bare","leaf":"value",BUCKETS,"value":[1.5]}"#,
            r#"{"series":"num.place","leaf":"pos.x",BUCKETS,"value":[2]}"#,
        ]);
        assert_eq!(columns.read_column_layout(&arrays).expect("rows"), nested);
    }

    #[test]
    fn the_columns_of_several_functions_are_named_after_them() {
        let columns = Columns {
            functions: &["max", "count"],
            over: &["p99.90", "min"],
        };
        let value = r#"{"max":{"p99.9":3,"min":1},"count":{"p99.9":2,"min":2}}"#;
        let nested = format!(r#"{{BUCKET,"series":"num.steps","value":{value}}}"#);
        let cells = r#""max_p99.9":3,"max_min":1,"count_p99.9":2,"count_min":2"#;
        let flat = format!(r#"{{BUCKET,"series":"num.steps","leaf":"value",{cells}}}"#);
        let nested = columns
            .read_nested(&rows(&[&nested]), &catalogue())
            .expect("rows");
        assert_eq!(nested.len(), 1);
        assert_eq!(columns.read_flat(&rows(&[&flat])).expect("rows"), nested);
    }
}
