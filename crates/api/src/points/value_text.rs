//! Writes the values of a series quickly where they are numbers alone.

use std::io::Write;
use std::sync::Arc;

use time_series_domain::MetricType;

use crate::format::{json, json_text};

/// Beyond this, doubles have no digit behind the point to be left out.
const WHOLE: f64 = 1e15;

/// A series as its points show it.
pub(super) struct SeriesText {
    /// Its name as a JSON string.
    pub(super) name_json: Vec<u8>,
    pub(super) name: Arc<str>,
    /// Dotted.
    pub(super) leaves: Vec<Arc<str>>,
    /// Channels in the order of their keys, each with what stands before its number; `None` where values nest.
    members: Option<Vec<(usize, Vec<u8>)>>,
    is_root: bool,
}

impl SeriesText {
    pub(super) fn of(metric_type: &MetricType) -> Self {
        let mut name_json = Vec::new();
        json_text(&mut name_json, metric_type.series.as_str());
        let tokens = || metric_type.channels.iter().map(|c| c.pointer.tokens());
        let is_root = matches!(metric_type.channels.as_slice(), [only] if only.pointer.is_root());
        let mut keys: Vec<(usize, &String)> = tokens()
            .enumerate()
            .filter_map(|(place, t)| {
                if let [key] = t {
                    Some((place, key))
                } else {
                    None
                }
            })
            .collect();
        keys.sort_by_key(|(_, key)| *key);
        let is_shallow = keys.len() == metric_type.channels.len();
        let member = |(place, key): (usize, &String)| {
            let mut text = Vec::new();
            json_text(&mut text, key);
            text.push(b':');
            (place, text)
        };
        Self {
            name_json,
            name: metric_type.series.as_str().into(),
            leaves: metric_type
                .channels
                .iter()
                .map(|c| c.pointer.dotted().into())
                .collect(),
            members: is_shallow.then(|| keys.into_iter().map(member).collect()),
            is_root,
        }
    }

    /// Appends a value that is numbers alone; false if it takes the long way.
    pub(super) fn write(&self, out: &mut Vec<u8>, numbers: &[Option<f64>]) -> bool {
        if self.is_root {
            let Some(&Some(only)) = numbers.first() else {
                return false;
            };
            number(out, only);
            return true;
        }
        let Some(members) = self
            .members
            .as_ref()
            .filter(|_| numbers.iter().any(Option::is_some))
        else {
            return false;
        };
        let mut separator = b'{';
        for (place, key) in members {
            if let Some(&Some(value)) = numbers.get(*place) {
                out.push(separator);
                out.extend_from_slice(key);
                number(out, value);
                separator = b',';
            }
        }
        out.push(b'}');
        true
    }
}

/// As a point's number is written: whole numbers without a point.
#[expect(clippy::cast_possible_truncation, reason = "whole and below 2^53")]
fn number(out: &mut Vec<u8>, value: f64) {
    if value.fract() == 0.0 && value.abs() < WHOLE && (value != 0.0 || value.is_sign_positive()) {
        let _ = write!(out, "{}", value as i64);
    } else {
        json(out, &value);
    }
}
