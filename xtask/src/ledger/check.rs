//! Reads what is there, and compares it with what was acknowledged.

use std::collections::HashMap;
use std::fmt;

use anyhow::{Context, bail};
use serde_json::Value;
use tokio_postgres::Client;
use uuid::Uuid;

use super::account::Account;
use super::chaos::Chaos;
use super::session::{Content, Sessions};
use crate::database::connect;
use crate::progress::Step;

const VALUES: &str = include_str!("values.sql");
const SESSIONS: &str = include_str!("sessions.sql");
const WRONG: [(&str, &str); 3] = [
    ("block summaries", include_str!("wrong_blocks.sql")),
    (
        "day summaries",
        include_str!("../../../crates/testkit/src/wrong_day_summaries.sql"),
    ),
    ("versions", include_str!("wrong_versions.sql")),
];
/// Faults that are shown.
const SHOWN: usize = 20;

/// What was found, all of it right.
pub(super) struct Found {
    acknowledged: usize,
    stored: usize,
    points: i64,
    begun: usize,
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            acknowledged,
            stored,
            points,
            begun,
        } = self;
        write!(
            f,
            "{acknowledged} sessions acknowledged of {begun} begun, a third of them in parts: all there, once and whole; {} more whole, {} absent; {points} \
             points, summaries and versions agree",
            stored - acknowledged,
            begun - stored
        )
    }
}

pub(super) async fn check(
    chaos: &Chaos,
    sessions: &Sessions,
    account: &Account,
) -> anyhow::Result<Found> {
    let step = Step::start("reading what is there");
    let (client, connection) = connect(chaos.database_url()).await?;
    let mut faults = Vec::new();
    client.batch_execute(VALUES).await?;
    let stored = read_sessions(&client, &mut faults).await?;
    let (acknowledged, begun) = (account.read()?, account.begun());
    let (mut found, mut points) = (0, 0);
    let mut by_user: HashMap<Uuid, Content> = HashMap::new();
    for number in 0..begun {
        let id = sessions.id(number);
        let told = acknowledged.get(&number).copied().unwrap_or(0);
        let possible = |there: &Content| {
            (told.max(1)..=Sessions::parts(number))
                .any(|parts| Sessions::content(number, parts) == *there)
        };
        match stored.get(&id) {
            Some(content) if possible(content) => {
                found += 1;
                points += content.points;
                let all = by_user.entry(sessions.user(number)).or_insert(Content {
                    points: 0,
                    tenths: 0,
                });
                all.points += content.points;
                all.tenths += content.tenths;
            }
            Some(there) => faults.push(format!(
                "session {id} is {there:?}, {told} of its parts acknowledged"
            )),
            None if told > 0 => {
                faults.push(format!("session {id} was acknowledged and is not there"));
            }
            None => {}
        }
    }
    if stored.len() != found {
        faults.push(format!(
            "{} sessions are stored, {found} of them as they were sent",
            stored.len()
        ));
    }
    for (what, statement) in WRONG {
        let wrong = client
            .query(statement, &[])
            .await
            .with_context(|| what.to_owned())?;
        faults.extend(
            wrong
                .iter()
                .map(|row| format!("{what}: {}", row.get::<_, String>(0))),
        );
    }
    drop(client);
    connection.await??;
    for user in sessions.users() {
        let expected = by_user.get(user).copied().unwrap_or(Content {
            points: 0,
            tenths: 0,
        });
        let told = ask(chaos, *user).await?;
        if told != expected {
            faults.push(format!(
                "the API says {told:?} of user {user}, the database {expected:?}"
            ));
        }
    }
    if !faults.is_empty() {
        let count = faults.len();
        faults.truncate(SHOWN);
        bail!("{count} faults:\n{}", faults.join("\n"));
    }
    step.done("");
    Ok(Found {
        acknowledged: acknowledged.len(),
        stored: found,
        points,
        begun,
    })
}

async fn read_sessions(
    client: &Client,
    faults: &mut Vec<String>,
) -> anyhow::Result<HashMap<Uuid, Content>> {
    let mut stored = HashMap::new();
    for row in client.query(SESSIONS, &[]).await? {
        let id: Uuid = row.try_get("session_id")?;
        let (said, points): (Option<i64>, Option<i64>) =
            (row.try_get("said")?, row.try_get("points")?);
        if said != points {
            faults.push(format!(
                "session {id} says that it has {said:?} points, and has {points:?}"
            ));
        }
        let content = Content {
            points: points.unwrap_or(0),
            tenths: row.try_get::<_, Option<i64>>("tenths")?.unwrap_or(0),
        };
        if stored.insert(id, content).is_some() {
            faults.push(format!("session {id} is there twice"));
        }
    }
    Ok(stored)
}

/// The points of a user and their sum, as the API says.
async fn ask(chaos: &Chaos, user: Uuid) -> anyhow::Result<Content> {
    let url = format!(
        "http://{}/api/timeseries/?user_id={user}&start_time=2024-01-01&end_time=2027-01-01&interval=all&agg_func=count,sum",
        chaos.address()
    );
    let answer: Value = reqwest::get(&url).await?.error_for_status()?.json().await?;
    let value = &answer["results"][0]["value"];
    let sum = value["sum"].as_f64().unwrap_or(0.0);
    #[expect(clippy::cast_possible_truncation, reason = "tenths, rounded")]
    let tenths = (sum * 10.0).round() as i64;
    Ok(Content {
        points: value["count"].as_i64().unwrap_or(0),
        tenths,
    })
}
