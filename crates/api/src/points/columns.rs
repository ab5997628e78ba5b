//! Column layout of points: arrays by series and leaf.

use std::collections::BTreeMap;
use std::sync::Arc;

use time_series_domain::{Json, Timestamp};
use uuid::Uuid;

use super::value_text::SeriesText;
use crate::format::{JsonList, json, json_text};

/// The arrays of each series and leaf. The leaf `None` contains the remainders of values.
pub(super) struct Traces {
    traces: BTreeMap<(Arc<str>, Option<Arc<str>>), Trace>,
    has_weight: bool,
}

#[derive(Default)]
struct Trace {
    times: Vec<Timestamp>,
    sessions: Vec<Uuid>,
    numbers: Vec<f64>,
    remainders: Vec<Json>,
    weights: Vec<u64>,
}

impl Traces {
    pub(super) const fn new(has_weight: bool) -> Self {
        Self {
            traces: BTreeMap::new(),
            has_weight,
        }
    }

    pub(super) fn push(
        &mut self,
        text: &SeriesText,
        numbers: &[Option<f64>],
        session: Uuid,
        time: Timestamp,
        remainder: Option<Json>,
        weight: Option<u64>,
    ) {
        for (leaf, number) in text.leaves.iter().zip(numbers) {
            if let Some(number) = number {
                let trace = self.trace(text, Some(leaf.clone()));
                trace.point(session, time, weight);
                trace.numbers.push(*number);
            }
        }
        if let Some(remainder) = remainder {
            let trace = self.trace(text, None);
            trace.point(session, time, weight);
            trace.remainders.push(remainder);
        }
    }

    fn trace(&mut self, text: &SeriesText, leaf: Option<Arc<str>>) -> &mut Trace {
        self.traces.entry((text.name.clone(), leaf)).or_default()
    }

    /// Appends all traces. Returns their number.
    pub(super) fn write(self, out: &mut Vec<u8>) -> usize {
        let mut list = JsonList::default();
        let count = self.traces.len();
        for ((series, leaf), trace) in self.traces {
            list.next(out);
            out.extend_from_slice(b"{\"series\":");
            json_text(out, &series);
            out.extend_from_slice(b",\"leaf\":");
            json(out, &leaf.as_deref());
            out.extend_from_slice(b",\"time\":");
            json(
                out,
                &trace
                    .times
                    .iter()
                    .map(ToString::to_string)
                    .collect::<Vec<_>>(),
            );
            out.extend_from_slice(b",\"session_id\":");
            json(out, &trace.sessions);
            out.extend_from_slice(b",\"value\":");
            if leaf.is_some() {
                json(out, &trace.numbers);
            } else {
                json(out, &trace.remainders);
            }
            if self.has_weight {
                out.extend_from_slice(b",\"weight\":");
                json(out, &trace.weights);
            }
            out.push(b'}');
        }
        count
    }
}

impl Trace {
    fn point(&mut self, session: Uuid, time: Timestamp, weight: Option<u64>) {
        self.times.push(time);
        self.sessions.push(session);
        self.weights.extend(weight);
    }
}
