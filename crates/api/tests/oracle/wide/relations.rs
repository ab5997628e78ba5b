//! What must hold between answers, whatever the model says.

use std::collections::{BTreeMap, BTreeSet};

use crate::ask::{Ask, Series};
use crate::play::{Outcome, State, World};
use crate::wide::ask::{Parameters, WideAsk, WideAsked};
use crate::wide::merge::{Parts, adds_up};
use crate::wide::model::Fill;
use crate::wide::play::{ROUTE, WideCase, told};
use crate::wide::table::{self, EXACT, Leaves, Table, below_functions, number, of, same};

/// Everything that must hold, of each question.
pub(crate) async fn hold(world: &World, case: &WideCase) -> Outcome {
    let states = case.play(world).await?;
    for ask in &case.asks {
        let about_numbers = Ask {
            series: Series::Listed("num*"),
            ..ask.base.clone()
        };
        let ask = &WideAsk {
            base: about_numbers,
            ..ask.clone()
        };
        let asked = WideAsked::new(&states, &case.era, ask, &world.catalogue);
        let all = All {
            world,
            states: &states,
            ask,
            parameters: plain(&asked.parameters),
        };
        let checked = all.hold(&asked).await;
        checked.map_err(|e| {
            format!(
                "{e}\nof {}\nafter\n{}",
                asked.parameters.path(ROUTE),
                told(&states)
            )
        })?;
    }
    Ok(())
}

/// The same with nothing made up and nothing over anything.
fn plain(parameters: &Parameters) -> Parameters {
    let dropped = ["fill", "fill_lookback", "over", "accuracy", "explain"];
    dropped
        .iter()
        .fold(parameters.clone(), |kept, name| kept.without(name))
}

/// Grouped by session, rows are of the whole range unless an interval is asked for.
fn with_interval(parameters: Parameters) -> Parameters {
    if parameters.0.iter().any(|(name, _)| *name == "interval") {
        parameters
    } else {
        parameters.with("interval", "week")
    }
}

struct All<'a> {
    world: &'a World,
    states: &'a [State],
    ask: &'a WideAsk,
    parameters: Parameters,
}

