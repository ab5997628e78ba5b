//! The whole stack against a naive model, over random recordings and random questions.

#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "the numbers here are small, or meant to be rounded"
)]
#![expect(clippy::float_cmp, reason = "what is exact is so to the last bit")]

mod ask;
mod calendar;
mod compare;
mod found;
mod generate;
mod json;
mod metrics;
mod model;
mod play;
mod points;
mod properties;
mod relations;
mod round_trip;
mod wide;

use proptest::strategy::Strategy;
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestRng, TestRunner};
use time_series_testkit::{Backend, TestApp, TestAppBuilder, redis_url};

use crate::play::{Outcome, World};

/// Runs a property on so many random cases. `ORACLE_SEED` chooses other cases than the usual ones, and
/// `ORACLE_TIMES` multiplies their number.
fn for_all<S: Strategy>(
    name: &str,
    cases: u32,
    strategy: &S,
    property: impl AsyncFn(S::Value) -> Outcome,
) where
    S::Value: Clone + std::fmt::Debug,
{
    let setting = |name: &str| {
        std::env::var(name)
            .ok()
            .and_then(|text| text.parse::<u32>().ok())
    };
    let seed = setting("ORACLE_SEED").unwrap_or_default();
    let mut bytes = [0_u8; 32];
    for (place, byte) in name.bytes().chain(seed.to_be_bytes()).enumerate() {
        bytes[place % 32] = bytes[place % 32].wrapping_mul(31).wrapping_add(byte);
    }
    let config = Config {
        cases: cases * setting("ORACLE_TIMES").unwrap_or(1),
        failure_persistence: None,
        max_shrink_iters: 600,
        ..Config::default()
    };
    let mut runner =
        TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &bytes));
    let handle = tokio::runtime::Handle::current();
    let checked = tokio::task::block_in_place(|| {
        runner.run(strategy, |case| {
            handle.block_on(property(case)).map_err(TestCaseError::fail)
        })
    });
    let fault = checked.err().map(|e| e.to_string());
    assert!(
        fault.is_none(),
        "{name}, ORACLE_SEED={seed}: {}",
        fault.unwrap_or_default()
    );
}

/// With a cache, asked before and after each write.
async fn answers_are_fresh(name: &str, app: TestAppBuilder) {
    let world = World::of(app.start().await).await;
    for_all(name, 30, &ask::case(5, 4), async |case| {
        play::step_by_step(&world, &case).await
    });
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn answers_are_fresh_through_a_cache_in_the_process() {
    answers_are_fresh("process", TestApp::with(Backend::Plain).cache()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn answers_are_fresh_through_a_cache_in_redis() {
    answers_are_fresh(
        "redis",
        TestApp::with(Backend::Timescaledb).redis(&redis_url()),
    )
    .await;
}

async fn answers_equal_the_definition(name: &str, backend: Backend) {
    let world = World::new(backend).await;
    for_all(name, 140, &ask::case(9, 12), async |case| {
        play::whole(&world, &case).await
    });
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn answers_equal_the_definition_on_plain_postgresql() {
    answers_equal_the_definition("plain", Backend::Plain).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn answers_equal_the_definition_on_timescaledb() {
    answers_equal_the_definition("timescaledb", Backend::Timescaledb).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn parts_add_up_to_the_whole() {
    for backend in Backend::ALL {
        let world = World::new(backend).await;
        for_all("parts", 40, &relations::nested(), async |case| {
            relations::adds_up(&world, &case).await
        });
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn answers_are_the_same_however_the_points_came() {
    for backend in Backend::ALL {
        let world = World::new(backend).await;
        let cases = relations::split(ask::case(5, 4));
        for_all("split", 40, &cases, async |split| {
            relations::same_however_split(&world, &split).await
        });
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn plain_postgresql_and_timescaledb_answer_the_same() {
    let worlds = [
        World::new(Backend::Plain).await,
        World::new(Backend::Timescaledb).await,
    ];
    for_all("both", 40, &ask::case(7, 8), async |case| {
        relations::same_on_both(&worlds, &case).await
    });
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_value_comes_back_as_it_was() {
    for backend in Backend::ALL {
        let world = World::new(backend).await;
        let client = world.app.database.connect().await;
        client
            .batch_execute("SET jit = off")
            .await
            .expect("a setting"); // as the service does
        let cases = (generate::era(), generate::acts(6));
        for_all("values", 50, &cases, async |case| {
            round_trip::comes_back(&world, &client, &case).await
        });
    }
}
