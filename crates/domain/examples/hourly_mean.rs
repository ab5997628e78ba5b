//! Stores a session in the embedded database and prints its hourly means.
//!
//! ```text
//! cargo run -p time-series-domain --example hourly_mean
//! ```
#![expect(clippy::print_stdout, reason = "an example prints its result")]

use std::error::Error;

use serde_json::json;
use time_series_domain::prelude::*;

fn main() -> Result<(), Box<dyn Error>> {
    let start: Timestamp = "2025-01-06T20:00:00Z".parse()?;
    let end = start.plus_days(1);
    let user: UserId = "7d8d2e3a-5d2f-4bd4-9f51-1d8c0a3c9a01".parse()?;

    let db = Database::new(FixedClock(end));
    db.define("heart_rate", json!({"type": "number"}))?;
    let points = (0..180_u32).map(|minute| {
        let time = start.plus_micros(i64::from(minute) * 60_000_000);
        (time, f64::from(60 + minute % 7))
    });
    let stored = db.store(user, "heart_rate", points)?;
    println!("{} points stored", stored.points);

    let hours = Calendar::new("hour".parse()?, "Europe/Berlin", Weekday::Monday)?;
    let means = db.aggregate(&AggregateSpec::new(user, hours.clone(), start..end))?;
    for series in &means.series {
        for (index, row) in series.rows.iter().enumerate() {
            let mean = series.figures(index)[0].number().unwrap_or(f64::NAN);
            println!(
                "{} {}: {mean:.2}",
                series.metric_type.series,
                hours.label(row.bucket)
            );
        }
    }
    Ok(())
}
