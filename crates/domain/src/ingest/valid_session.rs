//! A session in which every point has its metric type, a plausible time and a value that fits.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::place::Place;
use super::{RawSession, Reject, RejectCode, Rejects};
use crate::block::SeriesColumns;
use crate::metric_type::{Catalogue, MetricType};
use crate::session::Join;
use crate::{Json, SessionId, TimeRules, Timestamp, UserId};

/// A session that may be stored. Made by [`ValidSession::check`] only.
#[derive(Debug)]
pub struct ValidSession {
    pub(super) user_id: UserId,
    pub(super) session_id: SessionId,
    pub(super) start_ts: Option<Timestamp>,
    /// By series name; the points of each in order of arrival.
    pub(super) series: BTreeMap<String, ValidSeries>,
    /// The catalogue's generation that the values were checked against.
    pub(super) generation: u64,
    /// The rules that its times were checked by.
    pub(super) rules: TimeRules,
}

#[derive(Debug)]
pub(super) struct ValidSeries {
    pub(super) metric_type: Arc<MetricType>,
    pub(super) points: Vec<(Timestamp, Json)>,
}

impl ValidSession {
    /// Checks every point, also against the session that they join, and names every fault.
    ///
    /// # Errors
    /// [`Rejects`]: those of the raw session and those found here.
    pub fn check(
        raw: RawSession,
        catalogue: &Catalogue,
        rules: &TimeRules,
        now: Timestamp,
        join: Join,
    ) -> Result<Self, Rejects> {
        let mut rejects = raw.rejects;
        let start_ts = raw.start_ts;
        let (window, is_alone) = match join {
            Join::Alone => (None, true),
            Join::Unknown => (None, start_ts.is_some()),
            Join::To(extent) => (extent.window(rules), extent.start_ts.is_none()),
        };
        if raw.lacks_user {
            rejects.push(Reject {
                pointer: "/user_id".to_owned(),
                index: None,
                series: None,
                code: RejectCode::MissingField,
                message: "user_id is required".to_owned(),
            });
        }
        if let Some(Err(e)) = start_ts.map(|t| rules.check(t, now)) {
            rejects.push(Reject {
                pointer: "/start_ts".to_owned(),
                index: None,
                series: None,
                code: RejectCode::ImplausibleTime,
                message: format!("start_ts {e}"),
            });
        }
        if raw.session_id.is_none() && rejects.is_empty() {
            rejects.push(Reject {
                pointer: "/session_id".to_owned(),
                index: None,
                series: None,
                code: RejectCode::MissingField,
                message: "session_id is required".to_owned(),
            });
        }
        let first = raw.points.iter().filter_map(|p| p.time).min().unwrap_or(Timestamp::EPOCH);
        let mut series: BTreeMap<String, ValidSeries> = BTreeMap::new();
        for (number, point) in raw.points.into_iter().enumerate() {
            let place = raw.places.of(number);
            let mut check = PointCheck { place, series: point.series.as_deref(), rejects: &mut rejects };
            if let Some(t) = point.time
                && let Err(e) = rules
                    .check(t, now)
                    .and_then(|()| if is_alone { rules.check_in_session(t, start_ts, first) } else { Ok(()) })
                    .and_then(|()| TimeRules::check_in_window(t, window))
            {
                check.reject(&place.time(), RejectCode::ImplausibleTime, format!("time {e}"));
            }
            let Some(name) = &point.series else { continue };
            let Some(metric_type) = catalogue.get(name) else {
                if place.is_first_of_entry() {
                    check.unknown_series(name, catalogue);
                }
                continue;
            };
            let Some(value) = point.value else { continue };
            let value = if let Place::Row(_) = place { metric_type.value_of_row(value) } else { value };
            for violation in metric_type.schema.violations(&value) {
                let at = place.value(&violation.pointer);
                check.reject(&at, RejectCode::SchemaViolation, violation.message);
            }
            if let Some(time) = point.time {
                if let Some(known) = series.get_mut(&**name) {
                    known.points.push((time, value));
                } else {
                    let metric_type = Arc::clone(metric_type);
                    series.insert(name.as_ref().to_owned(), ValidSeries { metric_type, points: vec![(time, value)] });
                }
            }
        }
        match (raw.user_id, raw.session_id) {
            (Some(user_id), Some(session_id)) if rejects.is_empty() => {
                let generation = catalogue.generation;
                Ok(Self { user_id, session_id, start_ts, series, generation, rules: *rules })
            }
            _ => {
                rejects.sort();
                Err(rejects)
            }
        }
    }

    /// How many points it has.
    #[must_use]
    pub fn points(&self) -> usize {
        self.series.values().map(|s| s.points.len()).sum()
    }

    /// Whose recording it is.
    #[must_use]
    pub const fn user_id(&self) -> UserId {
        self.user_id
    }

    /// Its id.
    #[must_use]
    pub const fn session_id(&self) -> SessionId {
        self.session_id
    }

    pub(super) fn into_columns(self) -> Vec<SeriesColumns> {
        let columns = |s: ValidSeries| SeriesColumns::new(s.metric_type.id, &s.metric_type.pointers(), s.points);
        self.series.into_values().map(columns).collect()
    }
}

struct PointCheck<'a> {
    place: Place,
    series: Option<&'a str>,
    rejects: &'a mut Rejects,
}

impl PointCheck<'_> {
    fn reject(&mut self, at: &str, code: RejectCode, message: String) {
        self.rejects.push(Reject {
            pointer: format!("{}{at}", self.place.entry()),
            index: self.place.index(),
            series: self.series.map(str::to_owned),
            code,
            message,
        });
    }

    fn unknown_series(&mut self, name: &str, catalogue: &Catalogue) {
        // What is not listed needs no hint.
        let suggestions = if self.rejects.is_full() { Vec::new() } else { catalogue.suggestions(name) };
        let hint = if suggestions.is_empty() {
            "GET /api/metrictypes/ lists those there are".to_owned()
        } else {
            format!("did you mean {}?", suggestions.join(" or "))
        };
        let message = format!("no metric type is named {name:?}; {hint}");
        self.reject("/series", RejectCode::UnknownSeries, message);
    }
}
