//! Each function by its definition: of numbers that may be known only within bounds.

use crate::model::{self, slack, total};
use crate::wide::want::{Span, Want};

/// Functions, as they are asked for.
pub(crate) const FUNCTIONS: [&str; 22] = [
    "avg", "min", "max", "count", "sum", "first", "last", "stddev", "median", "p0", "p100", "p50",
    "p90", "p99.9", "p12.5", "p33.3", "p75", "p99.50", "mode", "distinct", "range", "time_avg",
];

/// Functions of values that are no numbers.
pub(crate) const OF_TEXT: [&str; 5] = ["first", "last", "count", "mode", "distinct"];

/// What a function is called in an answer.
pub(crate) fn key(function: &str) -> String {
    match function.split_once('.') {
        Some((whole, fraction)) => match fraction.trim_end_matches('0') {
            "" => whole.to_owned(),
            fraction => format!("{whole}.{fraction}"),
        },
        None => function.to_owned(),
    }
}

pub(crate) fn counts(function: &str) -> bool {
    ["count", "distinct"].contains(&function)
}

/// A number, and when it was by each clock that may be meant.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Timed {
    pub(crate) at: [i64; 2],
    pub(crate) span: Span,
}

/// Which of the values of one instant is the first or the last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ties {
    /// The least is the first, the greatest the last.
    ByValue,
    Any,
}

/// The function of some numbers. Of none there is nothing to say.
pub(crate) fn aggregate(function: &str, values: &[Timed], ties: Ties) -> Want {
    let spans: Vec<Span> = values.iter().map(|value| value.span).collect();
    let (Some(least), Some(most)) = (pick(&spans, f64::min), pick(&spans, f64::max)) else {
        let zero = counts(function).then(|| Want::exactly(0.0));
        return Want::one_of([Want::Null, Want::Absent].into_iter().chain(zero));
    };
    match function {
        "count" => Want::exactly(spans.len() as f64),
        "min" => Want::Number(least),
        "max" => Want::Number(most),
        "range" => Want::Number(Span {
            least: (most.least - least.most).max(0.0),
            most: most.most - least.least,
        }),
        "first" => Want::one_of([0, 1].into_iter().flat_map(|clock| {
            let earliest = values.iter().map(|v| v.at[clock]).min();
            end(
                values.iter().filter(|v| Some(v.at[clock]) == earliest),
                ties,
                f64::min,
            )
        })),
        "last" => Want::one_of([0, 1].into_iter().flat_map(|clock| {
            let latest = values.iter().map(|v| v.at[clock]).max();
            end(
                values.iter().filter(|v| Some(v.at[clock]) == latest),
                ties,
                f64::max,
            )
        })),
        "sum" => Want::Number(sum(&spans)),
        "avg" => Want::Number(mean(&spans)),
        "stddev" if spans.len() == 1 => Want::Null,
        "stddev" => Want::Number(stddev(&spans)),
        "mode" => mode(&spans),
        "distinct" => distinct(&spans),
        _ => Want::Number(percentile(percent(function), &spans)),
    }
}

/// By both bounds at once.
fn pick(spans: &[Span], of: fn(f64, f64) -> f64) -> Option<Span> {
    let both = |a: Span, b: Span| Span {
        least: of(a.least, b.least),
        most: of(a.most, b.most),
    };
    spans.iter().copied().reduce(both)
}

fn end<'a>(
    at_once: impl Iterator<Item = &'a Timed>,
    ties: Ties,
    of: fn(f64, f64) -> f64,
) -> Vec<Want> {
    let spans: Vec<Span> = at_once.map(|value| value.span).collect();
    match ties {
        Ties::ByValue => pick(&spans, of).map(Want::Number).into_iter().collect(),
        Ties::Any => spans.into_iter().map(Want::Number).collect(),
    }
}

fn middles(spans: &[Span]) -> Vec<f64> {
    spans.iter().map(|span| span.middle()).collect()
}

fn sum(spans: &[Span]) -> Span {
    let numbers = middles(spans);
    let loose: f64 = spans.iter().map(|span| span.slack()).sum();
    Span::near(total(&numbers), slack(&numbers) + loose * 1.000_001)
}

pub(crate) fn mean(spans: &[Span]) -> Span {
    let (sum, n) = (sum(spans), spans.len() as f64);
    Span::near(
        sum.middle() / n,
        sum.slack() / n * (1.0 + 1e-9) + sum.middle().abs() / n * 1e-15 + f64::MIN_POSITIVE,
    )
}

