//! Appends to a live session, one after another.

use std::sync::Arc;

use time_series_domain::{Clock, Timestamp};
use time_series_infra::local::SystemClock;
use uuid::Uuid;

use super::{PART, posting};
use crate::load::{Body, MICROS_PER_SECOND, Requests, Sessions};
use crate::suite::environment::Environment;
use crate::suite::figure::{Failure, Figure, Goal, Unit};
use crate::suite::statistics::{Statistics, milliseconds};

const PARTS: usize = 1_000;
const POINTS: usize = 10;

/// One session of one user that began yesterday.
struct LiveSession {
    users: [Uuid; 1],
    start: Timestamp,
}

impl LiveSession {
    /// Renders the points of a part, which follow those of the previous parts.
    fn part(&self, part: usize) -> String {
        let mut body = Body::new(self.users[0], 0, self.start);
        for point in part * POINTS..(part + 1) * POINTS {
            let seconds = i64::try_from(point).unwrap_or(i64::MAX / MICROS_PER_SECOND);
            let time = self.start.plus_micros(seconds * MICROS_PER_SECOND);
            body.point(
                "session.gut_health_score",
                time,
                format_args!(r#"{{"value":{}}}"#, point % 100),
            );
        }
        body.end()
    }
}

impl Sessions for LiveSession {
    fn count(&self) -> usize {
        1
    }

    fn users(&self) -> &[Uuid] {
        &self.users
    }

    fn body(&self, _: usize) -> String {
        Body::new(self.users[0], 0, self.start).end()
    }
}

/// Measures the latency of sequential appends.
pub(super) async fn measure(environment: &mut Environment<'_>) -> anyhow::Result<Figure> {
    let name = "appends of 10 points to one live session, one at a time";
    let start = SystemClock.now().plus_days(-1).utc_day().start();
    let live = LiveSession {
        users: [Uuid::new_v4()],
        start,
    };
    posting::post(environment, name, &live, 1, None).await?;
    let parts = (0..environment.bench.scaled(PARTS)).map(|part| live.part(part));
    let requests = Requests::posts(
        &environment.target.url,
        "/api/sessions/?on_conflict=append",
        parts,
    )?
    .expecting(200);
    let requests = Arc::new(requests);
    let sent = posting::send(name, &requests, 1, None).await?;
    let mut figure = Figure::new(PART, 10, name, Unit::Milliseconds, Goal::Unset);
    figure.measured = Statistics::of(sent.latencies.into_iter().map(milliseconds).collect())
        .ok_or_else(|| Failure::new("nothing was sent", ""));
    if let Some(blocks) = environment.block_count(live.users[0]).await? {
        figure
            .remarks
            .push(format!("{} parts in {blocks} blocks", requests.len()));
    }
    Ok(figure)
}
