//! Plays a case against a service: writes, then questions whose answers are compared with the model's.

use std::collections::BTreeMap;

use time_series_testkit::{Answer, Backend, TestApp};
use uuid::Uuid;

use crate::ask::{Ask, Asked, Case, selects};
use crate::calendar::timestamp;
use crate::compare::{Body, equal};
use crate::generate::{Act, Era};
use crate::metrics::{Metric, catalogue};
use crate::model::{self, Point, Question, Session};

/// What went wrong, in words.
pub(crate) type Outcome<T = ()> = Result<T, String>;

/// A service that has the metric types.
pub(crate) struct World {
    pub(crate) app: TestApp,
    pub(crate) catalogue: Vec<Metric>,
}

/// The sessions of a user, and how they came to be, for the report of a failure.
#[derive(Default)]
pub(crate) struct State {
    pub(crate) user: Uuid,
    pub(crate) slots: BTreeMap<usize, Session>,
    pub(crate) script: Vec<String>,
}

/// The session id in a slot of a user.
pub(crate) fn session_id(user: Uuid, slot: usize) -> Uuid {
    // Not in the order of the slots, so that ties are not broken by chance.
    Uuid::from_u128(
        user.as_u128() ^ (0x9E37_79B9_7F4A_7C15_u128 << 64).wrapping_mul(slot as u128 + 1),
    )
}

