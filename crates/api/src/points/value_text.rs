//! Fast path for values that consist of numbers only.

use std::io::Write;
use std::sync::Arc;

use time_series_domain::MetricType;

use crate::format::{json, json_text};

/// Magnitude below which whole doubles are written without a decimal point.
const WHOLE: f64 = 1e15;

/// The texts of a series that its points share.
pub(super) struct SeriesText {
    /// The name as a JSON string.
    pub(super) name_json: Vec<u8>,
    pub(super) name: Arc<str>,
    /// The leaves in dotted notation.
    pub(super) leaves: Vec<Arc<str>>,
    /// Channels in the order of their keys, each with the text before its number; `None` if values
    /// nest.
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
            .filter_map(|(index, t)| {
                if let [key] = t {
                    Some((index, key))
                } else {
                    None
                }
            })
            .collect();
        keys.sort_by_key(|(_, key)| *key);
        let is_shallow = keys.len() == metric_type.channels.len();
        let member = |(index, key): (usize, &String)| {
            let mut text = Vec::new();
            json_text(&mut text, key);
            text.push(b':');
            (index, text)
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

    /// Appends a value that consists of numbers only. Returns false if the value needs the slow
    /// path.
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
        for (index, key) in members {
            if let Some(&Some(value)) = numbers.get(*index) {
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

/// Appends a number; whole numbers are written without a decimal point.
#[expect(clippy::cast_possible_truncation, reason = "whole and below 2^53")]
fn number(out: &mut Vec<u8>, value: f64) {
    if value.fract() == 0.0 && value.abs() < WHOLE && (value != 0.0 || value.is_sign_positive()) {
        let _ = write!(out, "{}", value as i64);
    } else {
        json(out, &value);
    }
}
