//! Aggregate answers equal those of the model, with and without a cache.

use time_series_testkit::{Backend, TestApp, TestAppBuilder, redis_url};

use crate::fixture::Fixture;
use crate::generate::case::{multi_user_case, single_user_case};
use crate::query::aggregate_spec::{basic_aggregate, full_aggregate};
use crate::runner::aggregates::{check_case, check_each_round};
use crate::runner::for_all::for_all;

async fn basic_queries_equal_the_model(name: &str, backend: Backend) {
    let fixture = Fixture::start(backend).await;
    let cases = single_user_case(9, 12, basic_aggregate);
    for_all(name, 140, &cases, async |case| {
        check_case(&fixture, &case).await
    });
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn basic_queries_equal_the_model_on_plain_postgresql() {
    basic_queries_equal_the_model("plain", Backend::Plain).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn basic_queries_equal_the_model_on_timescaledb() {
    basic_queries_equal_the_model("timescaledb", Backend::Timescaledb).await;
}

async fn full_queries_equal_the_model(name: &str, backend: Backend) {
    let fixture = Fixture::start(backend).await;
    let cases = multi_user_case(7, 14, full_aggregate);
    for_all(name, 120, &cases, async |case| {
        check_case(&fixture, &case).await
    });
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn full_queries_equal_the_model_on_plain_postgresql() {
    full_queries_equal_the_model("wide plain", Backend::Plain).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn full_queries_equal_the_model_on_timescaledb() {
    full_queries_equal_the_model("wide timescaledb", Backend::Timescaledb).await;
}

/// Runs every query before and after each write.
async fn basic_queries_are_never_stale(name: &str, app: TestAppBuilder) {
    let fixture = Fixture::with_app(app.start().await).await;
    let cases = single_user_case(5, 4, basic_aggregate);
    for_all(name, 30, &cases, async |case| {
        check_each_round(&fixture, &case).await
    });
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn basic_queries_are_never_stale_with_an_in_process_cache() {
    basic_queries_are_never_stale("process", TestApp::with(Backend::Plain).cache()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn basic_queries_are_never_stale_with_redis() {
    let app = TestApp::with(Backend::Timescaledb).redis(&redis_url());
    basic_queries_are_never_stale("redis", app).await;
}

/// Runs every query before and after each round of writes.
async fn full_queries_are_never_stale(name: &str, app: TestAppBuilder) {
    let fixture = Fixture::with_app(app.start().await).await;
    let cases = multi_user_case(5, 4, full_aggregate);
    for_all(name, 25, &cases, async |case| {
        check_each_round(&fixture, &case).await
    });
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn full_queries_are_never_stale_with_an_in_process_cache() {
    let app = TestApp::with(Backend::Timescaledb).cache();
    full_queries_are_never_stale("wide process", app).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn full_queries_are_never_stale_with_redis() {
    let app = TestApp::with(Backend::Plain).redis(&redis_url());
    full_queries_are_never_stale("wide redis", app).await;
}
