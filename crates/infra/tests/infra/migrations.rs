//! Migrations: concurrent runs, and the resulting tables.

use time_series_infra::postgres::migrate;
use time_series_testkit::{Backend, TestDatabase};

#[tokio::test]
async fn concurrent_migrations_apply_once() {
    for backend in Backend::ALL {
        let database = TestDatabase::unmigrated(backend).await;
        let run = async || {
            let mut client = database.connect().await;
            migrate(&mut client)
                .await
                .expect("the migrations apply")
                .applied
                .len()
        };
        let (a, b, c) = tokio::join!(run(), run(), run());
        let mut applied = [a, b, c];
        applied.sort_unstable();
        assert!(
            applied[2] > 0 && applied[..2] == [0, 0],
            "one process applies all migrations: {applied:?}"
        );
    }
}

#[tokio::test]
async fn block_is_a_hypertable_on_timescaledb() {
    let database = TestDatabase::new(Backend::Timescaledb).await;
    let client = database.connect().await;
    let hypertables = client
        .query(
            "SELECT hypertable_name::text FROM timescaledb_information.hypertables",
            &[],
        )
        .await;
    let names: Vec<String> = hypertables
        .expect("TimescaleDB is installed")
        .iter()
        .map(|row| row.get(0))
        .collect();
    assert_eq!(names, ["block"]);
}
