//! An answer's rows against those of the model.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::value::RawValue;
use uuid::Uuid;

use crate::calendar::timestamp;
use crate::json::leaves;
use crate::play::Outcome;
use crate::wide::axis::Axis;
use crate::wide::functions::key;
use crate::wide::model::{Cell, Group, Path, Question, Row};
use crate::wide::want::Want;

/// An answer.
#[derive(Deserialize)]
pub(crate) struct Body {
    pub(crate) metadata: serde_json::Value,
    pub(crate) results: Vec<GotRow>,
}

/// A row of an answer, with nothing that is not known of.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct GotRow {
    pub(crate) bucket: String,
    pub(crate) series: String,
    pub(crate) user_id: Option<Uuid>,
    pub(crate) session_id: Option<Uuid>,
    pub(crate) value: Box<RawValue>,
}

impl Body {
    pub(crate) fn read(text: &str) -> Outcome<Self> {
        serde_json::from_str(text).map_err(|e| format!("{e}: {text}"))
    }
}

impl GotRow {
    /// What a row is told by.
    pub(crate) fn name(&self) -> String {
        name(
            &self.series,
            &self.bucket.replace('Z', "+00:00"),
            Group {
                user: self.user_id,
                session: self.session_id,
            },
        )
    }
}

fn name(series: &str, label: &str, group: Group) -> String {
    let part = |id: Option<Uuid>| id.map(|id| format!(" {id}")).unwrap_or_default();
    format!(
        "{series} {label}{}{}",
        part(group.user),
        part(group.session)
    )
}

/// How an answer spells a bucket.
pub(crate) fn label(asked: &Question<'_>, bucket: i64) -> String {
    match &asked.axis {
        Axis::Offset(_) => duration(bucket),
        Axis::Calendar(calendar) => {
            let offset = jiff::tz::Offset::from_seconds(calendar.offset(bucket))
                .expect("an offset")
                .to_time_zone();
            timestamp(bucket)
                .to_zoned_datetime(offset)
                .strftime("%Y-%m-%dT%H:%M:%S%.f%:z")
                .to_string()
        }
        Axis::Whole => unreachable!("a question has a calendar or offsets"),
    }
}

/// Microseconds as an ISO 8601 duration of hours, minutes and seconds; offsets are of whole seconds.
pub(crate) fn duration(micros: i64) -> String {
    let seconds = micros.abs() / 1_000_000;
    let part = |n: i64, unit: &str| {
        if n == 0 {
            String::new()
        } else {
            format!("{n}{unit}")
        }
    };
    let parts = [
        part(seconds / 3_600, "H"),
        part(seconds / 60 % 60, "M"),
        part(seconds % 60, "S"),
    ]
    .concat();
    let sign = if micros < 0 { "-" } else { "" };
    if parts.is_empty() {
        "PT0S".to_owned()
    } else {
        format!("{sign}PT{parts}")
    }
}

/// Whether an answer has the rows that it should have, in their order, and says in them what it should say.
pub(crate) fn equal(asked: &Question<'_>, body: &Body) -> Outcome {
    if body.metadata["count"] != body.results.len() {
        return Err(format!(
            "count is {} for {} rows",
            body.metadata["count"],
            body.results.len()
        ));
    }
    let rows = asked.answer();
    let wanted: Vec<(String, &Row)> = rows
        .iter()
        .map(|((series, bucket, group), row)| (name(series, &label(asked, *bucket), *group), row))
        .collect();
    let prefixes = prefixes(asked);
    let mut got = body.results.iter().peekable();
    for (name, row) in &wanted {
        let Some(found) = got.next_if(|got| got.name() == *name) else {
            if row.cells.iter().all(may_be_empty) {
                continue;
            }
            return Err(rows_differ(&wanted, body));
        };
        let values = Values::of(found, row);
        row_equal(row, &prefixes, &values)
            .map_err(|e| format!("{name}: {e}, in {}", found.value))?;
    }
    if got.next().is_some() {
        Err(rows_differ(&wanted, body))
    } else {
        Ok(())
    }
}

fn may_be_empty(cell: &Cell) -> bool {
    match cell {
        Cell::Leaves(leaves) => leaves.values().all(Want::allows_absence),
        Cell::Text(want) => want.allows_absence(),
    }
}

