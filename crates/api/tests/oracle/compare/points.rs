//! Comparison of returned points with the stored ones.

use std::fmt;

use serde::Deserialize;
use serde_json::value::RawValue;
use uuid::Uuid;

use crate::compare::body::Body;
use crate::fixture::json::Json;
use crate::model::points::ExpectedPoint;
use crate::runner::Outcome;

pub(crate) type PointsBody = Body<ReturnedPoint>;

/// A point of an answer. Unknown members are errors.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ReturnedPoint {
    session_id: Uuid,
    series: String,
    time: String,
    value: Box<RawValue>,
    /// The number of points that a downsampled point represents.
    pub(crate) weight: Option<u64>,
}

impl ReturnedPoint {
    pub(crate) fn equals(&self, expected: &ExpectedPoint<'_>) -> bool {
        self.series == expected.series()
            && self.session_id == expected.session
            && parse_utc(&self.time) == Some(expected.time)
            && Json::parse(self.value.get()).canonical() == expected.value.canonical()
    }
}

impl fmt::Display for ReturnedPoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            session_id,
            series,
            time,
            value,
            ..
        } = self;
        write!(f, "{time} {series} {session_id} {value}")
    }
}

/// Returns the microseconds of a time written in UTC.
pub(crate) fn parse_utc(time: &str) -> Option<i64> {
    let timestamp: jiff::Timestamp = time.parse().ok()?;
    time.ends_with('Z').then(|| timestamp.as_microsecond())
}

/// Checks that the returned points are the expected ones in their order.
pub(crate) fn expect_points(returned: &[ReturnedPoint], expected: &[ExpectedPoint<'_>]) -> Outcome {
    let mut pairs = returned.iter().zip(expected);
    if let Some((returned, expected)) = pairs.find(|(r, e)| !r.equals(e)) {
        return Err(format!("{expected} expected, {returned} returned"));
    }
    if returned.len() == expected.len() {
        Ok(())
    } else {
        Err(format!(
            "{} points expected, {} returned",
            expected.len(),
            returned.len()
        ))
    }
}