/// The body of a post, with other spellings of the same where told.
pub(crate) fn body(user: Uuid, session: &Session, catalogue: &[Metric], respelled: bool) -> String {
    let time = |micros: i64| {
        if respelled {
            let offset = jiff::tz::Offset::from_seconds(20_700)
                .expect("+05:45")
                .to_time_zone();
            timestamp(micros)
                .to_zoned_datetime(offset)
                .strftime("%Y-%m-%dT%H:%M:%S.%6f000%:z")
                .to_string()
        } else {
            timestamp(micros).to_string()
        }
    };
    let points = if respelled {
        session.in_order()
    } else {
        session.points.iter().collect()
    };
    let point = |p: &&Point| {
        let value = if respelled {
            p.value.respelled()
        } else {
            p.value.clone()
        };
        format!(
            r#"{{"series":"{}","time":"{}","value":{value}}}"#,
            catalogue[p.metric].series,
            time(p.time)
        )
    };
    let points: Vec<String> = points.iter().map(point).collect();
    let start = session
        .start
        .map(|start| format!(r#""start_ts":"{}","#, time(start)))
        .unwrap_or_default();
    format!(
        r#"{{"user_id":"{user}","session_id":"{}",{start}"data":[{}]}}"#,
        session.id,
        points.join(",")
    )
}

impl World {
    pub(crate) async fn new(backend: Backend) -> Self {
        Self::of(TestApp::start(backend).await).await
    }

    pub(crate) async fn of(app: TestApp) -> Self {
        let catalogue = catalogue();
        for metric in &catalogue {
            app.metric_type(&metric.series, &metric.node.schema()).await;
        }
        Self { app, catalogue }
    }

    /// Does what the acts say; each answer must be what the model would answer.
    pub(crate) async fn play(
        &self,
        user: Uuid,
        era: &Era,
        acts: &[(usize, Act)],
    ) -> Outcome<State> {
        let mut state = State {
            user,
            ..State::default()
        };
        for (slot, act) in acts {
            self.act(&mut state, *slot, era, act).await?;
        }
        Ok(state)
    }

    pub(crate) async fn act(
        &self,
        state: &mut State,
        slot: usize,
        era: &Era,
        act: &Act,
    ) -> Outcome {
        let id = session_id(state.user, slot);
        let before = state.slots.get(&slot);
        let (call, session, respelled) = match act {
            Act::Delete => {
                let status = if before.is_some() { 204 } else { 404 };
                state.slots.remove(&slot);
                state.script.push(format!("DELETE {id}"));
                let answer = self
                    .app
                    .delete(&format!("/api/sessions/{id}/?user_id={}", state.user))
                    .await;
                return expect(&answer, status, None);
            }
            Act::Again { by_put, respelled } => {
                let Some(session) = before.cloned() else {
                    return Ok(());
                };
                (if *by_put { "PUT" } else { "POST" }, session, *respelled)
            }
            Act::Post(made) => ("POST", made.session(id, era, &self.catalogue), false),
            Act::Put(made) => ("PUT", made.session(id, era, &self.catalogue), false),
            Act::PostReplacing(made) => (
                "?on_conflict=replace",
                made.session(id, era, &self.catalogue),
                false,
            ),
            Act::PostIgnoring(made) => (
                "?on_conflict=ignore",
                made.session(id, era, &self.catalogue),
                false,
            ),
        };
        let (status, outcome, stored) = match before {
            None => (201, Some("created"), true),
            Some(before) if before.is_same(&session) => (200, Some("unchanged"), false),
            Some(_) if call == "POST" => (409, None, false),
            Some(_) if call.ends_with("ignore") => (200, Some("ignored"), false),
            Some(_) => (200, Some("replaced"), true),
        };
        let text = body(state.user, &session, &self.catalogue, respelled);
        state.script.push(format!("{call} {text}"));
        let answer = if call == "PUT" {
            let path = format!("/api/sessions/{id}/");
            self.app
                .request(reqwest::Method::PUT, &path, Some(text.into_bytes()), &[])
                .await
        } else {
            let path = format!("/api/sessions/{}", if call == "POST" { "" } else { call });
            self.app.post_text(&path, &text).await
        };
        if stored {
            state.slots.insert(slot, session);
        }
        expect(&answer, status, outcome).map_err(|e| format!("{e}\nafter\n{}", state.told()))
    }

    /// Asks, and compares with the model.
    pub(crate) async fn compare(&self, state: &State, era: &Era, ask: &Ask) -> Outcome {
        let asked = Asked::new(state, era, ask, &self.catalogue);
        let answer = self.app.get(&asked.path).await;
        let compared = self.judge(state, ask, &asked, &answer);
        compared.map_err(|e| format!("{e}\nGET {}\nafter\n{}", asked.path, state.told()))
    }

    fn judge(&self, state: &State, ask: &Ask, asked: &Asked<'_>, answer: &Answer) -> Outcome {
        let numeric = ask
            .functions
            .iter()
            .any(|f| !["first", "last", "count"].contains(f));
        let mut chosen = Vec::new();
        let mut skipped = Vec::new();
        for (place, metric) in self.catalogue.iter().enumerate() {
            let Some(exact) = selects(asked.series, &metric.series) else {
                continue;
            };
            match numeric && metric.leaves.is_empty() {
                true if exact => return expect(answer, 422, None),
                true => skipped.push(metric.series.as_str()),
                false => chosen.push(place),
            }
        }
        expect(answer, 200, None)?;
        let body: Body =
            serde_json::from_str(&answer.text).map_err(|e| format!("{e}: {}", answer.text))?;
        let sessions: Vec<&Session> = state.slots.values().collect();
        let question = Question {
            calendar: &asked.calendar,
            start: asked.start,
            end: asked.end,
            session: asked.session,
            functions: &ask.functions,
        };
        let wanted = model::answer(&self.catalogue, &chosen, &sessions, &question);
        equal(&wanted, &body, &asked.calendar, &ask.functions)?;
        let listed = body.metadata["skipped"]
            .as_array()
            .ok_or("skipped is no list")?;
        if let Some(other) = listed
            .iter()
            .find(|s| !s.as_str().is_some_and(|s| skipped.contains(&s)))
        {
            return Err(format!("{other} is listed as skipped, of {skipped:?}"));
        }
        let present = |series: &str| {
            state
                .points()
                .iter()
                .any(|p| self.catalogue[p.metric].series == series)
        };
        match listed.iter().find(|s| !s.as_str().is_some_and(present)) {
            Some(absent) => Err(format!(
                "{absent} is listed as skipped, and the user has no point of it"
            )),
            None => Ok(()),
        }
    }
}

impl State {
    /// All points.
    pub(crate) fn points(&self) -> Vec<&Point> {
        self.slots.values().flat_map(|s| &s.points).collect()
    }

    /// What was posted, cut short.
    pub(crate) fn told(&self) -> String {
        let line = |line: &String| line.chars().take(3_000).collect::<String>();
        self.script.iter().map(line).collect::<Vec<_>>().join("\n")
    }
}

pub(crate) fn expect(answer: &Answer, status: u16, outcome: Option<&str>) -> Outcome {
    let said = || answer.json()["outcome"].as_str().map(str::to_owned);
    if answer.status.as_u16() == status && (outcome.is_none() || said().as_deref() == outcome) {
        return Ok(());
    }
    Err(format!(
        "{status} {} expected, {} answered: {}",
        outcome.unwrap_or_default(),
        answer.status,
        answer.text
    ))
}

/// Plays a whole case.
pub(crate) async fn whole(world: &World, case: &Case) -> Outcome {
    let state = world.play(Uuid::new_v4(), &case.era, &case.acts).await?;
    for ask in &case.asks {
        world.compare(&state, &case.era, ask).await?;
    }
    Ok(())
}

/// Plays a case and asks all questions, twice, after each act.
pub(crate) async fn step_by_step(world: &World, case: &Case) -> Outcome {
    let mut state = State {
        user: Uuid::new_v4(),
        ..State::default()
    };
    for (slot, act) in &case.acts {
        world.act(&mut state, *slot, &case.era, act).await?;
        for ask in case.asks.iter().chain(&case.asks) {
            world.compare(&state, &case.era, ask).await?;
        }
    }
    Ok(())
}
