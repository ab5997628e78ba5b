//! Relations between the answers to different aggregate queries, without the model.

use std::collections::BTreeMap;

use time_series_testkit::Backend;

use crate::compare::leaf_summary::{LeafSummary, expect_groups_combine};
use crate::compare::table::{
    EXACT_FUNCTIONS, RowLeaves, Table, TableKey, expect_same, function_result, get_table, number,
    paths_below_functions,
};
use crate::fixture::Fixture;
use crate::fixture::metric_type::Path;
use crate::generate::case::{Case, multi_user_case};
use crate::model::aggregate::Fill;
use crate::query::AGGREGATES;
use crate::query::aggregate_query::AggregateQuery;
use crate::query::aggregate_spec::{AggregateSpec, full_aggregate};
use crate::query::condition::Condition;
use crate::query::parameters::Parameters;
use crate::query::series::SeriesSpec;
use crate::runner::Outcome;
use crate::runner::for_all::for_all;
use crate::runner::user_state::{UserState, with_report};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn answers_to_related_queries_are_consistent() {
    for backend in Backend::ALL {
        let fixture = Fixture::start(backend).await;
        let cases = multi_user_case(6, 3, full_aggregate);
        for_all("relations", 25, &cases, async |case| {
            relations_hold(&fixture, &case).await
        });
    }
}

/// Checks all relations for each query, restricted to numeric series.
async fn relations_hold(fixture: &Fixture, case: &Case<AggregateSpec>) -> Outcome {
    let states = case.run(fixture).await?;
    for spec in &case.queries {
        let spec = AggregateSpec {
            series: SeriesSpec::Selection("num*"),
            ..spec.clone()
        };
        let query = AggregateQuery::new(&states, &case.time_span, &spec, &fixture.catalogue);
        let dropped = ["fill", "fill_lookback", "over", "accuracy", "explain"];
        let relations = Relations {
            fixture,
            states: &states,
            spec: &spec,
            query: &query,
            parameters: query.parameters.without(&dropped),
        };
        let checked = relations.check().await;
        checked.map_err(|e| with_report(&e, &query.parameters.path(AGGREGATES), &states))?;
    }
    Ok(())
}

/// Adds an interval if there is none: grouped by session, the default is the whole range.
fn with_interval(parameters: Parameters) -> Parameters {
    if parameters.contains("interval") {
        parameters
    } else {
        parameters.with("interval", "week")
    }
}

/// A query whose answer is compared with those of related queries.
struct Relations<'a> {
    fixture: &'a Fixture,
    states: &'a [UserState],
    spec: &'a AggregateSpec,
    query: &'a AggregateQuery<'a>,
    /// The parameters without `fill`, `over`, `accuracy` and `explain`.
    parameters: Parameters,
}

