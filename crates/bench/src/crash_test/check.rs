//! Compares the stored data with the acknowledgements.

use std::collections::HashMap;
use std::fmt;

use anyhow::{Context, bail};
use serde_json::Value;
use time_series_dev_servers::connect;
use time_series_devkit::progress::Step;
use tokio_postgres::Client;
use uuid::Uuid;

use super::acknowledgements::Acknowledgements;
use super::fault_injection::FaultInjector;
use super::sessions::{Content, Sessions};

const VALUES: &str = include_str!("values.sql");
const SESSIONS: &str = include_str!("sessions.sql");
/// Queries that return a description of every inconsistent row.
const INCONSISTENCIES: [(&str, &str); 3] = [
    ("block summaries", include_str!("wrong_blocks.sql")),
    (
        "day summaries",
        include_str!("../../../testkit/src/wrong_day_summaries.sql"),
    ),
    ("versions", include_str!("wrong_versions.sql")),
];
/// Maximum number of faults that are printed.
const MAX_PRINTED: usize = 20;

/// The figures of a check without faults.
pub(super) struct Summary {
    acknowledged: usize,
    stored: usize,
    points: i64,
    started: usize,
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            acknowledged,
            stored,
            points,
            started,
        } = self;
        write!(
            f,
            "{acknowledged} of {started} sessions acknowledged, a third of them sent in parts: \
             all stored, exactly once and complete; {} others complete, {} absent; \
             {points} points, summaries and versions agree",
            stored - acknowledged,
            started - stored
        )
    }
}

/// The stored sessions that have a valid content.
#[derive(Default)]
struct Valid {
    sessions: usize,
    points: i64,
    by_user: HashMap<Uuid, Content>,
}

/// Reads the stored data and fails if any of it is wrong.
pub(super) async fn check(
    servers: &FaultInjector,
    sessions: &Sessions,
    acknowledgements: &Acknowledgements,
) -> anyhow::Result<Summary> {
    let step = Step::start("checking the stored data");
    let (client, connection) = connect(servers.database_url()).await?;
    let mut faults = Vec::new();
    client.batch_execute(VALUES).await?;
    let stored = read_sessions(&client, &mut faults).await?;
    let acknowledged = acknowledgements.read()?;
    let started = acknowledgements.started();
    let mut valid = Valid::default();
    for number in 0..started {
        let parts = acknowledged.get(&number).copied().unwrap_or(0);
        let content = stored.get(&sessions.id(number));
        if let Err(fault) = check_session(sessions, number, parts, content, &mut valid) {
            faults.push(fault);
        }
    }
    if stored.len() != valid.sessions {
        faults.push(format!(
            "{} sessions are stored, but only {} of them as they were sent",
            stored.len(),
            valid.sessions
        ));
    }
    for (subject, query) in INCONSISTENCIES {
        let rows = client.query(query, &[]).await.context(subject)?;
        faults.extend(
            rows.iter()
                .map(|row| format!("{subject}: {}", row.get::<_, String>(0))),
        );
    }
    drop(client);
    connection.await??;
    for user in sessions.users() {
        let expected = valid.by_user.get(user).copied().unwrap_or_default();
        let actual = query_content(servers, *user).await?;
        if actual != expected {
            faults.push(format!(
                "user {user}: the API returns {actual:?}, the database has {expected:?}"
            ));
        }
    }
    if !faults.is_empty() {
        let count = faults.len();
        faults.truncate(MAX_PRINTED);
        bail!("{count} faults:\n{}", faults.join("\n"));
    }
    step.done("");
    Ok(Summary {
        acknowledged: acknowledged.len(),
        stored: valid.sessions,
        points: valid.points,
        started,
    })
}

/// Checks one session: a stored one must have at least its acknowledged parts and nothing else.
fn check_session(
    sessions: &Sessions,
    number: usize,
    acknowledged_parts: usize,
    stored: Option<&Content>,
    valid: &mut Valid,
) -> Result<(), String> {
    let id = sessions.id(number);
    let Some(content) = stored else {
        return match acknowledged_parts {
            0 => Ok(()),
            _ => Err(format!("session {id} was acknowledged, but is not stored")),
        };
    };
    let is_valid = (acknowledged_parts.max(1)..=Sessions::parts(number))
        .any(|parts| Sessions::content(number, parts) == *content);
    if !is_valid {
        return Err(format!(
            "session {id} has {content:?}, with {acknowledged_parts} of its parts acknowledged"
        ));
    }
    valid.sessions += 1;
    valid.points += content.points;
    let user = valid.by_user.entry(sessions.user(number)).or_default();
    user.points += content.points;
    user.tenths += content.tenths;
    Ok(())
}

async fn read_sessions(
    client: &Client,
    faults: &mut Vec<String>,
) -> anyhow::Result<HashMap<Uuid, Content>> {
    let mut stored = HashMap::new();
    for row in client.query(SESSIONS, &[]).await? {
        let id: Uuid = row.try_get("session_id")?;
        let stated: Option<i64> = row.try_get("stated")?;
        let points: Option<i64> = row.try_get("points")?;
        if stated != points {
            faults.push(format!(
                "session {id} has {points:?} points, but its row states {stated:?}"
            ));
        }
        let content = Content {
            points: points.unwrap_or(0),
            tenths: row.try_get::<_, Option<i64>>("tenths")?.unwrap_or(0),
        };
        if stored.insert(id, content).is_some() {
            faults.push(format!("session {id} is stored twice"));
        }
    }
    Ok(stored)
}

/// Queries the number of points of a user and their sum through the API.
async fn query_content(servers: &FaultInjector, user: Uuid) -> anyhow::Result<Content> {
    let url = format!(
        "http://{}/api/timeseries/?user_id={user}&start_time=2024-01-01&end_time=2027-01-01\
         &interval=all&agg_func=count,sum",
        servers.address()
    );
    let response: Value = reqwest::get(&url).await?.error_for_status()?.json().await?;
    let value = &response["results"][0]["value"];
    let sum = value["sum"].as_f64().unwrap_or(0.0);
    #[expect(clippy::cast_possible_truncation, reason = "rounded tenths")]
    let tenths = (sum * 10.0).round() as i64;
    Ok(Content {
        points: value["count"].as_i64().unwrap_or(0),
        tenths,
    })
}
