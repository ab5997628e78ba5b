//! Loads the datasets and measures the queries.

use time_series_devkit::progress::Step;

use super::catalogue::{QUERIES, Query};
use super::datasets::{Data, Dataset};
use super::rows::Rows;
use super::runner::Runner;
use super::{PART, stream};
use crate::suite::environment::Environment;
use crate::suite::figure::{Figure, Unit};

/// Measures the requested figures, in the order of their numbers.
pub(in crate::suite) async fn measure(
    environment: &mut Environment<'_>,
) -> anyhow::Result<Vec<Figure>> {
    let Some(url) = environment.target.database_url().map(str::to_owned) else {
        return measure_with(environment, None).await;
    };
    let rows = Rows::create(&url).await?;
    let measured = measure_with(environment, Some(&rows)).await;
    let dropped = rows.drop().await;
    let measured = measured?;
    dropped.map(|()| measured)
}

async fn measure_with(
    environment: &mut Environment<'_>,
    rows: Option<&Rows>,
) -> anyhow::Result<Vec<Figure>> {
    let bench = environment.bench;
    let wanted: Vec<_> = QUERIES
        .iter()
        .filter(|query| bench.wants(query.number))
        .collect();
    let streams = bench.wants(stream::NUMBER);
    let needed = |dataset| wanted.iter().any(|query| query.dataset == dataset);
    let needed_as_rows = |dataset| {
        wanted
            .iter()
            .any(|query| query.dataset == dataset && query.sql.is_some())
    };

    let mut loaded = Vec::new();
    for dataset in Dataset::ALL {
        if needed(dataset) || streams && dataset == Dataset::Export {
            let data = dataset.load(environment).await?;
            if let (Some(rows), true) = (rows, needed_as_rows(dataset)) {
                rows.fill(&data).await?;
            }
            loaded.push((dataset, data));
        }
    }
    environment.maintain().await?;
    if let Some(rows) = rows {
        rows.maintain().await?;
    }
    // The memory that loading took must not count for the queries.
    environment.target.restart().await?;

    let runner = Runner::new(bench.repeat)?;
    let mut measured = Vec::new();
    for query in wanted {
        if let Some(data) = find(&loaded, query.dataset) {
            measured.push(measure_query(query, &runner, environment, rows, data).await?);
        }
    }
    if streams && let Some(data) = find(&loaded, Dataset::Export) {
        environment.target.restart().await?;
        measured.extend(stream::measure(environment, &runner, data).await?);
    }
    measured.sort_by_key(|figure| figure.number);
    Ok(measured)
}

async fn measure_query(
    query: &Query,
    runner: &Runner,
    environment: &Environment<'_>,
    rows: Option<&Rows>,
    data: &Data,
) -> anyhow::Result<Figure> {
    let step = Step::start(format!("{} {}", query.number, query.name));
    let url = query.url(&environment.target.url, data);
    let measurement = runner.measure(&url, rows.zip(query.sql), data).await?;
    step.done("");
    let mut figure = Figure::new(
        PART,
        query.number,
        query.name,
        Unit::Milliseconds,
        query.goal,
    );
    figure.goal_of_sql = query.goal_of_sql;
    figure.measured = measurement.service;
    figure.rows = measurement.rows;
    figure.sql = measurement.sql;
    figure.remarks.extend(measurement.remark);
    Ok(figure)
}

fn find(loaded: &[(Dataset, Data)], wanted: Dataset) -> Option<&Data> {
    loaded
        .iter()
        .find_map(|(dataset, data)| (*dataset == wanted).then_some(data))
}
