//! Runs a property for a set time, with a seed that repeats a failure.

use std::collections::hash_map::RandomState;
use std::env;
use std::hash::{BuildHasher, Hasher};
use std::time::{Duration, Instant};

use proptest::strategy::Strategy;
use proptest::test_runner::{Config, RngAlgorithm, TestCaseResult, TestRng, TestRunner};

/// Duration of a target if `FUZZ_SECONDS` is not set.
const DEFAULT_SECONDS: u64 = 2;
/// Cases per seed; few, so that a seed repeats its failure quickly.
const CASES_PER_SEED: u32 = 64;

/// Checks cases of `strategy` until `FUZZ_SECONDS` have passed, or the cases of `FUZZ_SEED` only.
///
/// # Panics
/// Panics on the first case that fails, with the seed and the smallest failing input.
#[track_caller]
#[expect(clippy::print_stdout, reason = "the number of cases")]
pub(crate) fn fuzz<S: Strategy>(
    name: &str,
    strategy: S,
    check: impl Fn(S::Value) -> TestCaseResult,
) {
    if let Some(seed) = number("FUZZ_SEED") {
        run(name, &strategy, &check, seed);
        return;
    }
    let time = Duration::from_secs(number("FUZZ_SECONDS").unwrap_or(DEFAULT_SECONDS));
    let first = RandomState::new().build_hasher().finish();
    let begin = Instant::now();
    let mut seeds = 0;
    while seeds == 0 || begin.elapsed() < time {
        run(name, &strategy, &check, first.wrapping_add(seeds));
        seeds += 1;
    }
    println!("{name}: {} cases", seeds * u64::from(CASES_PER_SEED));
}

#[track_caller]
fn run<S: Strategy>(
    name: &str,
    strategy: &S,
    check: &impl Fn(S::Value) -> TestCaseResult,
    seed: u64,
) {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    let config = Config {
        cases: CASES_PER_SEED,
        failure_persistence: None,
        ..Config::default()
    };
    if let Err(failure) = TestRunner::new_with_rng(config, rng).run(strategy, check) {
        panic!("{name} fails, again with FUZZ_SEED={seed}: {failure}");
    }
}

fn number(variable: &str) -> Option<u64> {
    let text = env::var(variable).ok()?;
    Some(
        text.parse()
            .unwrap_or_else(|_| panic!("{variable} is not a whole number: {text:?}")),
    )
}
