//! What must hold between answers, whatever the model says.

use std::collections::{BTreeMap, BTreeSet};

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use uuid::Uuid;

use crate::ask::{Ask, Asked, Case, escaped};
use crate::calendar::{DAY, WEEKDAYS, ZONES, timestamp};
use crate::compare::Body;
use crate::generate::{Act, Era, acts, era};
use crate::json::leaves;
use crate::metrics::Dice;
use crate::model::{Point, Session, slack};
use crate::play::{Outcome, State, World, body};

/// Functions whose answers can be put together from those of parts.
const TOGETHER: &str = "count,sum,min,max,first,last";

/// Data, and two lengths of buckets of which one is cut into the other.
#[derive(Debug, Clone)]
pub(crate) struct Nested {
    era: Era,
    acts: Vec<(usize, Act)>,
    zone: usize,
    week_start: usize,
    fine: &'static str,
    coarse: &'static str,
    /// Where the range is cut in two, in thousandths of it.
    cut: i64,
}

pub(crate) fn nested() -> impl Strategy<Value = Nested> {
    let pairs = vec![
        ("hour", "day"),
        ("30s", "min"),
        ("15m", "hour"),
        ("hour", "6h"),
        ("7h", "day"),
        ("15m", "week"),
        ("day", "3d"),
        ("day", "week"),
        ("week", "2w"),
        ("6h", "month"),
        ("month", "quarter"),
        ("month", "5mo"),
        ("quarter", "year"),
        ("day", "all"),
        ("month", "all"),
    ];
    let small =
        era().prop_flat_map(|era| (0..ZONES.len()).prop_map(move |other| (era.clone(), other)));
    (
        small,
        acts(6),
        0..7_usize,
        select(pairs),
        0..=1_000_i64,
        any::<bool>(),
    )
        .prop_map(
            |((era, other), acts, week_start, (fine, coarse), cut, at_home)| {
                let zone = if at_home { era.zone } else { other };
                Nested {
                    era,
                    acts,
                    zone,
                    week_start,
                    fine,
                    coarse,
                    cut,
                }
            },
        )
}

/// What a row says of one leaf.
#[derive(Debug, Clone, PartialEq)]
struct Part {
    count: f64,
    sum: f64,
    min: f64,
    max: f64,
    first: f64,
    last: f64,
}

impl Part {
    fn of(leaf: &BTreeMap<&str, f64>) -> Self {
        let get = |name| leaf.get(name).copied().unwrap_or(f64::NAN);
        Self {
            count: get("count"),
            sum: get("sum"),
            min: get("min"),
            max: get("max"),
            first: get("first"),
            last: get("last"),
        }
    }

    fn join(&self, later: &Self) -> Self {
        Self {
            count: self.count + later.count,
            sum: self.sum + later.sum,
            min: self.min.min(later.min),
            max: self.max.max(later.max),
            first: self.first,
            last: later.last,
        }
    }

    fn equals(&self, other: &Self, slack: f64) -> bool {
        (self.sum - other.sum).abs() <= slack
            && Self {
                sum: 0.0,
                ..self.clone()
            } == Self {
                sum: 0.0,
                ..other.clone()
            }
    }
}

/// Parts by series, then leaf, then instant.
type Parts = BTreeMap<(String, Vec<String>), BTreeMap<jiff::Timestamp, Part>>;

struct Asking<'a> {
    world: &'a World,
    state: &'a State,
    zone: &'a str,
    week_start: &'a str,
}

