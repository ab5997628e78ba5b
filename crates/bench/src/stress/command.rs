//! The command: posts the load, times the queries, cleans up and reports.

use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use time_series_devkit::progress::say;
use time_series_devkit::stop::on_stop;

use super::queries;
use super::report::{Posted, report};
use crate::load::{RandomSessions, Sessions, Shape, delete_sessions, post_sessions};
use crate::target::Target;

/// Posts sessions over HTTP, runs the queries of the original stress test and reports p50 and p99.
///
/// Without --url the command uses a scratch database, which is dropped at the end, and a private
/// service with the cache off. With --url it posts to that service as new users and deletes their
/// sessions at the end.
#[derive(Args)]
pub struct Stress {
    /// Number of sessions to post.
    #[arg(long, default_value_t = 25_000)]
    sessions: usize,
    /// Points per session.
    #[arg(long, default_value_t = 10)]
    points: usize,
    /// Number of users; the queries read the first one's points.
    #[arg(long, default_value_t = 1)]
    users: usize,
    /// Number of sessions posted concurrently.
    #[arg(long, default_value_t = 32)]
    concurrency: usize,
    /// Shape of the sessions.
    #[arg(long, value_enum, default_value_t = Shape::Seed)]
    shape: Shape,
    /// Number of requests per query.
    #[arg(long, default_value_t = 200)]
    repeat: usize,
    /// A running service, such as <http://127.0.0.1:8000>; its metric types must be seeded.
    #[arg(long, value_name = "URL")]
    url: Option<String>,
    /// Folder of the private database [default: .local].
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
}

impl Stress {
    /// Runs the stress test.
    ///
    /// # Errors
    /// The service cannot be provided, or a request fails.
    pub async fn run(self) -> anyhow::Result<()> {
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
        if !target.is_private() {
            let url = target.url.clone();
            let users = sessions.users().to_vec();
            on_stop(Some(Box::pin(async move {
                delete_sessions(&url, &users, self.sessions).await
            })));
        }
        let took = post_sessions(&target.url, &sessions, self.concurrency).await;
        let measured = match &took {
            Ok(_) => queries::measure(&target, sessions.users()[0], self.repeat).await,
            Err(_) => Ok(Vec::new()),
        };
        let bytes = target.bytes().await;
        let cleaned_up = target.clean_up(sessions.users(), self.sessions).await;
        on_stop(None);
        let posted = Posted {
            took: took?,
            sessions: self.sessions,
            points_per_session: self.points,
            users: self.users,
            concurrency: self.concurrency,
        };
        let cache = if self.url.is_some() {
            "the cache as configured"
        } else {
            "the cache off"
        };
        say(report(
            &posted,
            bytes?.as_deref(),
            &measured?,
            self.repeat,
            cache,
        ));
        cleaned_up
    }
}
