//! Reference implementation of the aggregate functions of numbers known within bounds.

use crate::model::expected::{Bounds, Expected};
use crate::model::rounding::{self, sum_tolerance, total};
use crate::model::rows::{CLOCKS, Position};

/// The functions of basic queries.
pub(crate) const BASIC_FUNCTIONS: [&str; 8] = [
    "avg", "min", "max", "count", "sum", "first", "last", "stddev",
];

/// All functions, as written in a query.
pub(crate) const FUNCTIONS: [&str; 22] = [
    "avg", "min", "max", "count", "sum", "first", "last", "stddev", "median", "p0", "p100", "p50",
    "p90", "p99.9", "p12.5", "p33.3", "p75", "p99.50", "mode", "distinct", "range", "time_avg",
];

/// The functions of series without numbers.
pub(crate) const TEXT_FUNCTIONS: [&str; 5] = ["first", "last", "count", "mode", "distinct"];

/// The functions whose result depends on the order of floating-point operations.
pub(crate) const INEXACT_FUNCTIONS: [&str; 4] = ["avg", "sum", "stddev", "time_avg"];

pub(crate) fn are_text_functions(functions: &[&str]) -> bool {
    functions.iter().all(|f| TEXT_FUNCTIONS.contains(f))
}

/// Returns the key of a function in answers, without trailing zeros of a percentile.
pub(crate) fn response_key(function: &str) -> String {
    match function.split_once('.') {
        Some((integer, fraction)) => match fraction.trim_end_matches('0') {
            "" => integer.to_owned(),
            fraction => format!("{integer}.{fraction}"),
        },
        None => function.to_owned(),
    }
}

pub(crate) fn is_count(function: &str) -> bool {
    ["count", "distinct"].contains(&function)
}

/// A number and its position in time.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TimedNumber {
    pub(crate) position: Position,
    pub(crate) bounds: Bounds,
}

/// The choice of `first` and `last` among numbers of one instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TieBreak {
    /// The least number is the first, the greatest the last.
    ByValue,
    /// Any of the numbers.
    Any,
}

/// Returns the expected result of a function.
pub(crate) fn aggregate(function: &str, numbers: &[TimedNumber], tie_break: TieBreak) -> Expected {
    let all: Vec<Bounds> = numbers.iter().map(|number| number.bounds).collect();
    let (Some(min), Some(max)) = (extreme(&all, f64::min), extreme(&all, f64::max)) else {
        let zero = is_count(function).then(|| Expected::exactly(0.0));
        return Expected::any_of([Expected::Null, Expected::Absent].into_iter().chain(zero));
    };
    match function {
        "count" => Expected::exactly(all.len() as f64),
        "min" => Expected::Number(min),
        "max" => Expected::Number(max),
        "range" => Expected::Number(Bounds {
            lower: (max.lower - min.upper).max(0.0),
            upper: max.upper - min.lower,
        }),
        "first" => Expected::any_of(CLOCKS.into_iter().flat_map(|clock| {
            let earliest = numbers.iter().map(|n| clock(n.position)).min();
            let tied = numbers
                .iter()
                .filter(|n| Some(clock(n.position)) == earliest);
            break_tie(tied, tie_break, f64::min)
        })),
        "last" => Expected::any_of(CLOCKS.into_iter().flat_map(|clock| {
            let latest = numbers.iter().map(|n| clock(n.position)).max();
            let tied = numbers.iter().filter(|n| Some(clock(n.position)) == latest);
            break_tie(tied, tie_break, f64::max)
        })),
        "sum" => Expected::Number(sum(&all)),
        "avg" => Expected::Number(mean(&all)),
        "stddev" if all.len() == 1 => Expected::Null,
        "stddev" => Expected::Number(stddev(&all)),
        "mode" => mode(&all),
        "distinct" => distinct(&all),
        _ => Expected::Number(percentile(percent(function), &all)),
    }
}

