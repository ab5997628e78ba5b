//! Parameters for the start and end of a query's time range.

use time_series_domain::text::echo;
use time_series_domain::{Calendar, Timestamp, TimestampError};

use crate::problem::Problem;

const MICROS_PER_MILLISECOND: i64 = 1_000;
/// Minimum number of digits of milliseconds since 1970. A shorter number is probably in seconds;
/// as milliseconds it would be before March 1973.
const MIN_EPOCH_DIGITS: usize = 11;
/// Maximum offset from now, in seconds: a thousand years.
const MAX_OFFSET_SECONDS: i64 = 366_000 * 86_400;

/// An instant, a date in the time zone of the query, or an offset from the current time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum TimeParam {
    Instant(Timestamp),
    Date(String),
    /// Offset from the current time, in microseconds.
    FromNow(i64),
}

impl TimeParam {
    pub(crate) fn read(text: &str) -> Result<Self, String> {
        if let Some(offset) = text.strip_prefix("now") {
            return from_now(offset).map(Self::FromNow).ok_or_else(|| {
                "must be now, or now with an offset in s, m, h, d (24 hours) or w, such as now-7d"
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

    /// Returns whether the instant depends on the time of the request.
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

/// Parses milliseconds since 1970, which dashboards send.
fn epoch(text: &str) -> Result<Timestamp, String> {
    if text.len() < MIN_EPOCH_DIGITS {
        return Err(format!(
            "{:?} is too small: a number must be milliseconds since 1970, with at least 11 \
             digits. Use milliseconds or RFC 3339",
            echo(text)
        ));
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

/// Parses the text after `now`, which is empty or a sign, a number and a unit. Returns
/// microseconds.
fn from_now(text: &str) -> Option<i64> {
    if text.is_empty() {
        return Some(0);
    }
    // In a query string, an unencoded plus is a space.
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
        .filter(|seconds| *seconds <= MAX_OFFSET_SECONDS)?;
    Some(sign * seconds * 1_000_000)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use time_series_domain::{Interval, Weekday};

    use super::*;

    #[test]
    fn relative_times_and_milliseconds_are_accepted() {
        let hour = 3_600_000_000;
        assert_eq!(TimeParam::read("now"), Ok(TimeParam::FromNow(0)));
        assert_eq!(
            TimeParam::read("now-7d"),
            Ok(TimeParam::FromNow(-7 * 24 * hour))
        );
        assert_eq!(TimeParam::read("now+1h"), Ok(TimeParam::FromNow(hour)));
        assert_eq!(
            TimeParam::read("now 1h"),
            Ok(TimeParam::FromNow(hour)),
            "an unencoded plus"
        );
        let instant = Timestamp::parse_rfc3339("2025-01-01T00:00:00.123Z").expect("an instant");
        assert_eq!(
            TimeParam::read("1735689600123"),
            Ok(TimeParam::Instant(instant))
        );
    }

    #[test]
    fn ambiguous_texts_are_errors() {
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
            assert!(TimeParam::read(text).is_err(), "{text}");
        }
        assert!(TimeParam::read("99999999999999999").is_err_and(|e| e.contains("9999")));
    }

    proptest! {
        #[test]
        fn no_text_panics(text in ".{0,40}", now in any::<i64>()) {
            let calendar = Calendar::new(Interval::All, "UTC", Weekday::Monday);
            if let (Ok(time), Ok(calendar)) = (TimeParam::read(&text), calendar) {
                let _ = time.resolve("start_time", &calendar, Timestamp::from_micros(now));
            }
        }
    }
}
