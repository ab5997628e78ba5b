//! The instants of a query's range.

use time_series_domain::text::echo;
use time_series_domain::{Calendar, Timestamp, TimestampError};

use crate::problem::Problem;

const MICROS_PER_MILLISECOND: i64 = 1_000;
/// The fewest digits of milliseconds since 1970: fewer are more likely seconds, and before March 1973 otherwise.
const EPOCH_DIGITS: usize = 11;
/// The longest time before or after now, in seconds: a thousand years.
const LONGEST_SECONDS: i64 = 366_000 * 86_400;

/// An instant, a date whose instant depends on the zone, or a time before or after now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum When {
    Instant(Timestamp),
    Date(String),
    /// In microseconds.
    FromNow(i64),
}

impl When {
    pub(crate) fn read(text: &str) -> Result<Self, String> {
        if let Some(offset) = text.strip_prefix("now") {
            return from_now(offset).map(Self::FromNow).ok_or_else(|| {
                "is not now, or now with a time before or after it, in s, m, h, d (24 hours) or w, such as now-7d"
                    .into()
            });
        }
        if !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()) {
            return epoch(text).map(Self::Instant);
        }
        let is_date = text.len() == 10 && text.bytes().all(|b| b.is_ascii_digit() || b == b'-');
        if is_date {
            return Ok(Self::Date(text.to_owned()));
        }
        Timestamp::parse_rfc3339(text)
            .map(Self::Instant)
            .map_err(|e| {
                if e != TimestampError::NotRfc3339 {
                    return e.to_string();
                }
                let hint = if text.contains(' ') {
                    " (in a URL, write + as %2B)"
                } else {
                    ""
                };
                format!(
                    "{e}, nor a date such as 2025-01-01, milliseconds since 1970, or now-7d{hint}"
                )
            })
    }

    /// Returns true if the instant depends on the time of the request.
    pub(crate) const fn is_relative(&self) -> bool {
        matches!(self, Self::FromNow(_))
    }

    pub(crate) fn resolve(
        self,
        name: &str,
        calendar: &Calendar,
        now: Timestamp,
    ) -> Result<Timestamp, Problem> {
        match self {
            Self::Instant(t) => Ok(t),
            Self::FromNow(micros) => Ok(now.plus_micros(micros)),
            Self::Date(text) => calendar.parse_date(&text).map_err(|e| {
                Problem::parameter(
                    name,
                    format!("{:?} in {} {e}", echo(&text), calendar.zone_name()),
                )
            }),
        }
    }
}

/// Milliseconds since 1970, as dashboards send them.
fn epoch(text: &str) -> Result<Timestamp, String> {
    if text.len() < EPOCH_DIGITS {
        let what =
            "numbers are milliseconds since 1970, of at least 11 digits; use those, or RFC 3339";
        return Err(format!("{:?} is too small: {what}", echo(text)));
    }
    let micros = text
        .parse::<i64>()
        .ok()
        .and_then(|millis| millis.checked_mul(MICROS_PER_MILLISECOND));
    let instant = micros
        .filter(|micros| (Timestamp::MIN.micros()..=Timestamp::MAX.micros()).contains(micros));
    instant
        .map(Timestamp::from_micros)
        .ok_or_else(|| format!("{:?} is after the year 9999", echo(text)))
}

/// Parses the text after `now`: nothing, or a sign, a number and a unit; in microseconds.
fn from_now(text: &str) -> Option<i64> {
    if text.is_empty() {
        return Some(0);
    }
    // In a URL, a plus that is not encoded is a space.
    let (sign, text) = match text.split_at_checked(1)? {
        ("-", rest) => (-1, rest),
        ("+" | " ", rest) => (1, rest),
        _ => return None,
    };
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let seconds = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3_600,
        "d" => 86_400,
        "w" => 7 * 86_400,
        _ => return None,
    };
    let seconds = number
        .parse::<i64>()
        .ok()?
        .checked_mul(seconds)
        .filter(|seconds| *seconds <= LONGEST_SECONDS)?;
    Some(sign * seconds * 1_000_000)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_dashboards_send_is_an_instant() {
        let hour = 3_600_000_000;
        assert_eq!(When::read("now"), Ok(When::FromNow(0)));
        assert_eq!(When::read("now-7d"), Ok(When::FromNow(-7 * 24 * hour)));
        assert_eq!(When::read("now+1h"), Ok(When::FromNow(hour)));
        assert_eq!(
            When::read("now 1h"),
            Ok(When::FromNow(hour)),
            "an unencoded plus"
        );
        let instant = Timestamp::parse_rfc3339("2025-01-01T00:00:00.123Z").expect("an instant");
        assert_eq!(When::read("1735689600123"), Ok(When::Instant(instant)));
    }

    #[test]
    fn what_may_mean_something_else_is_an_error() {
        for text in [
            "now-",
            "now-7",
            "now-7M",
            "now7x",
            "nows",
            "2025",
            "1735689600",
            "now--1d",
            "now1d",
            "now-9999999999999w",
        ] {
            assert!(When::read(text).is_err(), "{text}");
        }
        assert!(When::read("99999999999999999").is_err_and(|e| e.contains("9999")));
    }

    proptest! {
        #[test]
        fn no_text_panics(text in ".{0,40}", now in any::<i64>()) {
            let calendar = Calendar::new(time_series_domain::Interval::All, "UTC", time_series_domain::Weekday::Monday);
            if let (Ok(when), Ok(calendar)) = (When::read(&text), calendar) {
                let _ = when.resolve("start_time", &calendar, Timestamp::from_micros(now));
            }
        }
    }
}
