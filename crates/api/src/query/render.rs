//! An answer as JSON.

use serde::ser::{Serialize, SerializeMap, SerializeSeq, Serializer};
use time_series_domain::query::{AggFunction, AggregateAnswer, BucketRow, Cell, SeriesAnswer, TextSummary};
use time_series_domain::{Interval, MetricType, Summary};

use super::params::Asked;

/// `{"metadata": {…}, "results": […]}`
pub(super) fn render(asked: &Asked, answer: &AggregateAnswer) -> Vec<u8> {
    serde_json::to_vec(&Body { asked, answer }).unwrap_or_default()
}

struct Body<'a> {
    asked: &'a Asked,
    answer: &'a AggregateAnswer,
}

impl Serialize for Body<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut body = serializer.serialize_map(Some(2))?;
        body.serialize_entry("metadata", &Metadata(self))?;
        body.serialize_entry("results", &Results(self))?;
        body.end()
    }
}

struct Metadata<'a>(&'a Body<'a>);

impl Serialize for Metadata<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Body { asked, answer } = self.0;
        let calendar = &asked.query.calendar;
        let mut metadata = serializer.serialize_map(None)?;
        metadata.serialize_entry("count", &answer.rows())?;
        metadata.serialize_entry("interval", &asked.interval)?;
        metadata.serialize_entry("agg_func", &asked.agg_func)?;
        metadata.serialize_entry("user_id", &asked.query.user_id.0)?;
        metadata.serialize_entry("session_id", &asked.query.session_id.map(|s| s.0))?;
        metadata.serialize_entry("series", &asked.series)?;
        metadata.serialize_entry("start_time", &calendar.label(asked.query.range.start))?;
        metadata.serialize_entry("end_time", &calendar.label(asked.query.range.end))?;
        metadata.serialize_entry("tz", calendar.zone_name())?;
        metadata.serialize_entry("week_start", calendar.week_start().name())?;
        metadata.serialize_entry("skipped", &answer.skipped)?;
        metadata.serialize_entry("version", &answer.version)?;
        metadata.end()
    }
}

struct Results<'a>(&'a Body<'a>);

impl Serialize for Results<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Body { asked, answer } = self.0;
        let calendar = &asked.query.calendar;
        // The only bucket of `all` has the start of the range as its label.
        let all = (calendar.interval() == Interval::All).then_some(asked.query.range.start);
        let mut results = serializer.serialize_seq(Some(answer.rows()))?;
        for series in &answer.series {
            let shape = Shape::of(&series.metric_type);
            for row in &series.rows {
                let bucket = calendar.label(all.unwrap_or(row.bucket));
                results.serialize_element(&Row {
                    bucket,
                    series,
                    content: row,
                    shape: &shape,
                    functions: &asked.query.functions,
                })?;
            }
        }
        results.end()
    }
}

struct Row<'a> {
    bucket: String,
    series: &'a SeriesAnswer,
    content: &'a BucketRow,
    shape: &'a Shape,
    functions: &'a [AggFunction],
}

impl Serialize for Row<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut row = serializer.serialize_map(Some(3))?;
        row.serialize_entry("bucket", &self.bucket)?;
        row.serialize_entry("series", self.series.metric_type.series.as_str())?;
        match self.functions {
            [function] => row.serialize_entry("value", &self.value(*function))?,
            _ => row.serialize_entry("value", &ByFunction(self))?,
        }
        row.end()
    }
}

impl<'a> Row<'a> {
    const fn value(&'a self, function: AggFunction) -> CellValue<'a> {
        CellValue { cell: &self.content.cell, shape: self.shape, function }
    }
}

/// `{"avg": …, "max": …}`
struct ByFunction<'a>(&'a Row<'a>);

impl Serialize for ByFunction<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let functions = self.0.functions;
        serializer.collect_map(functions.iter().map(|f| (f.name(), self.0.value(*f))))
    }
}

struct CellValue<'a> {
    cell: &'a Cell,
    shape: &'a Shape,
    function: AggFunction,
}

impl Serialize for CellValue<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.cell {
            Cell::Numbers(summaries) => {
                Leaves { shape: self.shape, summaries, function: self.function }.serialize(serializer)
            }
            Cell::Text(text) => text_value(text, self.function, serializer),
        }
    }
}

fn text_value<S: Serializer>(text: &TextSummary, function: AggFunction, serializer: S) -> Result<S::Ok, S::Error> {
    match function {
        AggFunction::Count => text.count.serialize(serializer),
        AggFunction::First => text.first.value.serialize(serializer),
        AggFunction::Last => text.last.value.serialize(serializer),
        _ => serializer.serialize_none(), // refused before: the function needs numbers
    }
}

/// How the leaves of a value nest.
enum Shape {
    /// The number of the channel at that place.
    Leaf(usize),
    /// Members by key. A leaf that is also a branch has the empty key.
    Branch(Vec<(String, Shape)>),
}

impl Shape {
    fn of(metric_type: &MetricType) -> Self {
        if metric_type.is_scalar() {
            return Self::Leaf(0);
        }
        let mut root = Self::Branch(Vec::new());
        for (place, channel) in metric_type.channels.iter().enumerate() {
            root.insert(channel.pointer.tokens(), place);
        }
        root
    }

    fn insert(&mut self, path: &[String], place: usize) {
        if let Self::Leaf(other) = self {
            *self = Self::Branch(vec![(String::new(), Self::Leaf(*other))]);
        }
        let Self::Branch(members) = self else { return };
        let Some((key, deeper)) = path.split_first() else {
            members.push((String::new(), Self::Leaf(place)));
            return;
        };
        match members.iter_mut().find(|(k, _)| k == key) {
            Some((_, member)) => member.insert(deeper, place),
            None if deeper.is_empty() => members.push((key.clone(), Self::Leaf(place))),
            None => {
                let mut member = Self::Branch(Vec::new());
                member.insert(deeper, place);
                members.push((key.clone(), member));
            }
        }
    }

    /// Whether a bucket has a number here.
    fn has_value(&self, summaries: &[Summary]) -> bool {
        match self {
            Self::Leaf(place) => summaries.get(*place).is_some_and(|s| s.count() > 0),
            Self::Branch(members) => members.iter().any(|(_, member)| member.has_value(summaries)),
        }
    }
}

struct Leaves<'a> {
    shape: &'a Shape,
    summaries: &'a [Summary],
    function: AggFunction,
}

impl Serialize for Leaves<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let members = match self.shape {
            Shape::Leaf(place) => {
                let summary = self.summaries.get(*place).copied().unwrap_or_default();
                return match self.function {
                    AggFunction::Count => summary.count().serialize(serializer),
                    function => function.of(&summary).serialize(serializer),
                };
            }
            Shape::Branch(members) => members.iter().filter(|(_, member)| member.has_value(self.summaries)),
        };
        let leaves = |shape| Leaves { shape, ..*self };
        serializer.collect_map(members.map(|(key, shape)| (key, leaves(shape))))
    }
}
