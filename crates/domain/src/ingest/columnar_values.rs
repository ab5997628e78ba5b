//! Points whose values are numbers and nothing else, as columns from the first. Most sessions have no others.

use std::collections::HashMap;
use std::sync::Arc;

use crate::block::{Column, SeriesColumns};
use crate::json::Pointer;
use crate::json::{Number, numbers};
use crate::metric_type::{MetricType, StepBudget, ValueSchema};
use crate::{Json, Timestamp};

/// Values of more numbers are left to the tree.
const MAX_LEAVES: usize = 64;

/// Points of some series, each series with values of one shape.
#[derive(Debug, Default)]
pub(super) struct ColumnarValues {
    pub(super) series: Vec<ColumnarSeries>,
    by_name: HashMap<Arc<str>, usize>,
    /// Where the series of the point before stands: the one behind it is likely to be the next.
    last: usize,
    len: usize,
}

/// The points of one series, in order of arrival.
#[derive(Debug)]
pub(super) struct ColumnarSeries {
    pub(super) name: Arc<str>,
    pub(super) shape: Shape,
    pub(super) times: Vec<Timestamp>,
    /// One column per leaf, in their order.
    columns: Vec<Vec<f64>>,
}

/// What values look like.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Shape {
    /// A number.
    Number,
    /// An object of numbers under these keys, in their order of appearance.
    Object(Vec<Arc<str>>),
}

/// Values of one shape, a column a leaf.
pub(super) struct NumericColumns {
    pub(super) shape: Shape,
    pub(super) columns: Vec<Vec<f64>>,
}

impl Shape {
    /// The shape of objects with these keys; `None` if there is none, one is there twice, or they are very many.
    pub(super) fn object<'a>(keys: impl IntoIterator<Item = &'a str>) -> Option<Self> {
        let keys: Vec<Arc<str>> = keys
            .into_iter()
            .take(MAX_LEAVES + 1)
            .map(Arc::from)
            .collect();
        let is_again = |place: usize| keys[..place].contains(&keys[place]);
        let is_numeric = (1..=MAX_LEAVES).contains(&keys.len()) && !(0..keys.len()).any(is_again);
        is_numeric.then_some(Self::Object(keys))
    }

    /// The shape of a value of numbers.
    fn of(value: &str) -> Option<Self> {
        if numbers::number(value).is_some() {
            return Some(Self::Number);
        }
        let mut keys = Vec::new();
        let is_object = numbers::members(value, |key, _| {
            keys.push(key);
            true
        });
        is_object.then(|| Self::object(keys))?
    }

    /// How many numbers a value has.
    const fn leaves(&self) -> usize {
        match self {
            Self::Number => 1,
            Self::Object(keys) => keys.len(),
        }
    }

    /// The places of the leaves, by key.
    pub(super) fn by_key(&self) -> Vec<(Option<&str>, usize)> {
        match self {
            Self::Number => vec![(None, 0)],
            Self::Object(keys) => {
                let mut locations: Vec<_> = keys
                    .iter()
                    .enumerate()
                    .map(|(place, key)| (Some(&**key), place))
                    .collect();
                locations.sort_unstable();
                locations
            }
        }
    }

    /// Where the leaf stands that a pointer points to.
    fn place(&self, pointer: &Pointer) -> Option<usize> {
        match (self, pointer.tokens()) {
            (Self::Number, []) => Some(0),
            (Self::Object(keys), [token]) => keys.iter().position(|key| **key == **token),
            _ => None,
        }
    }
}

impl ColumnarValues {
    pub(super) const fn len(&self) -> usize {
        self.len
    }

    /// Adds a point; false if its value is not of numbers, or not of the shape of its series.
    pub(super) fn push(&mut self, series: &str, time: Timestamp, value: &str) -> bool {
        let place = match self.place(series) {
            Some(place) => place,
            None => match Shape::of(value) {
                Some(shape) => self.add(series.into(), shape),
                None => return false,
            },
        };
        let series = &mut self.series[place];
        if !series.push_value(value) {
            return false;
        }
        series.times.push(time);
        self.len += 1;
        self.last = place;
        true
    }

