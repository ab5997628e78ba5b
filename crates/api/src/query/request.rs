//! A resolved aggregate request: the query, and the parameters that the answer echoes.

use time_series_domain::Calendar;
use time_series_domain::fingerprint::{Fingerprint, FingerprintHasher};
use time_series_domain::query::AggregateSpec;

use crate::format::{End, Format};
use crate::request::Output;

/// A query, and the parameters as given, which the answer echoes.
#[derive(Clone)]
pub(super) struct AggregateRequest {
    pub(super) spec: AggregateSpec,
    pub(super) interval: String,
    pub(super) series: Vec<String>,
    pub(super) output: Output,
    pub(super) end: End,
    pub(super) calendar: Calendar,
    /// True if the range depends on the current time, which differs for every request.
    pub(super) until_now: bool,
}

impl AggregateRequest {
    /// Returns the fingerprint of the rendering: of everything that the answer shows in addition to
    /// the fields of the query.
    pub(super) fn render_key(&self, format: Format, cache_namespace: &Fingerprint) -> Fingerprint {
        // `until_now` decides whether the answer is cached, not what it shows.
        let Self {
            spec: _,
            interval,
            series,
            output,
            end,
            calendar,
            until_now: _,
        } = self;
        let mut hasher = FingerprintHasher::new("aggregate rendering");
        hasher
            .field("interval", interval)
            .field("series", series)
            .field("output", output)
            .field("end", end)
            .field("calendar", calendar)
            .field("format", &format)
            .field("edition", cache_namespace);
        hasher.finish()
    }
}

#[cfg(test)]
mod tests {
    use time_series_domain::{Interval, Timestamp, UserId, Weekday};
    use uuid::Uuid;

    use super::*;

    fn request() -> AggregateRequest {
        let calendar = Calendar::new(Interval::Days(1), "UTC", Weekday::Monday).expect("a zone");
        let range = Timestamp::from_micros(0)..Timestamp::from_micros(1);
        AggregateRequest {
            spec: AggregateSpec::new(UserId(Uuid::from_u128(1)), calendar.clone(), range),
            interval: "day".to_owned(),
            series: vec!["a".to_owned(), "b".to_owned()],
            output: Output::Nested,
            end: End::Record,
            calendar,
            until_now: false,
        }
    }

    fn cache_namespace(text: &str) -> Fingerprint {
        FingerprintHasher::new("test")
            .field("edition", text)
            .finish()
    }

    #[test]
    fn every_part_of_the_rendering_changes_its_key() {
        let zone = |name| Calendar::new(Interval::Days(1), name, Weekday::Monday).expect("a zone");
        let key =
            |request: &AggregateRequest| request.render_key(Format::Json, &cache_namespace("1"));
        let mut keys = vec![
            key(&request()),
            key(&AggregateRequest {
                interval: "1d".to_owned(),
                ..request()
            }),
            key(&AggregateRequest {
                series: vec!["a,b".to_owned()],
                ..request()
            }),
            key(&AggregateRequest {
                series: Vec::new(),
                ..request()
            }),
            key(&AggregateRequest {
                output: Output::Flat,
                ..request()
            }),
            key(&AggregateRequest {
                output: Output::Columns,
                ..request()
            }),
            key(&AggregateRequest {
                end: End::None,
                ..request()
            }),
            key(&AggregateRequest {
                calendar: zone("Asia/Tokyo"),
                ..request()
            }),
            request().render_key(Format::Json, &cache_namespace("2")),
        ];
        keys.extend(
            Format::ALL[1..]
                .iter()
                .map(|format| request().render_key(*format, &cache_namespace("1"))),
        );
        let different: std::collections::HashSet<_> = keys.iter().collect();
        assert_eq!(different.len(), keys.len(), "{keys:?}");
        assert_eq!(
            key(&request()),
            key(&AggregateRequest {
                until_now: true,
                ..request()
            }),
            "until_now must not change the key"
        );
    }
}