/// Returns the bounds of the minimum or the maximum.
fn extreme(all: &[Bounds], choose: fn(f64, f64) -> f64) -> Option<Bounds> {
    all.iter().copied().reduce(|a, b| Bounds {
        lower: choose(a.lower, b.lower),
        upper: choose(a.upper, b.upper),
    })
}

fn break_tie<'a>(
    tied: impl Iterator<Item = &'a TimedNumber>,
    tie_break: TieBreak,
    choose: fn(f64, f64) -> f64,
) -> Vec<Expected> {
    let tied: Vec<Bounds> = tied.map(|number| number.bounds).collect();
    match tie_break {
        TieBreak::ByValue => extreme(&tied, choose)
            .map(Expected::Number)
            .into_iter()
            .collect(),
        TieBreak::Any => tied.into_iter().map(Expected::Number).collect(),
    }
}

fn midpoints(all: &[Bounds]) -> Vec<f64> {
    all.iter().map(|bounds| bounds.midpoint()).collect()
}

fn are_exact(all: &[Bounds]) -> bool {
    all.iter().all(|bounds| bounds.is_exact())
}

fn sum(all: &[Bounds]) -> Bounds {
    let numbers = midpoints(all);
    let uncertainty: f64 = all.iter().map(|bounds| bounds.tolerance()).sum();
    Bounds::around(
        total(&numbers),
        sum_tolerance(&numbers) + uncertainty * 1.000_001,
    )
}

pub(crate) fn mean(all: &[Bounds]) -> Bounds {
    let n = all.len() as f64;
    if are_exact(all) {
        let numbers = midpoints(all);
        let tolerance = sum_tolerance(&numbers) / n + f64::MIN_POSITIVE;
        return Bounds::around(total(&numbers) / n, tolerance);
    }
    let sum = sum(all);
    let rounding = sum.midpoint().abs() / n * 1e-15 + f64::MIN_POSITIVE;
    Bounds::around(
        sum.midpoint() / n,
        sum.tolerance() / n * (1.0 + 1e-9) + rounding,
    )
}

fn stddev(all: &[Bounds]) -> Bounds {
    let Bounds { lower, upper } = rounding::stddev(&midpoints(all));
    // The error is at most √(n/(n-1)) times the greatest error of a number.
    let uncertainty = all
        .iter()
        .map(|bounds| bounds.tolerance())
        .fold(0.0, f64::max)
        * 1.5;
    Bounds {
        lower: (lower - uncertainty).max(0.0),
        upper: upper + uncertainty,
    }
}

/// Returns the least of the most frequent numbers; any of the numbers if they are not exact.
fn mode(all: &[Bounds]) -> Expected {
    if !are_exact(all) {
        return Expected::any_of(all.iter().copied().map(Expected::Number));
    }
    let sorted = sorted_without_sign_of_zero(all);
    let runs = sorted.chunk_by(|a, b| a == b);
    let longest = runs.fold(&sorted[..0], |longest, run| {
        if run.len() > longest.len() {
            run
        } else {
            longest
        }
    });
    Expected::exactly(longest[0])
}

fn distinct(all: &[Bounds]) -> Expected {
    if are_exact(all) {
        let sorted = sorted_without_sign_of_zero(all);
        return Expected::Integer(sorted.chunk_by(|a, b| a == b).count() as u64);
    }
    // At least the number of pairwise disjoint intervals.
    let mut by_upper = all.to_vec();
    by_upper.sort_by(|a, b| a.upper.total_cmp(&b.upper));
    let (mut disjoint, mut end) = (0.0, f64::NEG_INFINITY);
    for bounds in by_upper {
        if bounds.lower > end {
            (disjoint, end) = (disjoint + 1.0, bounds.upper);
        }
    }
    Expected::Number(Bounds {
        lower: disjoint,
        upper: all.len() as f64,
    })
}

fn percent(function: &str) -> f64 {
    match function {
        "median" => 50.0,
        other => other
            .strip_prefix('p')
            .and_then(|percent| percent.parse().ok())
            .expect("a percentile"),
    }
}

