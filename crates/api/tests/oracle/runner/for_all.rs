//! Runs a property on random cases.

use proptest::strategy::Strategy;
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestRng, TestRunner};

use crate::runner::Outcome;

/// Runs a property on a number of random cases.
///
/// The name and `ORACLE_SEED` select the cases: another name runs other cases. `ORACLE_TIMES`
/// multiplies their number.
pub(crate) fn for_all<S: Strategy>(
    name: &str,
    cases: u32,
    strategy: &S,
    property: impl AsyncFn(S::Value) -> Outcome,
) where
    S::Value: Clone + std::fmt::Debug,
{
    let seed = variable("ORACLE_SEED").unwrap_or_default();
    let config = Config {
        cases: cases * variable("ORACLE_TIMES").unwrap_or(1),
        failure_persistence: None,
        max_shrink_iters: 600,
        ..Config::default()
    };
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &rng_seed(name, seed));
    let mut runner = TestRunner::new_with_rng(config, rng);
    let handle = tokio::runtime::Handle::current();
    let result = tokio::task::block_in_place(|| {
        runner.run(strategy, |case| {
            handle.block_on(property(case)).map_err(TestCaseError::fail)
        })
    });
    let failure = result.err().map(|e| e.to_string());
    assert!(
        failure.is_none(),
        "property {name} fails with ORACLE_SEED={seed}: {}",
        failure.unwrap_or_default()
    );
}

fn variable(name: &str) -> Option<u32> {
    std::env::var(name).ok()?.parse().ok()
}

/// Mixes the name of a property and the seed.
fn rng_seed(name: &str, seed: u32) -> [u8; 32] {
    let mut mixed = [0_u8; 32];
    for (index, byte) in name.bytes().chain(seed.to_be_bytes()).enumerate() {
        let target = &mut mixed[index % 32];
        *target = target.wrapping_mul(31).wrapping_add(byte);
    }
    mixed
}