impl Asking<'_> {
    async fn parts(&self, interval: &str, start: i64, end: i64) -> Outcome<Parts> {
        if start >= end {
            return Ok(Parts::new()); // an empty range is refused, and has no points
        }
        let path = format!(
            "/api/timeseries/?user_id={}&interval={interval}&start_time={}&end_time={}&agg_func={TOGETHER}&tz={}&week_start={}",
            self.state.user,
            escaped(&timestamp(start).to_string()),
            escaped(&timestamp(end).to_string()),
            escaped(self.zone),
            self.week_start
        );
        let answer = self.world.app.get(&path).await;
        let body: Body =
            serde_json::from_str(&answer.text).map_err(|e| format!("{e}: {}", answer.text))?;
        let mut parts = Parts::new();
        for row in &body.results {
            let all = leaves(&row.value);
            let paths: BTreeSet<&[String]> = all.keys().map(|path| &path[1..]).collect();
            for path in paths {
                let by_function = all.iter().filter(|(p, _)| &p[1..] == path);
                let numbers = by_function
                    .map(|(p, text)| (p[0].as_str(), text.parse().expect("a number")))
                    .collect();
                let bucket = row
                    .bucket
                    .parse()
                    .map_err(|e| format!("{}: {e}", row.bucket))?;
                parts
                    .entry((row.series.clone(), path.to_vec()))
                    .or_default()
                    .insert(bucket, Part::of(&numbers));
            }
        }
        Ok(parts)
    }

    fn slack(&self, series: &str, path: &[String]) -> f64 {
        let place = self
            .world
            .catalogue
            .iter()
            .position(|m| m.series == series)
            .expect("a series of ours");
        let metric = &self.world.catalogue[place];
        let path = if metric.is_scalar() {
            &metric.leaves[0]
        } else {
            path
        };
        let points = self.state.points();
        let numbers: Vec<f64> = points
            .iter()
            .filter(|p| p.metric == place)
            .filter_map(|p| p.value.leaf(path))
            .collect();
        4.0 * slack(&numbers)
    }

    /// Whether each coarse part is the fine ones from its start to the next one's start.
    fn add_up(&self, fine: &Parts, coarse: &Parts) -> Outcome {
        if !fine.keys().eq(coarse.keys()) {
            return Err(format!(
                "{:?} in the parts, {:?} in the whole",
                fine.keys(),
                coarse.keys()
            ));
        }
        for ((series, path), coarse) in coarse {
            let mut joined: BTreeMap<jiff::Timestamp, Part> = BTreeMap::new();
            for (at, part) in &fine[&(series.clone(), path.clone())] {
                // A part that the start cuts has its label before that of `all`.
                let bucket = coarse
                    .range(..=*at)
                    .next_back()
                    .or_else(|| coarse.first_key_value());
                let bucket = bucket.expect("a bucket").0;
                let whole = joined
                    .get(bucket)
                    .map_or_else(|| part.clone(), |sofar| sofar.join(part));
                joined.insert(*bucket, whole);
            }
            for (at, whole) in coarse {
                let parts = joined
                    .get(at)
                    .ok_or_else(|| format!("{series} at {at} has no parts"))?;
                if !parts.equals(whole, self.slack(series, path)) {
                    return Err(format!(
                        "{series} {path:?} at {at}: {whole:?} is not what its parts say, {parts:?}"
                    ));
                }
            }
        }
        Ok(())
    }
}

/// Short buckets add up to long ones, and two parts of a range to all of it; with nothing left nothing is answered.
pub(crate) async fn adds_up(world: &World, case: &Nested) -> Outcome {
    let state = world.play(Uuid::new_v4(), &case.era, &case.acts).await?;
    let asking = Asking {
        world,
        state: &state,
        zone: ZONES[case.zone],
        week_start: WEEKDAYS[case.week_start],
    };
    let times: Vec<i64> = state.points().iter().map(|p| p.time).collect();
    let (Some(first), Some(last)) = (times.iter().min(), times.iter().max()) else {
        return Ok(());
    };
    // A bucket that the start cuts has its calendar label, which no bucket of another length may follow: begin at a
    // time that begins all of them, long before.
    let start = if case.coarse == "all" {
        *first
    } else {
        -800 * DAY
    };
    let few = last - first < 100 * DAY || case.fine == "month" || case.fine == "quarter";
    let (fine, coarse) = if few {
        (case.fine, case.coarse)
    } else {
        ("day", "month")
    };
    let start = if few && case.fine.ends_with(['s', 'm', 'r', 'h']) {
        start.max(first - 100 * DAY)
    } else {
        start
    };
    let told = |e: String| {
        format!(
            "{fine} and {coarse}: {e}\nuser {}\nafter\n{}",
            state.user,
            state.told()
        )
    };
    let short = asking.parts(fine, start, last + 1).await?;
    let long = asking.parts(coarse, start, last + 1).await?;
    asking.add_up(&short, &long).map_err(told)?;

    let cut = first + (last - first) * case.cut / 1_000;
    let mut halves = asking.parts("all", *first, cut).await?;
    for (key, second) in asking.parts("all", cut, last + 1).await? {
        halves.entry(key).or_default().extend(second);
    }
    let whole = asking.parts("all", *first, last + 1).await?;
    asking.add_up(&halves, &whole).map_err(told)?;

    for session in state.slots.values() {
        let path = format!("/api/sessions/{}/?user_id={}", session.id, state.user);
        let answer = world.app.delete(&path).await;
        if answer.status != 204 {
            return Err(format!("DELETE {path}: {} {}", answer.status, answer.text));
        }
    }
    let left = asking.parts(fine, start, last + 1).await?;
    if left.is_empty() {
        Ok(())
    } else {
        Err(told(format!("all is deleted, and there is {left:?}")))
    }
}

/// The same points cut into sessions in another way, posted in another order, some twice.
#[derive(Debug, Clone)]
pub(crate) struct Split {
    case: Case,
    sessions: u64,
    seed: u64,
    retries: Vec<bool>,
}

pub(crate) fn split(case: impl Strategy<Value = Case>) -> impl Strategy<Value = Split> {
    (case, 1..6_u64, any::<u64>(), vec(any::<bool>(), 8)).prop_map(
        |(case, sessions, seed, retries)| Split {
            case,
            sessions,
            seed,
            retries,
        },
    )
}

