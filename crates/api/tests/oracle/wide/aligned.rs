//! Along a session time counts from its start: what is posted at another time says the same.

use uuid::Uuid;

use crate::calendar::DAY;
use crate::model::{Point, Session};
use crate::play::{Outcome, World, body};
use crate::wide::ask::Parameters;
use crate::wide::compare::duration;
use crate::wide::model::anchor;
use crate::wide::play::{WideCase, told};
use crate::wide::table::{EXACT, Table, ask, same};

/// Lengths that days are whole multiples of.
const LENGTHS: [&str; 6] = ["hour", "6h", "24h", "15m", "90m", "30s"];

/// Each session of the first user, posted again so that it begins at a midnight.
pub(crate) async fn aligning_is_shifting(world: &World, case: &WideCase) -> Outcome {
    let states = case.play(world).await?;
    for (slot, session) in &states[0].slots {
        let length = LENGTHS[(slot + session.points.len()) % LENGTHS.len()];
        let checked = one(world, states[0].user, session, length).await;
        checked.map_err(|e| format!("{e}\nof {} after\n{}", session.id, told(&states)))?;
    }
    Ok(())
}

async fn one(world: &World, user: Uuid, session: &Session, length: &str) -> Outcome {
    let midnight = anchor(session).div_euclid(DAY) * DAY;
    let by = midnight - anchor(session);
    let moved = Session {
        id: Uuid::new_v4(),
        start: session.start.map(|start| start + by),
        points: session
            .points
            .iter()
            .map(|point| Point {
                time: point.time + by,
                ..point.clone()
            })
            .collect(),
    };
    let other = Uuid::new_v4();
    let text = body(other, &moved, &world.catalogue, false);
    let _ = world
        .app
        .post_text("/api/sessions/", &text)
        .await
        .expect(201);

    let question = |user: Uuid, id: Uuid| {
        let mut all = Parameters(Vec::new());
        all.add("user_id", user.to_string());
        all.add("session_id", id.to_string());
        all.add("series", "num*");
        all.add("agg_func", EXACT);
        all.add("interval", length);
        all.add("start_time", "1970-01-01");
        all.add("end_time", "2026-04-01");
        all
    };
    let aligned = ask(world, &question(user, session.id).with("align", "session")).await?;
    let moved_aligned = ask(world, &question(other, moved.id).with("align", "session")).await?;
    same(&aligned, &moved_aligned, "as it was, and moved")?;
    let calendar = ask(world, &question(other, moved.id)).await?;
    same(
        &aligned,
        &since(&calendar, midnight)?,
        "along the session, and in a calendar that begins with it",
    )
}

/// With the time since an instant for each bucket.
fn since(table: &Table, instant: i64) -> Outcome<Table> {
    let label = |bucket: &String| -> Outcome<String> {
        let at: jiff::Timestamp = bucket.parse().map_err(|e| format!("{bucket}: {e}"))?;
        Ok(duration(at.as_microsecond() - instant))
    };
    table
        .iter()
        .map(|((series, bucket, ..), row)| {
            Ok(((series.clone(), label(bucket)?, None, None), row.clone()))
        })
        .collect()
}
