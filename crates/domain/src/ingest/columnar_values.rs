//! Points whose values consist of numbers only, as columns from the start. Most sessions have no
//! others.

use std::collections::HashMap;
use std::sync::Arc;

use super::columnar_series::ColumnarSeries;
use super::shape::{NumericColumns, Shape};
use crate::Timestamp;

/// Points of several series, each series with values of one shape.
#[derive(Debug, Default)]
pub(super) struct ColumnarValues {
    pub(super) series: Vec<ColumnarSeries>,
    by_name: HashMap<Arc<str>, usize>,
    /// Index of the series of the previous point. The next point is likely of the series after it.
    last: usize,
    len: usize,
}

impl ColumnarValues {
    pub(super) const fn len(&self) -> usize {
        self.len
    }

    /// Adds a point; returns false if its value does not consist of numbers, or not of the shape of
    /// its series.
    pub(super) fn push(&mut self, series: &str, time: Timestamp, value: &str) -> bool {
        let index = match self.index_of(series) {
            Some(index) => index,
            None => match Shape::of(value) {
                Some(shape) => self.add(series.into(), shape),
                None => return false,
            },
        };
        if !self.series[index].push(time, value) {
            return false;
        }
        self.len += 1;
        self.last = index;
        true
    }

    /// Adds columns as long as `times`; returns false if their values are not of the shape of their
    /// series.
    pub(super) fn push_columns(
        &mut self,
        series: &Arc<str>,
        times: Vec<Timestamp>,
        values: NumericColumns,
    ) -> bool {
        let index = self
            .index_of(series)
            .unwrap_or_else(|| self.add(Arc::clone(series), values.shape.clone()));
        let points = times.len();
        if !self.series[index].push_columns(times, values) {
            return false;
        }
        self.len += points;
        self.last = index;
        true
    }

    fn index_of(&self, name: &str) -> Option<usize> {
        let has_name = |index: &usize| {
            self.series
                .get(*index)
                .is_some_and(|series| *series.name == *name)
        };
        let next = if self.last + 1 < self.series.len() {
            self.last + 1
        } else {
            0
        };
        [next, self.last]
            .into_iter()
            .find(has_name)
            .or_else(|| self.by_name.get(name).copied())
    }

    fn add(&mut self, name: Arc<str>, shape: Shape) -> usize {
        let index = self.series.len();
        self.by_name.insert(Arc::clone(&name), index);
        self.series.push(ColumnarSeries::new(name, shape));
        index
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::super::draft_points::DraftPoints;
    use super::super::{EncodedSession, SessionDraft, ValidSession};
    use crate::channel::{Channel, ChannelId};
    use crate::metric_type::{Catalogue, MetricType, SeriesName, ValueSchema};
    use crate::model::AppendTarget;
    use crate::{MetricTypeId, TimeRules};

    use super::*;

    fn catalogue() -> Catalogue {
        let metric_type = |id, series, schema| {
            let schema = ValueSchema::parse(schema).expect("a schema");
            let channel = |(position, pointer)| Channel {
                id: ChannelId(10 * id + position),
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

    /// An entry of `data`: mostly points, sometimes columns; most values of a series have one
    /// shape.
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

    /// The encoded session, or its errors.
    fn outcome(draft: SessionDraft<'_>) -> Result<String, String> {
        let now = Timestamp::parse_rfc3339("2025-02-01T00:00:00Z").expect("a time");
        let valid = ValidSession::check(
            draft,
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
        fn columnar_values_give_the_result_of_parsed_values(entries in prop::collection::vec(entry(), 0..12)) {
            let ids = r#""user_id":"8b0e7a52-6a3f-4a8c-9d0a-0d6a7c1f2b3e","session_id":"8b0e7a52-6a3f-4a8c-9d0a-0d6a7c1f2b3f""#;
            let body = format!(r#"{{{ids},"data":[{}]}}"#, entries.join(","));
            let read = || SessionDraft::from_json(body.as_bytes()).expect("an object");
            prop_assert_eq!(outcome(read()), outcome(read().with_values()), "{}", body);
        }
    }

    #[test]
    fn values_of_one_numeric_shape_are_columnar() {
        let point = |value: &&str| {
            format!(r#"{{"series":"s","time":"2025-01-01T00:00:00Z","value":{value}}}"#)
        };
        let is_numeric = |values: &[&str]| {
            let entries: Vec<String> = values.iter().map(point).collect();
            let body = format!(r#"{{"data":[{}]}}"#, entries.join(","));
            let session = SessionDraft::from_json(body.as_bytes()).expect("no error");
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
