//! `cargo xtask crash-test`: no acknowledged write is lost when servers are killed.

mod acknowledgements;
mod check;
mod fault_injection;
mod sessions;
mod writers;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use clap::Args;
use time_series_devkit::progress::say;

use self::acknowledgements::Acknowledgements;
use self::fault_injection::FaultInjector;
use self::sessions::Sessions;

/// Tests durability: kills service and database during writes and checks the stored data
///
/// Writers post sessions with known ids and contents, and append every acknowledgement to a file
/// with fsync. Meanwhile, at random, the service is killed (SIGKILL), PostgreSQL is aborted
/// (immediate shutdown), or both, and connections are cut between a request and its response. At
/// the end the database is read, directly and through the API:
///
///   * every acknowledged session is stored exactly once and complete;
///   * every other session is complete or absent;
///   * points, block summaries, day summaries and versions agree.
///
/// The test runs on a private PostgreSQL in .local/crash-test, which each run replaces.
#[derive(Args)]
#[command(verbatim_doc_comment)]
pub struct CrashTest {
    /// Duration of the writes.
    #[arg(long, default_value_t = 60)]
    seconds: u64,
    /// Number of concurrent writers.
    #[arg(long, default_value_t = 16)]
    writers: usize,
    /// Number of users that own the sessions.
    #[arg(long, default_value_t = 40)]
    users: usize,
    /// Seed of the random numbers [default: random].
    #[arg(long)]
    seed: Option<u64>,
    /// Folder of the private database [default: .local].
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
}

impl CrashTest {
    /// Runs the crash test.
    ///
    /// # Errors
    /// The servers cannot be started, or the stored data is wrong.
    pub async fn run(self) -> anyhow::Result<()> {
        let seed = self.seed.unwrap_or_else(|| fastrand::u64(..));
        say(format!("seed {seed}"));
        fastrand::seed(seed);
        let mut servers = FaultInjector::start(self.data_dir.as_deref()).await?;
        let sessions = Arc::new(Sessions::new(self.users));
        let acknowledgements = Arc::new(Acknowledgements::create(servers.acknowledgements_file())?);
        let writers = writers::start(
            self.writers,
            servers.address(),
            &sessions,
            &acknowledgements,
        );
        let until = Instant::now() + Duration::from_secs(self.seconds);
        let injected = servers.inject(until, &acknowledgements).await;
        // The cut connections are those during the faults, not during the shutdown of the writers.
        let cut = acknowledgements.cut();
        writers.stop().await;
        injected?;
        servers.restart_service().await?;
        let checked = check::check(&servers, &sessions, &acknowledgements).await?;
        say(format!(
            "{}, {cut} connections cut; {checked}",
            servers.summary()
        ));
        servers.clean_up()
    }
}