impl All<'_> {
    async fn hold(&self, asked: &WideAsked<'_>) -> Outcome {
        self.functions_agree().await?;
        self.a_condition_and_its_opposite_part_the_points(asked)
            .await?;
        self.users_merge(asked).await?;
        self.sessions_add_up().await?;
        self.one_series_alone_says_the_same().await?;
        self.filling_only_adds().await?;
        self.over_is_a_function_of_the_groups().await?;
        self.explaining_changes_nothing().await
    }

    async fn get(&self, parameters: &Parameters) -> Outcome<Table> {
        table::ask(self.world, parameters).await
    }

    async fn functions_agree(&self) -> Outcome {
        let functions =
            "min,max,p0,p100,p50,median,range,count,distinct,mode,first,last,avg,p10,p99.9";
        for (key, row) in self
            .get(&self.parameters.with("agg_func", functions))
            .await?
        {
            for path in below_functions(&row) {
                agree(&row, path).map_err(|e| format!("{key:?} {path:?}: {e} in {row:?}"))?;
            }
        }
        Ok(())
    }

    async fn a_condition_and_its_opposite_part_the_points(&self, asked: &WideAsked<'_>) -> Outcome {
        let Some(condition) = asked.question.conditions.first() else {
            return Ok(());
        };
        let counts = self.parameters.with("agg_func", "count");
        let opposite = match condition.op {
            "=" => "!=",
            "!=" => "=",
            "<" => ">=",
            ">=" => "<",
            ">" => "<=",
            _ => ">",
        };
        let clause = |op: &str| format!("{}{op}{:?}", condition.leaf, condition.number);
        let all = self.get(&counts.without("where")).await?;
        let yes = self
            .get(&counts.with("where", &clause(condition.op)))
            .await?;
        let no = self.get(&counts.with("where", &clause(opposite))).await?;
        if let Some(key) = yes
            .keys()
            .chain(no.keys())
            .find(|key| !all.contains_key(*key))
        {
            return Err(format!("{key:?} is there under a condition only"));
        }
        for (key, row) in &all {
            let metric = self
                .world
                .catalogue
                .iter()
                .find(|m| m.series == key.0)
                .ok_or("a series of ours")?;
            if !condition.is_about(metric) {
                continue;
            }
            let path: Vec<String> = if metric.is_scalar() {
                Vec::new()
            } else {
                condition.leaf.split('.').map(str::to_owned).collect()
            };
            let count = |table: &Table| {
                table
                    .get(key)
                    .and_then(|row| number(row, &path))
                    .unwrap_or_default()
            };
            let having = number(row, &path).unwrap_or_default();
            if count(&yes) + count(&no) != having {
                return Err(format!(
                    "{key:?}: {} and {} are not {having}",
                    count(&yes),
                    count(&no)
                ));
            }
        }
        Ok(())
    }

    async fn users_merge(&self, asked: &WideAsked<'_>) -> Outcome {
        let parameters = self
            .parameters
            .without("group_by")
            .with("agg_func", Parts::FUNCTIONS);
        let parameters = with_interval(parameters);
        let mut parts = Table::new();
        for (user, _) in &asked.question.users {
            for ((series, bucket, ..), row) in self
                .get(&parameters.with("user_id", &user.to_string()))
                .await?
            {
                parts.insert((series, bucket, Some(*user), None), row);
            }
        }
        let grouped = self.get(&parameters.with("group_by", "user")).await?;
        counts_are_same(&parts, &grouped, "one by one, and by user")?;
        adds_up(
            self.world,
            self.states,
            &grouped,
            &self.get(&parameters).await?,
        )?;
        self.versions_add_up(asked).await
    }

    async fn versions_add_up(&self, asked: &WideAsked<'_>) -> Outcome {
        let mut sum = 0;
        for (user, _) in &asked.question.users {
            sum += self
                .version(&self.parameters.with("user_id", &user.to_string()))
                .await?;
        }
        let all = self.version(&self.parameters).await?;
        if all == sum {
            Ok(())
        } else {
            Err(format!(
                "the version is {all}, those of the users come to {sum}"
            ))
        }
    }

    async fn version(&self, parameters: &Parameters) -> Outcome<u64> {
        let answer = self.world.app.get(&parameters.path(ROUTE)).await;
        answer.json()["metadata"]["version"]
            .as_u64()
            .ok_or_else(|| format!("no version: {}", answer.text))
    }

    async fn sessions_add_up(&self) -> Outcome {
        let parameters = with_interval(
            self.parameters
                .without("group_by")
                .with("agg_func", Parts::FUNCTIONS),
        );
        let by_session = self.get(&parameters.with("group_by", "session")).await?;
        adds_up(
            self.world,
            self.states,
            &by_session,
            &self.get(&parameters).await?,
        )
    }

    async fn one_series_alone_says_the_same(&self) -> Outcome {
        let parameters = self.parameters.with("agg_func", EXACT);
        let all = self.get(&parameters).await?;
        let series: BTreeSet<&String> = all.keys().map(|key| &key.0).collect();
        for name in series.into_iter().take(2) {
            let own = all
                .iter()
                .filter(|(key, _)| key.0 == *name)
                .map(|(key, row)| (key.clone(), row.clone()));
            same(
                &own.collect(),
                &self.get(&parameters.with("series", name)).await?,
                "among all, and alone",
            )?;
        }
        Ok(())
    }

    async fn filling_only_adds(&self) -> Outcome {
        if self
            .parameters
            .0
            .iter()
            .any(|(name, _)| *name == "end_time")
            && self.ask.fill != Fill::None
        {
            let parameters = self.parameters.with("agg_func", EXACT);
            let bare = self.get(&parameters).await?;
            for fill in ["null", "zero", "previous", "linear"] {
                let filled = self.get(&parameters.with("fill", fill)).await?;
                let (mut kept, mut added) = (Table::new(), Table::new());
                for (key, row) in filled {
                    let (of_points, filled_in): (Leaves, Leaves) =
                        row.into_iter().partition(|(path, _)| {
                            bare.get(&key).is_some_and(|row| row.contains_key(path))
                        });
                    if bare.contains_key(&key) {
                        kept.insert(key.clone(), of_points);
                    }
                    added.insert(key, filled_in);
                }
                same(&bare, &kept, fill)?;
                for (key, row) in added {
                    made_up(fill, &row)
                        .map_err(|e| format!("fill={fill}: {key:?}: {e} in {row:?}"))?;
                }
            }
        }
        Ok(())
    }

    /// Over sessions of all the range, put together here from what they are one by one.
    async fn over_is_a_function_of_the_groups(&self) -> Outcome {
        let bare = ["align", "interval", "group_by", "week_start"];
        let parameters = bare
            .iter()
            .fold(self.parameters.clone(), |kept, name| kept.without(name));
        let parameters = parameters.with("agg_func", "max");
        let groups = self.get(&parameters.with("group_by", "session")).await?;
        let mut wanted: BTreeMap<(String, Vec<String>), Vec<f64>> = BTreeMap::new();
        for ((series, ..), row) in &groups {
            for path in row.keys() {
                wanted
                    .entry((series.clone(), path.clone()))
                    .or_default()
                    .extend(number(row, path));
            }
        }
        let over = parameters
            .with("interval", "all")
            .with("over", "min,max,count,range");
        let mut got = 0;
        for ((series, ..), row) in self.get(&over).await? {
            for path in below_functions(&row) {
                let numbers = wanted
                    .get(&(series.clone(), path.to_vec()))
                    .ok_or("over a leaf that no group has")?;
                got += 1;
                let least = numbers.iter().copied().fold(f64::INFINITY, f64::min);
                let most = numbers.iter().copied().fold(f64::NEG_INFINITY, f64::max);
                let said =
                    ["min", "max", "count", "range"].map(|function| of(&row, function, path));
                if said != [least, most, numbers.len() as f64, most - least].map(Some) {
                    return Err(format!(
                        "over {series} {path:?}: {said:?} said of {numbers:?}"
                    ));
                }
            }
        }
        if got == wanted.len() {
            Ok(())
        } else {
            Err(format!(
                "{got} leaves over those of {} groups",
                wanted.len()
            ))
        }
    }

    async fn explaining_changes_nothing(&self) -> Outcome {
        let parameters = self.parameters.with("agg_func", EXACT);
        let plain = self.get(&parameters).await?;
        same(
            &plain,
            &self.get(&parameters.with("explain", "true")).await?,
            "explained",
        )?;
        same(
            &plain,
            &self.get(&parameters.with("accuracy", "approx")).await?,
            "approximate where there is much",
        )
    }
}

