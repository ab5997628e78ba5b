//! Plays what several users do, and compares the answers to wide questions with the model's.

use std::collections::BTreeSet;
use std::ops::Range;

use proptest::collection::vec;
use proptest::prelude::*;
use time_series_testkit::{Answer, TestApp};
use uuid::Uuid;

use crate::ask::selects;
use crate::generate::{Act, Era, acts, era};
use crate::metrics::of_any_kind;
use crate::play::{Outcome, State, World, expect, session_id};
use crate::wide::ask::{WideAsk, WideAsked, wide_ask};
use crate::wide::compare::{Body, equal};
use crate::wide::functions::{OF_TEXT, counts};
use crate::wide::model::{Fill, GroupBy, Question};

pub(crate) const ROUTE: &str = "/api/timeseries/";

/// What some users do, and questions about it.
#[derive(Debug, Clone)]
pub(crate) struct WideCase {
    pub(crate) era: Era,
    pub(crate) acts: Vec<Vec<(usize, Act)>>,
    /// Whether the first two users have sessions of the same ids.
    pub(crate) twins: bool,
    pub(crate) asks: Vec<WideAsk>,
}

pub(crate) fn wide_case(acts_at_most: usize, asks: usize) -> impl Strategy<Value = WideCase> {
    era().prop_flat_map(move |era| {
        let asks = vec(wide_ask(era.zone), asks);
        let first = acts(acts_at_most);
        let others = vec(acts(acts_at_most.div_ceil(2)), 0..=2);
        (Just(era), first, others, any::<bool>(), asks).prop_map(
            |(era, first, others, twins, asks)| WideCase {
                era,
                acts: [vec![first], others].concat(),
                twins,
                asks,
            },
        )
    })
}

/// A service that also has a series whose values are of every kind.
pub(crate) async fn wide_world(app: TestApp) -> World {
    let mut world = World::of(app).await;
    let metric = of_any_kind();
    world
        .app
        .metric_type(&metric.series, &metric.node.schema())
        .await;
    world.catalogue.push(metric);
    world
}

impl WideCase {
    /// Users to whom nothing has happened yet.
    pub(crate) fn users(&self) -> Vec<State> {
        let first = Uuid::new_v4();
        let user = |place: usize| match place {
            0 => first,
            // Slot 1 of this user has the session id of slot 0 of the first, and the other way round.
            1 if self.twins => Uuid::from_u128(
                session_id(first, 0).as_u128() ^ session_id(first, 1).as_u128() ^ first.as_u128(),
            ),
            _ => Uuid::new_v4(),
        };
        (0..self.acts.len())
            .map(|place| State {
                user: user(place),
                ..State::default()
            })
            .collect()
    }

    /// Users to whom everything has happened, in turns.
    pub(crate) async fn play(&self, world: &World) -> Outcome<Vec<State>> {
        let mut states = self.users();
        for turn in 0..self.turns() {
            self.turn(world, &mut states, turn).await?;
        }
        Ok(states)
    }

    fn turns(&self) -> usize {
        self.acts.iter().map(Vec::len).max().unwrap_or_default()
    }

    async fn turn(&self, world: &World, states: &mut [State], turn: usize) -> Outcome {
        for (state, acts) in states.iter_mut().zip(&self.acts) {
            if let Some((slot, act)) = acts.get(turn) {
                world.act(state, *slot, &self.era, act).await?;
            }
        }
        Ok(())
    }
}

/// Plays a whole case and asks.
pub(crate) async fn whole(world: &World, case: &WideCase) -> Outcome {
    let states = case.play(world).await?;
    for ask in &case.asks {
        compare(world, &states, &case.era, ask).await?;
    }
    Ok(())
}

/// Asks all questions, twice, after each turn.
pub(crate) async fn step_by_step(world: &World, case: &WideCase) -> Outcome {
    let mut states = case.users();
    for turn in 0..case.turns() {
        case.turn(world, &mut states, turn).await?;
        for ask in case.asks.iter().chain(&case.asks) {
            compare(world, &states, &case.era, ask).await?;
        }
    }
    Ok(())
}

/// What was done, for the report of a failure.
pub(crate) fn told(states: &[State]) -> String {
    states
        .iter()
        .map(|state| format!("{}:\n{}", state.user, state.told()))
        .collect::<Vec<_>>()
        .join("\n")
}

/// Asks, and compares with the model.
pub(crate) async fn compare(world: &World, states: &[State], era: &Era, ask: &WideAsk) -> Outcome {
    let mut asked = WideAsked::new(states, era, ask, &world.catalogue);
    let path = asked.parameters.path(ROUTE);
    let answer = world.app.get(&path).await;
    let compared = judge(world, ask, &mut asked, &answer);
    compared.map_err(|e| format!("{e}\nGET {path}\nafter\n{}", told(states)))
}

/// What becomes of text series.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum OnText {
    Answered,
    Skipped,
    /// Numbers over how many there are may be said, or be called no function of text.
    Either,
}

impl OnText {
    pub(crate) fn of(functions: &[&str], over: &[&str]) -> Self {
        let of_text = |functions: &[&str]| functions.iter().all(|f| OF_TEXT.contains(f));
        match (of_text(functions), of_text(over)) {
            (true, true) => Self::Answered,
            (true, false) if functions.iter().all(|f| counts(f)) => Self::Either,
            _ => Self::Skipped,
        }
    }
}

/// What is to become of a series.
enum Fate {
    Answered,
    Skipped,
    Refused,
    /// Skipped, or the whole question is refused.
    SkippedOrRefused,
    Any {
        exact: bool,
    },
}