fn sorted(all: &[Bounds], number: impl Fn(&Bounds) -> f64) -> Vec<f64> {
    let mut numbers: Vec<f64> = all.iter().map(number).collect();
    numbers.sort_by(f64::total_cmp);
    numbers
}

fn sorted_without_sign_of_zero(all: &[Bounds]) -> Vec<f64> {
    sorted(all, |bounds| bounds.lower + 0.0) // -0.0 + 0.0 is 0.0
}

/// Computes `percentile_cont`: rank (n - 1) * percent / 100, interpolated between its neighbours.
fn percentile(percent: f64, all: &[Bounds]) -> Bounds {
    let max_rank = (all.len() - 1) as f64;
    let rank = max_rank * percent / 100.0;
    // The rank of a quarter is exact; another rank may round to either side of an integer.
    let rank_error = if percent % 25.0 == 0.0 {
        0.0
    } else {
        4.0 * f64::EPSILON * (max_rank + 1.0)
    };
    let lower = interpolate(&sorted(all, |bounds| bounds.lower), rank - rank_error);
    let upper = interpolate(&sorted(all, |bounds| bounds.upper), rank + rank_error);
    Bounds {
        lower: lower.number - lower.error,
        upper: upper.number + upper.error,
    }
}

struct Interpolated {
    number: f64,
    error: f64,
}

fn interpolate(sorted: &[f64], rank: f64) -> Interpolated {
    let rank = rank.clamp(0.0, (sorted.len() - 1) as f64);
    let low = sorted[rank.floor() as usize];
    let high = sorted[rank.ceil() as usize];
    let rounding = 8.0 * f64::EPSILON * (low.abs() + high.abs());
    let error = if rank.fract() == 0.0 || rounding == 0.0 {
        0.0
    } else {
        rounding + f64::MIN_POSITIVE
    };
    Interpolated {
        number: low + (high - low) * rank.fract(),
        error,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(function: &str, numbers: &[f64]) -> Expected {
        let timed: Vec<TimedNumber> = numbers
            .iter()
            .enumerate()
            .map(|(second, number)| TimedNumber {
                position: Position::at(second as i64),
                bounds: Bounds::exactly(*number),
            })
            .collect();
        aggregate(function, &timed, TieBreak::ByValue)
    }

    #[test]
    fn percentiles_equal_those_of_postgresql() {
        let numbers = [4.0, 1.0, 3.0, 2.0];
        for (function, expected) in [
            ("p0", 1.0),
            ("p100", 4.0),
            ("median", 2.5),
            ("p50", 2.5),
            ("p75", 3.25),
            ("p33.3", 1.999),
            ("p99.9", 3.997),
        ] {
            let bounds = of(function, &numbers).bounds().expect("a number");
            assert!(
                (bounds.midpoint() - expected).abs() < 1e-12 && bounds.tolerance() < 1e-12,
                "{function} should be {expected} within 1e-12, and is {bounds:?}"
            );
        }
    }

    #[test]
    fn mode_is_the_least_of_the_most_frequent_numbers() {
        let mode = of("mode", &[3.0, 1.0, 3.0, 1.0, 2.0]);
        assert_eq!(mode, Expected::exactly(1.0));
        assert_eq!(of("mode", &[5.0, -0.0, 0.0]), Expected::exactly(0.0));
    }

    #[test]
    fn distinct_counts_both_zeros_once() {
        assert_eq!(of("distinct", &[5.0, -0.0, 0.0, 5.0]), Expected::Integer(2));
    }

    #[test]
    fn range_is_the_difference_of_max_and_min() {
        assert_eq!(of("range", &[5.0, -1.0, 0.0]), Expected::exactly(6.0));
    }

    #[test]
    fn response_keys_have_no_trailing_zeros() {
        assert_eq!(
            ["p99.90", "p99.9", "p5", "time_avg", "p50.0"].map(response_key),
            ["p99.9", "p99.9", "p5", "time_avg", "p50"]
        );
    }
}