fn stddev(spans: &[Span]) -> Span {
    let numbers = middles(spans);
    let (deviation, near) = match model::stddev(&numbers) {
        model::Want::Near(deviation, near) => (deviation, near),
        other => unreachable!("{other:?}"),
    };
    // The deviation is at most √(n/(n-1)) times as far off as the farthest number.
    let loose = spans.iter().map(|span| span.slack()).fold(0.0, f64::max) * 1.5;
    Span {
        least: (deviation - near - loose).max(0.0),
        most: deviation + near + loose,
    }
}

/// The most frequent number, the least of the tied. Where numbers are not known exactly it is any of them.
fn mode(spans: &[Span]) -> Want {
    if !spans.iter().all(|span| span.is_exact()) {
        return Want::one_of(spans.iter().copied().map(Want::Number));
    }
    let sorted = sorted(spans, |span| span.least + 0.0); // -0.0 + 0.0 is 0.0
    let runs = sorted.chunk_by(|a, b| a == b);
    let best = runs.fold(&sorted[..0], |best, run| {
        if run.len() > best.len() { run } else { best }
    });
    Want::exactly(best[0])
}

fn distinct(spans: &[Span]) -> Want {
    if spans.iter().all(|span| span.is_exact()) {
        return Want::Whole(
            sorted(spans, |span| span.least + 0.0)
                .chunk_by(|a, b| a == b)
                .count() as u64,
        );
    }
    // As many as there are spans apart from each other, or more.
    let mut by_end = spans.to_vec();
    by_end.sort_by(|a, b| a.most.total_cmp(&b.most));
    let (mut apart, mut end) = (0.0, f64::NEG_INFINITY);
    for span in by_end {
        if span.least > end {
            (apart, end) = (apart + 1.0, span.most);
        }
    }
    Want::Number(Span {
        least: apart,
        most: spans.len() as f64,
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

fn sorted(spans: &[Span], by: impl Fn(&Span) -> f64) -> Vec<f64> {
    let mut numbers: Vec<f64> = spans.iter().map(by).collect();
    numbers.sort_by(f64::total_cmp);
    numbers
}

/// `percentile_cont`: rank (n - 1) * percent / 100, linear between the numbers on both sides of it.
pub(crate) fn percentile(percent: f64, spans: &[Span]) -> Span {
    let most_rank = (spans.len() - 1) as f64;
    let rank = most_rank * percent / 100.0;
    // Of quarters the rank is exact; of others it may fall on either side of a whole number.
    let near = if percent % 25.0 == 0.0 {
        0.0
    } else {
        4.0 * f64::EPSILON * (most_rank + 1.0)
    };
    let value = |numbers: &[f64], rank: f64| {
        let rank = rank.clamp(0.0, most_rank);
        let (low, high) = (
            numbers[rank.floor() as usize],
            numbers[rank.ceil() as usize],
        );
        let rounded = if rank.fract() == 0.0 {
            0.0
        } else {
            8.0 * f64::EPSILON * (low.abs() + high.abs())
        };
        (
            low + (high - low) * rank.fract(),
            rounded
                + if rounded > 0.0 {
                    f64::MIN_POSITIVE
                } else {
                    0.0
                },
        )
    };
    let (least, below) = value(&sorted(spans, |span| span.least), rank - near);
    let (most, above) = value(&sorted(spans, |span| span.most), rank + near);
    Span {
        least: least - below,
        most: most + above,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(function: &str, numbers: &[f64]) -> Want {
        let timed = |(at, number): (usize, &f64)| Timed {
            at: [at as i64; 2],
            span: Span::exactly(*number),
        };
        aggregate(
            function,
            &numbers.iter().enumerate().map(timed).collect::<Vec<_>>(),
            Ties::ByValue,
        )
    }

    #[test]
    fn what_postgresql_says_of_percentiles() {
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
            let span = of(function, &numbers).span().expect("a number");
            assert!(
                (span.middle() - expected).abs() < 1e-12 && span.slack() < 1e-12,
                "{function}: {span:?}"
            );
        }
    }

    #[test]
    fn the_least_of_the_most_frequent() {
        assert_eq!(of("mode", &[3.0, 1.0, 3.0, 1.0, 2.0]), Want::exactly(1.0));
        assert_eq!(of("mode", &[5.0, -0.0, 0.0]), Want::exactly(0.0));
        assert_eq!(of("distinct", &[5.0, -0.0, 0.0, 5.0]), Want::Whole(2));
        assert_eq!(of("range", &[5.0, -1.0, 0.0]), Want::exactly(6.0));
    }

    #[test]
    fn names_in_answers() {
        assert_eq!(
            ["p99.90", "p99.9", "p5", "time_avg", "p50.0"].map(key),
            ["p99.9", "p99.9", "p5", "time_avg", "p50"]
        );
    }
}