/// However the points came, the answers are the same.
pub(crate) async fn same_however_split(world: &World, split: &Split) -> Outcome {
    let case = &split.case;
    let one = world.play(Uuid::new_v4(), &case.era, &case.acts).await?;
    // A session may be 31 days long, so points of one are of one stretch of 30 days.
    let mut cut: BTreeMap<(u64, i64), Vec<Point>> = BTreeMap::new();
    for (place, point) in one.points().into_iter().enumerate() {
        let part = Dice::of(split.seed, place).below(split.sessions);
        cut.entry((part, point.time.div_euclid(30 * DAY)))
            .or_default()
            .push(point.clone());
    }
    let mut other = State {
        user: Uuid::new_v4(),
        ..State::default()
    };
    let mut sessions: Vec<Session> = cut
        .into_values()
        .map(|points| Session {
            id: Uuid::new_v4(),
            start: None,
            points,
        })
        .collect();
    let mut dice = Dice::new(split.seed);
    sessions.sort_by_cached_key(|_| dice.next());
    for (slot, session) in sessions.into_iter().enumerate() {
        let text = body(other.user, &session, &world.catalogue, false);
        for status in if split.retries[slot % 8] {
            &[201, 200][..]
        } else {
            &[201]
        } {
            let answer = world.app.post_text("/api/sessions/", &text).await;
            if answer.status.as_u16() != *status {
                return Err(format!(
                    "{status} expected, {} {} answered to {text}",
                    answer.status, answer.text
                ));
            }
        }
        other.script.push(format!("POST {text}"));
        other.slots.insert(slot, session);
    }
    let points = one.points();
    let begin = points.iter().map(|p| p.time).min().unwrap_or_default() - DAY;
    let end = points.iter().map(|p| p.time).max().unwrap_or_default() + 1;
    let path = |state: &State| {
        let (begin, end) = (
            escaped(&timestamp(begin).to_string()),
            escaped(&timestamp(end).to_string()),
        );
        let asked = "series=num*&agg_func=count,min,max,first,last&interval=day";
        let zone = escaped(ZONES[case.era.zone]);
        format!(
            "/api/timeseries/?user_id={}&start_time={begin}&end_time={end}&tz={zone}&{asked}",
            state.user
        )
    };
    let (first, second) = (
        world.app.get(&path(&one)).await,
        world.app.get(&path(&other)).await,
    );
    // Which of 0.0 and -0.0 is less has a test of its own.
    let rows = |text: &str| {
        text.split_once(r#""results":"#)
            .map(|(_, rows)| rows.replace(":-0.0", ":0.0"))
    };
    if rows(&first.text).is_none() || rows(&first.text) != rows(&second.text) {
        return Err(format!(
            "{}\n{}\nafter\n{}\nand\n{}",
            first.text,
            second.text,
            one.told(),
            other.told()
        ));
    }
    // The sums of both are near to those of the model.
    for ask in &case.asks {
        world.compare(&one, &case.era, ask).await?;
        world.compare(&other, &case.era, ask).await?;
    }
    Ok(())
}

/// Two services that were told the same answer the same; what is summed, to what rounding allows.
pub(crate) async fn same_on_both(worlds: &[World; 2], case: &Case) -> Outcome {
    let user = Uuid::new_v4();
    let states = [
        worlds[0].play(user, &case.era, &case.acts).await?,
        worlds[1].play(user, &case.era, &case.acts).await?,
    ];
    for ask in &case.asks {
        let exact: Vec<&str> = ask
            .functions
            .iter()
            .filter(|f| !["avg", "sum", "stddev"].contains(f))
            .copied()
            .collect();
        worlds[0].compare(&states[0], &case.era, ask).await?;
        worlds[1].compare(&states[1], &case.era, ask).await?;
        let functions = if exact.is_empty() {
            vec!["count", "max"]
        } else {
            exact
        };
        let ask = Ask {
            functions,
            has_end: true,
            ..ask.clone()
        }; // now is another time on the other
        let path = Asked::new(&states[0], &case.era, &ask, &worlds[0].catalogue).path;
        let [first, second] = [
            worlds[0].app.get(&path).await,
            worlds[1].app.get(&path).await,
        ];
        let plain = |text: &str| {
            let (before, version) = text.split_once(r#""version":"#).unwrap_or((text, ""));
            let after = version.trim_start_matches(|c: char| c.is_ascii_digit());
            format!("{before}{}", after.replace(":-0.0", ":0.0"))
        };
        if first.status != second.status || plain(&first.text) != plain(&second.text) {
            let told = states[0].told();
            return Err(format!(
                "GET {path}\n{}\nis not\n{}\nafter\n{told}",
                first.text, second.text
            ));
        }
    }
    Ok(())
}
