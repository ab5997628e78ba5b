//! Fuzzing on stable Rust: random cases of a strategy for a set time.

use std::fmt::Debug;
use std::time::{Duration, Instant};

use proptest::strategy::Strategy;
use proptest::test_runner::{Config, TestRunner};

/// The environment variable with the duration of each target, in seconds.
const VARIABLE: &str = "FUZZ_SECONDS";
const DEFAULT_SECONDS: f64 = 2.0;
/// Cases between two checks of the clock.
const CASES: u32 = 64;

/// Checks random cases for `FUZZ_SECONDS`, two seconds by default; `0` checks one batch of 64.
///
/// # Panics
/// Panics if `check` panics, with the smallest failing case, or if the variable is not a number.
pub fn fuzz<S>(strategy: S, check: impl Fn(S::Value))
where
    S: Strategy,
    S::Value: Debug,
{
    let time = seconds();
    let config = Config {
        cases: CASES,
        failure_persistence: None,
        ..Config::default()
    };
    let mut runner = TestRunner::new(config);
    let started = Instant::now();
    let mut cases = 0_u64;
    loop {
        let result = runner.run(&strategy, |case| {
            check(case);
            Ok(())
        });
        if let Err(e) = result {
            panic!("after {cases} cases: {e}");
        }
        cases += u64::from(CASES);
        if started.elapsed() >= time {
            return;
        }
    }
}

fn seconds() -> Duration {
    let Ok(text) = std::env::var(VARIABLE) else {
        return Duration::from_secs_f64(DEFAULT_SECONDS);
    };
    let seconds: f64 = text
        .parse()
        .unwrap_or_else(|e| panic!("{VARIABLE} is {text:?}: {e}"));
    Duration::from_secs_f64(seconds)
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::panic::{AssertUnwindSafe, catch_unwind};

    use super::*;

    #[test]
    fn many_cases_are_checked() {
        let cases = Cell::new(0);
        fuzz(0..100_u8, |_| cases.set(cases.get() + 1));
        assert!(cases.get() >= CASES, "{}", cases.get());
    }

    #[test]
    fn a_panic_fails_with_the_smallest_case() {
        let failed = catch_unwind(AssertUnwindSafe(|| {
            fuzz(0..1_000_u32, |n| assert!(n < 17, "too large"));
        }));
        let message = failed.expect_err("a case panics");
        let message = message.downcast_ref::<String>().expect("a text");
        assert!(
            message.contains("too large") && message.contains("17"),
            "{message}"
        );
    }
}