fn rows_differ(wanted: &[(String, &Row)], body: &Body) -> String {
    let rows: BTreeSet<&str> = wanted.iter().map(|(name, _)| name.as_str()).collect();
    let got: Vec<String> = body.results.iter().map(GotRow::name).collect();
    let has: BTreeSet<&str> = got.iter().map(String::as_str).collect();
    let missing: Vec<&&str> = rows.difference(&has).take(5).collect();
    let surplus: Vec<&&str> = has.difference(&rows).take(5).collect();
    let counts = format!("of {} and {}", rows.len(), got.len());
    if missing.is_empty() && surplus.is_empty() {
        let pair = wanted
            .iter()
            .zip(&got)
            .find(|((wanted, _), got)| wanted != *got);
        return format!(
            "rows are twice or in another order, {counts}: {:?}",
            pair.map(|((a, _), b)| (a, b))
        );
    }
    format!("rows differ: {missing:?} are missing, {surplus:?} are too many, {counts}")
}

/// The keys above each cell: its function's where there are several, and that of the function over it likewise.
pub(crate) fn prefixes(asked: &Question<'_>) -> Vec<Path> {
    let mut prefixes = vec![Path::new()];
    for functions in [&asked.functions, &asked.over] {
        if functions.len() > 1 {
            let deeper = |prefix: &Path| {
                functions
                    .iter()
                    .map(|f| [prefix.clone(), vec![key(f)]].concat())
                    .collect::<Vec<_>>()
            };
            prefixes = prefixes.iter().flat_map(deeper).collect();
        }
    }
    prefixes
}

/// What a row says in each place.
struct Values(BTreeMap<Path, String>);

impl Values {
    fn of(got: &GotRow, row: &Row) -> Self {
        match row.cells[0] {
            Cell::Leaves(_) => Self(leaves(&got.value)),
            Cell::Text(_) => Self(BTreeMap::from([(Path::new(), got.value.get().to_owned())])),
        }
    }

    /// A value that may be an object itself is under as many keys as its prefix has.
    fn under(&self, prefix: &Path) -> Outcome<BTreeMap<String, Box<RawValue>>> {
        let mut text = self.0[&Path::new()].clone();
        let mut members = BTreeMap::new();
        for key in prefix {
            members = serde_json::from_str::<BTreeMap<String, Box<RawValue>>>(&text)
                .map_err(|e| e.to_string())?;
            let member = members
                .get(key)
                .ok_or_else(|| format!("{key} is missing"))?;
            member.get().clone_into(&mut text);
        }
        Ok(members)
    }
}

fn row_equal(row: &Row, prefixes: &[Path], values: &Values) -> Outcome {
    let mut wanted: BTreeMap<Path, &Want> = BTreeMap::new();
    for (cell, prefix) in row.cells.iter().zip(prefixes) {
        match cell {
            Cell::Text(want) => text_equal(want, prefix, prefixes, values)?,
            Cell::Leaves(leaves) => {
                wanted.extend(
                    leaves
                        .iter()
                        .map(|(path, want)| ([prefix.as_slice(), path].concat(), want)),
                );
            }
        }
    }
    if matches!(row.cells[0], Cell::Text(_)) {
        return Ok(());
    }
    // A bare number that is not there is null.
    let is_said =
        |(path, text): &(&Path, &String)| !(text.as_str() == "null" && prefixes.contains(path));
    let mut said = values.0.iter().filter(is_said).map(|(path, _)| path);
    if let Some(surplus) = said.find(|path| !wanted.contains_key(*path)) {
        return Err(format!("{surplus:?} is there"));
    }
    for (path, want) in wanted {
        let got = values.0.get(&path).map(String::as_str);
        if !want.fits(got) {
            return Err(format!(
                "{}: {want:?} expected, {got:?} answered",
                path.join(".")
            ));
        }
    }
    Ok(())
}

fn text_equal(want: &Want, prefix: &Path, prefixes: &[Path], values: &Values) -> Outcome {
    let Some(last) = prefix.last() else {
        let got = &values.0[&Path::new()];
        return if want.fits(Some(got)) {
            Ok(())
        } else {
            Err(format!("{want:?} expected, {got} answered"))
        };
    };
    let siblings = prefixes
        .iter()
        .filter(|p| p[..p.len() - 1] == prefix[..prefix.len() - 1])
        .count();
    let members = values.under(prefix)?;
    if members.len() != siblings {
        return Err(format!(
            "{siblings} functions asked for, {} answered",
            members.len()
        ));
    }
    let got = members[last].get();
    if want.fits(Some(got)) {
        Ok(())
    } else {
        Err(format!(
            "{}: {want:?} expected, {got} answered",
            prefix.join(".")
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::duration;

    #[test]
    fn offsets_are_spelled_as_durations() {
        let spelled = [0, 300, 5_400, 108_000, -300, -86_400, 86_390]
            .map(|seconds| duration(seconds * 1_000_000));
        assert_eq!(
            spelled,
            [
                "PT0S",
                "PT5M",
                "PT1H30M",
                "PT30H",
                "-PT5M",
                "-PT24H",
                "PT23H59M50S"
            ]
        );
    }
}
