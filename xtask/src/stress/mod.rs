//! `cargo xtask stress`: the original stress test, over HTTP, leaving nothing behind.

#![expect(clippy::cast_precision_loss, reason = "figures for people")]

mod queries;
mod report;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;

use crate::load::{self, RandomSessions, Sessions, Shape};
use crate::progress::say;
use crate::stop::on_stop;
use crate::target::Target;

/// Posts sessions over HTTP, asks the original stress test's queries over a socket, and reports p50 and p99.
///
/// Without --url it works in a database of its own, which is dropped at the end, and on a service of its
/// own with the cache off. With --url it posts to that service as users of its own, whose sessions it
/// deletes at the end.
#[derive(Args)]
pub(crate) struct Stress {
    /// How many sessions to post.
    #[arg(long, default_value_t = 25_000)]
    sessions: usize,
    /// How many points a session has.
    #[arg(long, default_value_t = 10)]
    points: usize,
    /// How many users record them; the queries are the first one's.
    #[arg(long, default_value_t = 1)]
    users: usize,
    /// How many sessions are posted at a time.
    #[arg(long, default_value_t = 32)]
    concurrency: usize,
    /// What a session looks like.
    #[arg(long, value_enum, default_value_t = Shape::Seed)]
    shape: Shape,
    /// How often each query is asked.
    #[arg(long, default_value_t = 200)]
    repeat: usize,
    /// A running service, such as <http://127.0.0.1:8000>; its metric types must be seeded.
    #[arg(long, value_name = "URL")]
    url: Option<String>,
    /// Where the embedded default keeps its data [default: .local].
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
}

impl Stress {
    pub(crate) async fn run(self) -> anyhow::Result<()> {
        anyhow::ensure!(
            self.sessions > 0
                && self.points > 0
                && self.users > 0
                && self.concurrency > 0
                && self.repeat > 0,
            "--sessions, --points, --users, --concurrency and --repeat must be at least 1"
        );
        let target = Target::provide(
            "stress",
            self.url.as_deref(),
            None,
            self.data_dir.as_deref(),
        )
        .await?;
        let sessions = Arc::new(RandomSessions::new(
            self.users,
            self.sessions,
            self.points,
            self.shape,
        ));
        if !target.is_ours() {
            let (url, users, count) =
                (target.url.clone(), sessions.users().to_vec(), self.sessions);
            on_stop(Some(Box::pin(async move {
                load::delete(&url, &users, count).await
            })));
        }
        let took = load::post(&target.url, &sessions, self.concurrency).await;
        let measured = match &took {
            Ok(_) => queries::measure(&target, sessions.users()[0], self.repeat).await,
            Err(_) => Ok(Vec::new()),
        };
        let bytes = target.bytes().await;
        let left = target.leave(sessions.users(), self.sessions).await;
        on_stop(None);
        let posted = Posted {
            took: took?,
            points: self.sessions * self.points,
        };
        say(report::report(
            &self,
            &posted,
            &measured?,
            bytes?.as_deref(),
        ));
        left
    }
}

/// How the posting went.
struct Posted {
    took: Duration,
    points: usize,
}