    /// Adds columns as long as `times`; false if their values are not of the shape of their series.
    pub(super) fn push_columns(
        &mut self,
        series: &Arc<str>,
        times: Vec<Timestamp>,
        values: NumericColumns,
    ) -> bool {
        let place = self
            .place(series)
            .unwrap_or_else(|| self.add(series.clone(), values.shape.clone()));
        let series = &mut self.series[place];
        if series.shape != values.shape {
            return false;
        }
        self.len += times.len();
        self.last = place;
        if series.times.is_empty() {
            (series.times, series.columns) = (times, values.columns);
            return true;
        }
        series.times.extend(times);
        for (column, more) in series.columns.iter_mut().zip(values.columns) {
            column.extend(more);
        }
        true
    }

    fn place(&self, name: &str) -> Option<usize> {
        let is_it = |place: &usize| {
            self.series
                .get(*place)
                .is_some_and(|series| *series.name == *name)
        };
        let next = if self.last + 1 < self.series.len() {
            self.last + 1
        } else {
            0
        };
        [next, self.last]
            .into_iter()
            .find(is_it)
            .or_else(|| self.by_name.get(name).copied())
    }

    fn add(&mut self, name: Arc<str>, shape: Shape) -> usize {
        let place = self.series.len();
        let columns = vec![Vec::new(); shape.leaves()];
        self.by_name.insert(name.clone(), place);
        self.series.push(ColumnarSeries {
            name,
            shape,
            times: Vec::new(),
            columns,
        });
        place
    }
}

impl ColumnarSeries {
    /// Adds a value to the columns; false, and nothing is added, if it is of another shape.
    fn push_value(&mut self, value: &str) -> bool {
        let points = self.times.len();
        let is_alike = match &self.shape {
            Shape::Number => numbers::number(value)
                .map(|number| self.columns[0].push(number))
                .is_some(),
            Shape::Object(keys) => {
                let mut leaves = keys.iter().zip(&mut self.columns);
                let mut push = |key: &str, number| match leaves.next() {
                    Some((expected, column)) if **expected == *key => {
                        column.push(number);
                        true
                    }
                    _ => false,
                };
                numbers::members(value, &mut push) && leaves.next().is_none()
            }
        };
        if !is_alike {
            self.columns
                .iter_mut()
                .for_each(|column| column.truncate(points));
        }
        is_alike
    }

    /// The value of the point at `place`.
    pub(super) fn value(&self, place: usize) -> Json {
        let number =
            |column: &Vec<f64>| Number::from_f64(column[place]).map_or(Json::Null, Json::Number);
        match &self.shape {
            Shape::Number => number(&self.columns[0]),
            Shape::Object(keys) => {
                let members = keys
                    .iter()
                    .map(|key| key.as_ref().to_owned())
                    .zip(self.columns.iter().map(number));
                Json::Object(members.collect())
            }
        }
    }

    /// The numbers of the leaf at `leaf`, point by point.
    pub(super) fn column(&self, leaf: usize) -> &[f64] {
        &self.columns[leaf]
    }

    /// Whether every value fits a schema.
    pub(super) fn fits(&self, schema: &ValueSchema, budget: &mut StepBudget) -> bool {
        let keys = match &self.shape {
            Shape::Number => None,
            Shape::Object(keys) => Some(keys.as_slice()),
        };
        schema.admits_numbers(keys, &self.columns)
            || (0..self.times.len()).all(|place| schema.fits(&self.value(place), budget))
    }

    /// By (time, arrival).
    pub(super) fn sort(&mut self) {
        if self.times.is_sorted() {
            return;
        }
        let mut order: Vec<usize> = (0..self.times.len()).collect();
        order.sort_by_key(|place| self.times[*place]); // stable: equal times keep their order of arrival
        self.times = order.iter().map(|place| self.times[*place]).collect();
        for column in &mut self.columns {
            *column = order.iter().map(|place| column[*place]).collect();
        }
    }

