//! How quick queries are.

mod ask;
mod data;
mod figures;
mod rows;
mod stream;

use self::ask::Ask;
use self::data::{Data, Dataset};
use self::figures::FIGURES;
use self::rows::Rows;
use super::figure::{Figure, Unit};
use super::ground::Ground;
use crate::progress::Step;

const PART: &str = "queries";

/// Loads what is needed and measures every figure that is wanted, in their order.
pub(super) async fn measure(ground: &mut Ground<'_>) -> anyhow::Result<Vec<Figure>> {
    let Some(url) = ground.target.database_url().map(str::to_owned) else {
        return measure_with(ground, None).await;
    };
    let rows = Rows::create(&url).await?;
    let measured = measure_with(ground, Some(&rows)).await;
    let dropped = rows.drop().await;
    let measured = measured?;
    dropped.map(|()| measured)
}

async fn measure_with(ground: &mut Ground<'_>, rows: Option<&Rows>) -> anyhow::Result<Vec<Figure>> {
    let bench = ground.bench;
    let wanted: Vec<_> = FIGURES
        .iter()
        .filter(|figure| bench.wants(figure.number))
        .collect();
    let streams = bench.wants(stream::NUMBER);
    let needed = |dataset| wanted.iter().any(|figure| figure.dataset == dataset);
    let needed_as_rows = |dataset| {
        wanted
            .iter()
            .any(|figure| figure.dataset == dataset && figure.sql.is_some())
    };

    let mut loaded = Vec::new();
    for dataset in Dataset::ALL {
        if needed(dataset) || streams && dataset == Dataset::Export {
            let data = dataset.load(ground).await?;
            if let (Some(rows), true) = (rows, needed_as_rows(dataset)) {
                rows.fill(&data).await?;
            }
            loaded.push((dataset, data));
        }
    }
    ground.settle().await?;
    if let Some(rows) = rows {
        rows.settle().await?;
    }
    // What loading left in its memory is not to be taken for the queries'.
    ground.target.restart().await?;

    let ask = Ask::new(bench.repeat)?;
    let mut measured = Vec::new();
    for figure in wanted {
        if let Some(data) = find(&loaded, figure.dataset) {
            let step = Step::start(format!("{} {}", figure.number, figure.name));
            let taken = ask
                .measure(
                    &figure.url(&ground.target.url, data),
                    rows.zip(figure.sql),
                    data,
                )
                .await?;
            step.done("");
            let mut line = Figure::new(
                PART,
                figure.number,
                figure.name,
                Unit::Milliseconds,
                figure.goal,
            );
            line.goal_of_sql = figure.goal_of_sql;
            line.measured = taken.answers;
            line.rows = taken.rows;
            line.sql = taken.sql;
            line.remarks.extend(taken.remark);
            measured.push(line);
        }
    }
    if streams && let Some(data) = find(&loaded, Dataset::Export) {
        ground.target.restart().await?;
        measured.extend(stream::measure(ground, &ask, data).await?);
    }
    measured.sort_by_key(|figure| figure.number);
    Ok(measured)
}

fn find(loaded: &[(Dataset, Data)], wanted: Dataset) -> Option<&Data> {
    loaded
        .iter()
        .find_map(|(dataset, data)| (*dataset == wanted).then_some(data))
}
