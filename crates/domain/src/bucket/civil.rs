//! Proleptic Gregorian calendar as arithmetic on day numbers, for years beyond 9999 too.
//!
//! Dates of `jiff` end with the year 9999. In zones east of UTC, the last instants of `Timestamp`
//! have a local date in the year 10000, and the buckets that contain them end even later.
//!
//! Source of the formulas: Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms"
//! (`civil_from_days` and `days_from_civil`).

/// Days from 0000-03-01 to 1970-01-01.
const EPOCH: i64 = 719_468;
/// Days in 400 years, the period of the Gregorian calendar.
const DAYS_PER_ERA: i64 = 146_097;

/// Returns the year, month (1 to 12) and day (1 to 31) of a day counted from 1970-01-01.
pub(super) const fn date_of(day: i64) -> (i64, i64, i64) {
    let shifted = day + EPOCH;
    let era = shifted.div_euclid(DAYS_PER_ERA);
    let day_of_era = shifted.rem_euclid(DAYS_PER_ERA);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    // Years start in March here, so that a leap day is the last day of its year.
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_after_march = (5 * day_of_year + 2) / 153;
    let day_of_month = day_of_year - (153 * month_after_march + 2) / 5 + 1;
    let month = if month_after_march < 10 {
        month_after_march + 3
    } else {
        month_after_march - 9
    };
    let year = year_of_era + era * 400;
    (
        if month <= 2 { year + 1 } else { year },
        month,
        day_of_month,
    )
}

/// Returns the day, counted from 1970-01-01, of a year, month (1 to 12) and day of the month.
pub(super) const fn day_of(year: i64, month: i64, day_of_month: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let month_after_march = (month + 9) % 12;
    let day_of_year = (153 * month_after_march + 2) / 5 + day_of_month - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * DAYS_PER_ERA + day_of_era - EPOCH
}

/// Returns the month, counted from January 1970, that contains a day.
pub(super) const fn month_of(day: i64) -> i64 {
    let (year, month, _) = date_of(day);
    (year - 1970) * 12 + month - 1
}

/// Returns the first day of a month, both counted from January 1970.
pub(super) const fn first_day_of_month(month: i64) -> i64 {
    day_of(1970 + month.div_euclid(12), month.rem_euclid(12) + 1, 1)
}

#[cfg(test)]
mod tests {
    use jiff::ToSpan;
    use jiff::civil::date;

    use super::*;

    #[test]
    fn every_day_of_jiff_has_the_same_date_here() {
        let mut day = day_of(-9999, 1, 1);
        let mut known = date(-9999, 1, 1);
        loop {
            let (year, month, day_of_month) = date_of(day);
            let expected = (
                i64::from(known.year()),
                i64::from(known.month()),
                i64::from(known.day()),
            );
            assert_eq!((year, month, day_of_month), expected, "day {day}");
            assert_eq!(day_of(year, month, day_of_month), day);
            let Ok(tomorrow) = known.checked_add(1.day()) else {
                break;
            };
            (day, known) = (day + 1, tomorrow);
        }
        assert_eq!(
            date_of(day + 1),
            (10_000, 1, 1),
            "the day after the last day of jiff"
        );
    }

    #[test]
    fn months_count_from_january_1970() {
        assert_eq!((month_of(-1), month_of(0), month_of(31)), (-1, 0, 1));
        for month in [-40_000, -13, -1, 0, 11, 12, 120_000] {
            let first = first_day_of_month(month);
            assert_eq!((month_of(first - 1), month_of(first)), (month - 1, month));
        }
    }
}