impl Relations<'_> {
    async fn check(&self) -> Outcome {
        self.functions_agree().await?;
        self.a_condition_and_its_negation_partition_the_points()
            .await?;
        self.users_combine().await?;
        self.sessions_combine().await?;
        self.a_single_series_has_the_same_rows().await?;
        self.fill_only_adds_values().await?;
        self.over_is_a_function_of_the_groups().await?;
        self.explain_and_accuracy_change_no_row().await
    }

    async fn get(&self, parameters: &Parameters) -> Outcome<Table> {
        get_table(self.fixture, parameters).await
    }

    async fn functions_agree(&self) -> Outcome {
        let functions =
            "min,max,p0,p100,p50,median,range,count,distinct,mode,first,last,avg,p10,p99.9";
        let parameters = self.parameters.with("agg_func", functions);
        for (key, row) in self.get(&parameters).await? {
            for path in paths_below_functions(&row) {
                expect_agreement(&row, path)
                    .map_err(|e| format!("{key:?} {path:?}: {e} in {row:?}"))?;
            }
        }
        Ok(())
    }

    async fn a_condition_and_its_negation_partition_the_points(&self) -> Outcome {
        let Some(condition) = self.query.query.conditions.first() else {
            return Ok(());
        };
        let counts = self.parameters.with("agg_func", "count");
        let clause = |operator: &str| format!("{}{operator}{:?}", condition.leaf, condition.number);
        let fulfilled = counts.with("where", &clause(condition.operator));
        let negated = counts.with("where", &clause(negation(condition.operator)));
        let all = self.get(&counts.without(&["where"])).await?;
        let fulfilled = self.get(&fulfilled).await?;
        let negated = self.get(&negated).await?;
        let mut conditional = fulfilled.keys().chain(negated.keys());
        if let Some(key) = conditional.find(|key| !all.contains_key(*key)) {
            return Err(format!("the condition adds a row for {key:?}"));
        }
        for (key, row) in &all {
            let Some(path) = self.condition_path(condition, &key.series)? else {
                continue;
            };
            let count = |table: &Table| {
                table
                    .get(key)
                    .and_then(|row| number(row, &path))
                    .unwrap_or_default()
            };
            let total = number(row, &path).unwrap_or_default();
            let counts = [count(&fulfilled), count(&negated)];
            if counts[0] + counts[1] != total {
                return Err(format!("{key:?}: {counts:?} should add up to {total}"));
            }
        }
        Ok(())
    }

    /// The path of the leaf of a condition in aggregates of a series that has the leaf.
    fn condition_path(&self, condition: &Condition, series: &str) -> Outcome<Option<Path>> {
        let (_, metric_type) = self
            .fixture
            .find(series)
            .ok_or("a row has an unknown series")?;
        if !condition.applies_to(metric_type) {
            return Ok(None);
        }
        let leaf: Path = condition.leaf.split('.').map(str::to_owned).collect();
        Ok(Some(metric_type.aggregate_path(&leaf)))
    }

    async fn users_combine(&self) -> Outcome {
        let parameters = self
            .parameters
            .without(&["group_by"])
            .with("agg_func", LeafSummary::UNORDERED_FUNCTIONS);
        let parameters = with_interval(parameters);
        let mut single = Table::new();
        for user in self.query.query.users.iter().map(|user| user.user) {
            let one = parameters.with("user_id", &user.to_string());
            for (key, row) in self.get(&one).await? {
                let key = TableKey {
                    user: Some(user),
                    session: None,
                    ..key
                };
                single.insert(key, row);
            }
        }
        let grouped = self.get(&parameters.with("group_by", "user")).await?;
        expect_same(
            &without_sums(&single),
            &without_sums(&grouped),
            "queries of single users and a query grouped by user",
        )?;
        let all = self.get(&parameters).await?;
        expect_groups_combine(self.fixture, self.states, &grouped, &all)?;
        self.versions_add_up().await
    }

    async fn versions_add_up(&self) -> Outcome {
        let mut sum = 0;
        for user in &self.query.query.users {
            let one = self.parameters.with("user_id", &user.user.to_string());
            sum += self.version(&one).await?;
        }
        let all = self.version(&self.parameters).await?;
        if all == sum {
            Ok(())
        } else {
            Err(format!(
                "the version is {all}, but those of the users add up to {sum}"
            ))
        }
    }

    async fn version(&self, parameters: &Parameters) -> Outcome<u64> {
        let answer = self.fixture.app.get(&parameters.path(AGGREGATES)).await;
        answer.json()["metadata"]["version"]
            .as_u64()
            .ok_or_else(|| format!("the answer has no version: {}", answer.text))
    }

    async fn sessions_combine(&self) -> Outcome {
        let parameters = self
            .parameters
            .without(&["group_by"])
            .with("agg_func", LeafSummary::UNORDERED_FUNCTIONS);
        let parameters = with_interval(parameters);
        let by_session = self.get(&parameters.with("group_by", "session")).await?;
        let all = self.get(&parameters).await?;
        expect_groups_combine(self.fixture, self.states, &by_session, &all)
    }

    async fn a_single_series_has_the_same_rows(&self) -> Outcome {
        let parameters = self.parameters.with("agg_func", EXACT_FUNCTIONS);
        let all = self.get(&parameters).await?;
        let mut series: Vec<&str> = all.keys().map(|key| key.series.as_str()).collect();
        series.dedup();
        for name in series.into_iter().take(2) {
            let among_all: Table = all
                .iter()
                .filter(|(key, _)| key.series == name)
                .map(|(key, row)| (key.clone(), row.clone()))
                .collect();
            let alone = self.get(&parameters.with("series", name)).await?;
            expect_same(&among_all, &alone, "a series among all and alone")?;
        }
        Ok(())
    }

    async fn fill_only_adds_values(&self) -> Outcome {
        if !self.parameters.contains("end_time") || self.spec.fill == Fill::None {
            return Ok(());
        }
        let parameters = self.parameters.with("agg_func", EXACT_FUNCTIONS);
        let unfilled = self.get(&parameters).await?;
        for fill in ["null", "zero", "previous", "linear"] {
            let filled = self.get(&parameters.with("fill", fill)).await?;
            let (mut kept, mut added) = (Table::new(), Table::new());
            for (key, row) in filled {
                let (of_points, of_gaps): (RowLeaves, RowLeaves) =
                    row.into_iter().partition(|(path, _)| {
                        unfilled.get(&key).is_some_and(|row| row.contains_key(path))
                    });
                if unfilled.contains_key(&key) {
                    kept.insert(key.clone(), of_points);
                }
                added.insert(key, of_gaps);
            }
            expect_same(&unfilled, &kept, fill)?;
            for (key, row) in added {
                expect_gap_values(fill, &row)
                    .map_err(|e| format!("fill={fill}: {key:?}: {e} in {row:?}"))?;
            }
        }
        Ok(())
    }

    /// Compares `over` with the rows of the sessions over the whole range.
    async fn over_is_a_function_of_the_groups(&self) -> Outcome {
        let parameters = self
            .parameters
            .without(&["align", "interval", "group_by", "week_start"])
            .with("agg_func", "max");
        let groups = self.get(&parameters.with("group_by", "session")).await?;
        let mut numbers: BTreeMap<LeafKey, Vec<f64>> = BTreeMap::new();
        for (key, row) in &groups {
            for path in row.keys() {
                let leaf = LeafKey {
                    series: key.series.clone(),
                    path: path.clone(),
                };
                numbers.entry(leaf).or_default().extend(number(row, path));
            }
        }
        let over = parameters
            .with("interval", "all")
            .with("over", "min,max,count,range");
        let mut leaves = 0;
        for (key, row) in self.get(&over).await? {
            for path in paths_below_functions(&row) {
                let leaf = LeafKey {
                    series: key.series.clone(),
                    path: path.to_vec(),
                };
                let numbers = numbers
                    .get(&leaf)
                    .ok_or_else(|| format!("no group has {leaf:?}"))?;
                leaves += 1;
                let min = numbers.iter().copied().fold(f64::INFINITY, f64::min);
                let max = numbers.iter().copied().fold(f64::NEG_INFINITY, f64::max);
                let expected = [min, max, numbers.len() as f64, max - min].map(Some);
                let returned = ["min", "max", "count", "range"]
                    .map(|function| function_result(&row, function, path));
                if returned != expected {
                    return Err(format!(
                        "{leaf:?}: min, max, count and range over {numbers:?} are {returned:?}"
                    ));
                }
            }
        }
        if leaves == numbers.len() {
            Ok(())
        } else {
            Err(format!(
                "{} leaves in the groups, {leaves} over them",
                numbers.len()
            ))
        }
    }

    async fn explain_and_accuracy_change_no_row(&self) -> Outcome {
        let parameters = self.parameters.with("agg_func", EXACT_FUNCTIONS);
        let plain = self.get(&parameters).await?;
        for (name, value) in [("explain", "true"), ("accuracy", "approx")] {
            let other = self.get(&parameters.with(name, value)).await?;
            expect_same(&plain, &other, &format!("without and with {name}={value}"))?;
        }
        Ok(())
    }
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct LeafKey {
    series: String,
    path: Path,
}

