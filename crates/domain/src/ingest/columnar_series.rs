//! Points of one series whose values consist of numbers only, as columns.

use std::sync::Arc;

use super::shape::{NumericColumns, Shape};
use crate::block::{Column, SeriesColumns};
use crate::json::Pointer;
use crate::json::{Number, numbers};
use crate::metric_type::{MetricType, StepBudget, ValueSchema};
use crate::{Json, Timestamp};

/// The points of one series, in order of arrival.
#[derive(Debug)]
pub(super) struct ColumnarSeries {
    pub(super) name: Arc<str>,
    pub(super) shape: Shape,
    pub(super) times: Vec<Timestamp>,
    /// One column per leaf, in the order of the leaves.
    columns: Vec<Vec<f64>>,
}

impl ColumnarSeries {
    /// Creates a series without points.
    pub(super) fn new(name: Arc<str>, shape: Shape) -> Self {
        let columns = vec![Vec::new(); shape.leaves()];
        Self {
            name,
            shape,
            times: Vec::new(),
            columns,
        }
    }

    /// Adds a point; returns false and adds nothing if the value has another shape.
    pub(super) fn push(&mut self, time: Timestamp, value: &str) -> bool {
        let is_added = self.push_value(value);
        if is_added {
            self.times.push(time);
        }
        is_added
    }

    fn push_value(&mut self, value: &str) -> bool {
        let points = self.times.len();
        let is_of_shape = match &self.shape {
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
        if !is_of_shape {
            for column in &mut self.columns {
                column.truncate(points);
            }
        }
        is_of_shape
    }

    /// Adds points from columns as long as `times`; returns false and adds nothing if the values
    /// have another shape.
    pub(super) fn push_columns(&mut self, times: Vec<Timestamp>, values: NumericColumns) -> bool {
        if self.shape != values.shape {
            return false;
        }
        if self.times.is_empty() {
            self.times = times;
            self.columns = values.columns;
            return true;
        }
        self.times.extend(times);
        for (column, more) in self.columns.iter_mut().zip(values.columns) {
            column.extend(more);
        }
        true
    }

    /// Returns the value of the point at `index`.
    fn value(&self, index: usize) -> Json {
        let number =
            |column: &Vec<f64>| Number::from_f64(column[index]).map_or(Json::Null, Json::Number);
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

    /// The numbers of the leaf at index `leaf`, one per point.
    pub(super) fn column(&self, leaf: usize) -> &[f64] {
        &self.columns[leaf]
    }

    /// Returns whether every value fits a schema.
    pub(super) fn fits(&self, schema: &ValueSchema, budget: &mut StepBudget) -> bool {
        let keys = match &self.shape {
            Shape::Number => None,
            Shape::Object(keys) => Some(keys.as_slice()),
        };
        schema.admits_numbers(keys, &self.columns)
            || (0..self.times.len()).all(|index| schema.fits(&self.value(index), budget))
    }

    /// Sorts the points by (time, arrival).
    pub(super) fn sort(&mut self) {
        if self.times.is_sorted() {
            return;
        }
        let mut order: Vec<usize> = (0..self.times.len()).collect();
        // Stable: equal times keep their order of arrival.
        order.sort_by_key(|index| self.times[*index]);
        self.times = order.iter().map(|index| self.times[*index]).collect();
        for column in &mut self.columns {
            *column = order.iter().map(|index| column[*index]).collect();
        }
    }

    /// Returns whether every leaf is a channel, so that no value has a remainder.
    pub(super) fn is_of_channels(&self, metric_type: &MetricType) -> bool {
        let channels = metric_type
            .channels
            .iter()
            .filter(|channel| self.shape.leaf_at(&channel.pointer).is_some());
        channels.count() == self.shape.leaves()
    }

    /// Converts the points to columns of the metric type's channels. Every leaf must be a channel,
    /// and the points must be sorted.
    pub(super) fn into_columns(mut self, metric_type: &MetricType) -> SeriesColumns {
        let mut channel = |pointer: &Pointer| match self.shape.leaf_at(pointer) {
            Some(leaf) => Column::Dense(std::mem::take(&mut self.columns[leaf])),
            None => Column::Absent,
        };
        let channels = metric_type
            .channels
            .iter()
            .map(|c| channel(&c.pointer))
            .collect();
        SeriesColumns::of_numbers(metric_type.id, self.times, channels)
    }
}