/// What the functions say of one leaf of one row.
fn agree(row: &Leaves, path: &[String]) -> Outcome {
    let get = |function: &str| of(row, function, path).ok_or_else(|| format!("no {function}"));
    let (min, max) = (get("min")?, get("max")?);
    for (one, other) in [("p0", "min"), ("p100", "max"), ("p50", "median")] {
        if get(one)? != get(other)? {
            return Err(format!("{one} is not {other}"));
        }
    }
    if get("range")? != max - min {
        return Err("the range is not from min to max".to_owned());
    }
    let slack = (min.abs() + max.abs()) * 1e-9 + f64::MIN_POSITIVE;
    for between in ["first", "last", "mode", "median", "p10", "p99.9", "avg"] {
        let number = get(between)?;
        if number < min - slack || max + slack < number {
            return Err(format!("{between} is not between min and max"));
        }
    }
    let (count, distinct) = (get("count")?, get("distinct")?);
    let some = 1.0 <= distinct && distinct <= count && (distinct == 1.0) == (min == max);
    if some {
        Ok(())
    } else {
        Err("so many different values cannot be".to_owned())
    }
}

/// What a row that no point is in may say: of `EXACT` functions.
fn made_up(fill: &str, row: &Leaves) -> Outcome {
    let zero = |text: &String| text.parse() == Ok(0.0);
    let fault = row
        .iter()
        .find(|(path, text)| match (path[0].as_str(), fill) {
            ("count" | "distinct", _) | (_, "zero") => !zero(text),
            (_, "null") => *text != "null",
            _ => *text != "null" && text.parse::<f64>().is_err(),
        });
    fault.map_or(Ok(()), |(path, text)| Err(format!("{path:?} is {text}")))
}

fn counts_are_same(one: &Table, other: &Table, what: &str) -> Outcome {
    let exact = |table: &Table| -> Table {
        let kept = |row: &Leaves| {
            row.iter()
                .filter(|(path, _)| path[0] != "sum")
                .map(|(p, t)| (p.clone(), t.clone()))
                .collect()
        };
        table
            .iter()
            .map(|(key, row)| (key.clone(), kept(row)))
            .collect()
    };
    same(&exact(one), &exact(other), what)
}