fn negation(operator: &str) -> &'static str {
    match operator {
        "=" => "!=",
        "!=" => "=",
        "<" => ">=",
        ">=" => "<",
        ">" => "<=",
        "<=" => ">",
        other => unreachable!("operator {other}"),
    }
}

/// Checks the results of several functions of one leaf against each other.
fn expect_agreement(row: &RowLeaves, path: &[String]) -> Outcome {
    let get = |function: &str| {
        function_result(row, function, path).ok_or_else(|| format!("{function} is missing"))
    };
    let (min, max) = (get("min")?, get("max")?);
    for (one, other) in [("p0", "min"), ("p100", "max"), ("p50", "median")] {
        if get(one)? != get(other)? {
            return Err(format!("{one} differs from {other}"));
        }
    }
    if get("range")? != max - min {
        return Err("range differs from max - min".to_owned());
    }
    let tolerance = (min.abs() + max.abs()) * 1e-9 + f64::MIN_POSITIVE;
    for function in ["first", "last", "mode", "median", "p10", "p99.9", "avg"] {
        let number = get(function)?;
        if number < min - tolerance || max + tolerance < number {
            return Err(format!("{function} is not between min and max"));
        }
    }
    let (count, distinct) = (get("count")?, get("distinct")?);
    if 1.0 <= distinct && distinct <= count && (distinct == 1.0) == (min == max) {
        Ok(())
    } else {
        Err("distinct contradicts count, min or max".to_owned())
    }
}

/// Checks the values of leaves without a point, for the functions in `EXACT_FUNCTIONS`.
fn expect_gap_values(fill: &str, row: &RowLeaves) -> Outcome {
    let is_zero = |text: &String| text.parse() == Ok(0.0);
    let is_valid = |path: &Path, text: &String| match (path[0].as_str(), fill) {
        ("count" | "distinct", _) | (_, "zero") => is_zero(text),
        (_, "null") => text == "null",
        _ => text == "null" || text.parse::<f64>().is_ok(),
    };
    match row.iter().find(|(path, text)| !is_valid(path, text)) {
        Some((path, text)) => Err(format!("{path:?} is {text}")),
        None => Ok(()),
    }
}

/// Leaves out sums, which differ by rounding.
fn without_sums(table: &Table) -> Table {
    let mut table = table.clone();
    for row in table.values_mut() {
        row.retain(|path, _| path[0] != "sum");
    }
    table
}
