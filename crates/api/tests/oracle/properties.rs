//! What holds of all that queries may ask: wide questions, relations between answers, points.

use time_series_testkit::{Backend, TestApp, TestAppBuilder, redis_url};

use crate::for_all;
use crate::play::World;
use crate::points::ask::{each, point_case};
use crate::points::{formats, listing, overview, thinned};
use crate::wide::play::{step_by_step, whole, wide_case, wide_world};
use crate::wide::{aligned, relations, shapes};

async fn world(backend: Backend) -> World {
    wide_world(TestApp::start(backend).await).await
}

async fn wide_answers_equal_the_definition(name: &str, backend: Backend) {
    let world = world(backend).await;
    for_all(name, 120, &wide_case(7, 14), async |case| {
        whole(&world, &case).await
    });
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn wide_answers_equal_the_definition_on_plain_postgresql() {
    wide_answers_equal_the_definition("wide plain", Backend::Plain).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn wide_answers_equal_the_definition_on_timescaledb() {
    wide_answers_equal_the_definition("wide timescaledb", Backend::Timescaledb).await;
}

/// With a cache, asked before and after each write.
async fn wide_answers_are_fresh(name: &str, app: TestAppBuilder) {
    let world = wide_world(app.start().await).await;
    for_all(name, 25, &wide_case(5, 4), async |case| {
        step_by_step(&world, &case).await
    });
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn wide_answers_are_fresh_through_a_cache_in_the_process() {
    wide_answers_are_fresh("wide process", TestApp::with(Backend::Timescaledb).cache()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn wide_answers_are_fresh_through_a_cache_in_redis() {
    wide_answers_are_fresh(
        "wide redis",
        TestApp::with(Backend::Plain).redis(&redis_url()),
    )
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn answers_fit_each_other() {
    for backend in Backend::ALL {
        let world = world(backend).await;
        for_all("relations", 25, &wide_case(6, 3), async |case| {
            relations::hold(&world, &case).await
        });
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn along_a_session_time_counts_from_its_start() {
    for backend in Backend::ALL {
        let world = world(backend).await;
        for_all("aligned", 20, &wide_case(6, 0), async |case| {
            aligned::aligning_is_shifting(&world, &case).await
        });
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_shape_layout_and_format_says_the_same() {
    for backend in Backend::ALL {
        let world = world(backend).await;
        for_all("shapes", 30, &wide_case(6, 5), async |case| {
            shapes::say_the_same(&world, &case).await
        });
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn points_come_in_order_at_once_and_in_pages() {
    for backend in Backend::ALL {
        let world = world(backend).await;
        for_all("points", 50, &point_case(7, 6), async |case| {
            each(&world, &case, listing::is_in_order).await
        });
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn points_are_the_same_as_lines_and_as_flat_rows() {
    for backend in Backend::ALL {
        let world = world(backend).await;
        for_all("lines", 30, &point_case(7, 4), async |case| {
            each(&world, &case, formats::say_the_same).await
        });
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_few_points_stand_for_all() {
    for backend in Backend::ALL {
        let world = world(backend).await;
        for_all("thinned", 50, &point_case(7, 6), async |case| {
            each(&world, &case, thinned::stands_for_all).await
        });
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_latest_and_the_catalogue_are_what_there_is() {
    for backend in Backend::ALL {
        let world = world(backend).await;
        for_all("overview", 40, &point_case(9, 0), async |case| {
            overview::is_what_there_is(&world, &case).await
        });
    }
}
