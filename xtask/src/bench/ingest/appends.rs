//! A live session: parts of it, one after the other.

use std::sync::Arc;

use time_series_domain::{Clock, Timestamp};
use time_series_infra::local::SystemClock;
use uuid::Uuid;

use super::PART;
use super::figures::milliseconds;
use crate::bench::figure::{Figure, Goal, Obstacle, Unit};
use crate::bench::ground::Ground;
use crate::bench::spread::Spread;
use crate::load::{Body, MICROS_PER_SECOND, Requests, Sessions};

const PARTS: usize = 1_000;
const POINTS: usize = 10;

/// One session of one user that began a day ago.
struct Live {
    users: [Uuid; 1],
    start: Timestamp,
}

impl Live {
    /// Ten points that come behind those of the parts before.
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

impl Sessions for Live {
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

/// How long a part takes, each sent when the one before was answered; and how many blocks there are then.
pub(super) async fn measure(ground: &mut Ground<'_>) -> anyhow::Result<Figure> {
    let name = "appends of 10 points to one live session, one at a time";
    let start = SystemClock.now().plus_days(-1).utc_day().start();
    let live = Live {
        users: [Uuid::new_v4()],
        start,
    };
    super::post(ground, name, &live, 1, None).await?;
    let parts = (0..ground.bench.scaled(PARTS)).map(|part| live.part(part));
    let requests = Requests::posts(
        &ground.target.url,
        "/api/sessions/?on_conflict=append",
        parts,
    )?
    .answered(200);
    let requests = Arc::new(requests);
    let sent = super::send(name, &requests, 1, None).await?;
    let mut figure = Figure::new(PART, 10, name, Unit::Milliseconds, Goal::Unset);
    figure.measured = Spread::of(sent.latencies.into_iter().map(milliseconds).collect())
        .ok_or_else(|| Obstacle::new("nothing was sent", ""));
    if let Some(blocks) = ground.blocks_of(live.users[0]).await? {
        figure
            .remarks
            .push(format!("{} parts are {blocks} blocks", requests.len()));
    }
    Ok(figure)
}