fn fate(question: &Question<'_>, series: &str, place: usize) -> Option<Fate> {
    let metric = &question.catalogue[place];
    let exact = selects(series, &metric.series)?;
    let lacks = question.conditions.iter().any(|c| !c.is_about(metric));
    if !metric.leaves.is_empty() {
        return Some(if lacks { Fate::Skipped } else { Fate::Answered });
    }
    Some(match OnText::of(&question.functions, &question.over) {
        OnText::Answered if lacks => Fate::Skipped,
        OnText::Answered => Fate::Answered,
        OnText::Skipped if !exact => Fate::Skipped,
        OnText::Skipped if lacks => Fate::SkippedOrRefused,
        OnText::Skipped => Fate::Refused,
        OnText::Either if lacks && exact => Fate::SkippedOrRefused,
        OnText::Either if lacks => Fate::Skipped,
        OnText::Either => Fate::Any { exact },
    })
}

fn judge(world: &World, ask: &WideAsk, asked: &mut WideAsked<'_>, answer: &Answer) -> Outcome {
    let refused = answer.status == 422;
    let fates: Vec<(usize, Fate)> = (0..world.catalogue.len())
        .filter_map(|place| Some((place, fate(&asked.question, asked.series, place)?)))
        .collect();
    if fates.iter().any(|(_, fate)| matches!(fate, Fate::Refused)) {
        return expect(answer, 422, None);
    }
    if refused
        && fates
            .iter()
            .any(|(_, fate)| matches!(fate, Fate::SkippedOrRefused | Fate::Any { exact: true }))
    {
        return Ok(());
    }
    expect(answer, 200, None)?;
    let body = Body::read(&answer.text)?;
    let listed: BTreeSet<&str> = body.metadata["skipped"]
        .as_array()
        .ok_or("skipped is no list")?
        .iter()
        .filter_map(|s| s.as_str())
        .collect();
    let mut skipped = BTreeSet::new();
    for (place, fate) in fates {
        let series = world.catalogue[place].series.as_str();
        match fate {
            Fate::Answered => asked.question.chosen.push(place),
            Fate::Any { .. } if !listed.contains(series) => asked.question.chosen.push(place),
            _ => drop(skipped.insert(series)),
        }
    }
    equal(&asked.question, &body)?;
    if let Some(other) = listed.iter().find(|series| !skipped.contains(*series)) {
        return Err(format!("{other} is listed as skipped, of {skipped:?}"));
    }
    let silent = |series: &&&str| {
        !listed.contains(**series)
            && has_points(
                &asked.question,
                series,
                asked.question.start..asked.question.end,
            )
    };
    let absent = |series: &&&str| !has_points(&asked.question, series, i64::MIN..i64::MAX);
    if let Some(absent) = listed.iter().find(absent) {
        return Err(format!(
            "{absent} is listed as skipped, and nobody has a point of it"
        ));
    }
    if let Some(silent) = skipped.iter().find(silent) {
        return Err(format!("{silent} is skipped, and not listed"));
    }
    told_of(ask, &asked.question, &body.metadata)
}

fn has_points(question: &Question<'_>, series: &str, range: Range<i64>) -> bool {
    let mut sessions = question.users.iter().flat_map(|(_, sessions)| sessions);
    sessions.any(|session| {
        let asked = question.session.is_none_or(|only| only == session.id);
        let of = |metric: usize| question.catalogue[metric].series == series;
        asked
            && session
                .points
                .iter()
                .any(|p| of(p.metric) && range.contains(&p.time))
    })
}

/// Whether metadata say what was asked.
fn told_of(ask: &WideAsk, question: &Question<'_>, metadata: &serde_json::Value) -> Outcome {
    let check = |yes: bool, what: &str| {
        if yes {
            Ok(())
        } else {
            Err(format!("{what}: {metadata}"))
        }
    };
    let users: BTreeSet<String> = question
        .users
        .iter()
        .map(|(user, _)| user.to_string())
        .collect();
    let told: BTreeSet<String> = match &metadata["user_id"] {
        serde_json::Value::String(one) if users.len() == 1 => BTreeSet::from([one.clone()]),
        serde_json::Value::Array(several) if several.len() == users.len() && users.len() > 1 => {
            several
                .iter()
                .filter_map(|id| id.as_str().map(str::to_owned))
                .collect()
        }
        _ => BTreeSet::new(),
    };
    check(users == told, "user_id")?;
    let aligned = question.is_aligned();
    check(
        metadata["align"] == if aligned { "session" } else { "calendar" },
        "align",
    )?;
    for name in ["tz", "week_start"] {
        check(metadata.get(name).is_none() == aligned, name)?;
    }
    let group_by = match question.group_by {
        GroupBy::Session => metadata["group_by"] == "session",
        GroupBy::User => metadata["group_by"] == "user",
        // Over sessions they are grouped without being asked for.
        GroupBy::Nothing if !ask.over.is_empty() => true,
        GroupBy::Nothing => metadata["group_by"].is_null(),
    };
    check(group_by, "group_by")?;
    let fill = match question.fill {
        Fill::None => "none",
        Fill::Null => "null",
        Fill::Zero => "zero",
        Fill::Previous => "previous",
        Fill::Linear => "linear",
    };
    check(metadata["fill"] == fill, "fill")?;
    check(
        metadata["fill_lookback"].is_null() == ask.lookback.is_none(),
        "fill_lookback",
    )?;
    check(metadata["over"].is_null() == ask.over.is_empty(), "over")?;
    check(
        metadata["where"].is_null() == ask.clauses.is_empty(),
        "where",
    )?;
    check(
        metadata["accuracy"] == ask.accuracy.unwrap_or("exact"),
        "accuracy",
    )?;
    check(metadata.get("approximate").is_none(), "approximate")?;
    check(metadata["explain"].is_object() == ask.explain, "explain")?;
    check(metadata["version"].is_u64(), "version")
}