    /// Whether every leaf is a channel, so that nothing remains beside them.
    pub(super) fn is_of_channels(&self, metric_type: &MetricType) -> bool {
        let channels = &metric_type.channels;
        channels
            .iter()
            .filter(|channel| self.shape.place(&channel.pointer).is_some())
            .count()
            == self.shape.leaves()
    }

    /// As columns of the metric type's channels. Every leaf is one of them, and the points are sorted.
    pub(super) fn into_columns(mut self, metric_type: &MetricType) -> SeriesColumns {
        let mut channel = |pointer: &Pointer| match self.shape.place(pointer) {
            Some(leaf) => Column::Dense(std::mem::take(&mut self.columns[leaf])),
            None => Column::Absent,
        };
        let channels = metric_type
            .channels
            .iter()
            .map(|channel| &channel.pointer)
            .map(&mut channel)
            .collect();
        SeriesColumns::of_numbers(metric_type.id, self.times, channels)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::super::draft_points::DraftPoints;
    use super::super::{EncodedSession, SessionDraft, ValidSession};
    use crate::channel::{Channel, ChannelId};
    use crate::metric_type::{Catalogue, SeriesName};
    use crate::model::AppendTarget;
    use crate::{MetricTypeId, TimeRules};

    use super::*;

    fn catalogue() -> Catalogue {
        let metric_type = |id, series, schema| {
            let schema = ValueSchema::parse(schema).expect("a schema");
            let channel = |(place, pointer)| Channel {
                id: ChannelId(10 * id + place),
                pointer,
            };
            MetricType {
                id: MetricTypeId(id),
                series: SeriesName::parse(series).expect("a name"),
                channels: (0..)
                    .zip(schema.numeric_leaves().to_vec())
                    .map(channel)
                    .collect(),
                schema: Arc::new(schema),
                description: String::new(),
                unit: String::new(),
                generation: 1,
                schema_generation: 1,
                created_at: Timestamp::EPOCH,
                updated_at: Timestamp::EPOCH,
            }
        };
        let (number, whole) = (
            json!({"type": "number"}),
            json!({"type": "integer", "minimum": 0}),
        );
        let object =
            json!({"type": "object", "properties": {"a": number, "b": whole}, "required": ["a"]});
        let odd =
            json!({"type": "object", "properties": {"a": {"type": "number", "multipleOf": 0.5}}});
        let text = json!({"type": ["number", "object", "string", "null"]});
        let types = [
            ("number", number),
            ("object", object),
            ("odd", odd),
            ("any", text),
        ];
        let types = (1..)
            .zip(types)
            .map(|(id, (series, schema))| metric_type(id, series, schema));
        Catalogue::new(1, types)
    }

    fn number() -> impl Strategy<Value = String> {
        let texts = [
            "0",
            "-0.0",
            "1",
            "2.50",
            "7.0",
            "1e2",
            "9007199254740993",
            "0.1",
            "1e141",
            "-3",
        ];
        prop_oneof![9 => (0..40_i32).prop_map(|v| (f64::from(v) / 2.0).to_string()), 1 => prop::sample::select(texts.to_vec()).prop_map(str::to_owned)]
    }

    fn value() -> impl Strategy<Value = String> {
        let others = [
            "null",
            "\"1\"",
            "{}",
            "[1]",
            r#"{"a":1,"a":2}"#,
            r#"{"\u0061":1}"#,
            r#"{ "b" : 1 , "a" : 2 }"#,
        ];
        prop_oneof![
            4 => number(),
            8 => number().prop_map(|a| format!(r#"{{"a":{a}}}"#)),
            8 => (number(), number()).prop_map(|(a, b)| format!(r#"{{"a":{a},"b":{b}}}"#)),
            1 => prop::sample::select(others.to_vec()).prop_map(str::to_owned),
        ]
    }

    /// An entry of `data`: points most of the time, columns at times; of one series mostly values of one kind.
    fn entry() -> impl Strategy<Value = String> {
        let series = prop::sample::select(vec![
            "number", "number", "object", "object", "odd", "any", "none",
        ]);
        let second = || 0..60_u32;
        let of_series = move |series: &'static str| {
            let fitting = match series {
                "number" => number().boxed(),
                "object" => (number(), 0..9_u32)
                    .prop_map(|(a, b)| format!(r#"{{"a":{a},"b":{b}}}"#))
                    .boxed(),
                _ => number().prop_map(|a| format!(r#"{{"a":{a}}}"#)).boxed(),
            };
            prop_oneof![12 => fitting, 1 => value()].prop_map(move |value| (series, value))
        };
        let point = (series.clone().prop_flat_map(of_series), second()).prop_map(|((series, value), second)| {
            format!(r#"{{"series":"{series}","time":"2025-01-01T00:00:{second:02}Z","value":{value}}}"#)
        });
        let list = || {
            prop::collection::vec(number(), 0..4).prop_map(|list| format!("[{}]", list.join(",")))
        };
        let leaves = (list(), list()).prop_map(|(a, b)| format!(r#"{{"a":{a},"b":{b}}}"#));
        let alone = list().prop_map(|a| format!(r#"{{"a":{a}}}"#));
        let columns = (series, second(), prop_oneof![list(), leaves, alone]).prop_map(
            |(series, second, values)| {
                let times = format!(r#"{{"start":"2025-01-01T00:00:{second:02}Z","step":"10s"}}"#);
                format!(r#"{{"series":"{series}","times":{times},"values":{values}}}"#)
            },
        );
        prop_oneof![5 => point, 1 => columns]
    }

    /// What is stored of a session, or what is wrong with it.
    fn outcome(raw: SessionDraft<'_>) -> Result<String, String> {
        let now = Timestamp::parse_rfc3339("2025-02-01T00:00:00Z").expect("a time");
        let valid = ValidSession::check(
            raw,
            &catalogue(),
            &TimeRules::default(),
            now,
            AppendTarget::Alone,
        );
        let errors = valid.map(|valid| format!("{:?}", EncodedSession::encode(valid)));
        errors.map_err(|errors| format!("{errors:?}"))
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        #[test]
        fn they_are_stored_and_refused_as_points_one_by_one(entries in prop::collection::vec(entry(), 0..12)) {
            let ids = r#""user_id":"8b0e7a52-6a3f-4a8c-9d0a-0d6a7c1f2b3e","session_id":"8b0e7a52-6a3f-4a8c-9d0a-0d6a7c1f2b3f""#;
            let body = format!(r#"{{{ids},"data":[{}]}}"#, entries.join(","));
            let read = || SessionDraft::from_json(body.as_bytes()).expect("an object");
            prop_assert_eq!(outcome(read()), outcome(read().with_values()), "{}", body);
        }
    }

    #[test]
    fn values_of_numbers_become_columns() {
        let point = |value: &&str| {
            format!(r#"{{"series":"s","time":"2025-01-01T00:00:00Z","value":{value}}}"#)
        };
        let is_numeric = |values: &[&str]| {
            let entries: Vec<String> = values.iter().map(point).collect();
            let body = format!(r#"{{"data":[{}]}}"#, entries.join(","));
            let session = SessionDraft::from_json(body.as_bytes()).expect("no fault");
            matches!(session.points, DraftPoints::Numeric(_))
        };
        assert!(is_numeric(&["1", "2.5", "-0.0"]));
        assert!(is_numeric(&[r#"{"b":1,"a":0}"#, r#"{"b":3,"a":4}"#]));
        for values in [
            ["1", "null"],
            ["1", r#"{"a":1}"#],
            ["9007199254740993", "1"],
            [r#"{"a":1}"#, r#"{"b":1}"#],
        ] {
            assert!(!is_numeric(&values), "{values:?}");
        }
    }
}
