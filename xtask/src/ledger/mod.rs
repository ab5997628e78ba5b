//! `cargo xtask ledger`: nothing that was acknowledged is ever lost, whatever is killed.

mod account;
mod chaos;
mod check;
mod session;
mod writer;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use clap::Args;

use self::account::Account;
use self::chaos::Chaos;
use self::session::Sessions;
use crate::progress::say;

/// Proves that nothing acknowledged is lost: posts sessions, kills service and database, and counts
///
/// Writers post sessions with known ids and contents, and write every acknowledgement to a file that is fsynced. Meanwhile,
/// at random, the service is killed (-9), PostgreSQL is ended at once (immediate), or both, and connections are cut after a
/// request and before its answer. In the end the database is read, directly and through the API: every acknowledged session
/// is there once and whole; every other one is whole or absent; points, block summaries, day summaries and versions agree.
///
/// It runs on a PostgreSQL of its own below .local/ledger, which is made anew each time.
#[derive(Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct Ledger {
    /// How long sessions are posted.
    #[arg(long, default_value_t = 60)]
    seconds: u64,
    /// How many writers post at a time.
    #[arg(long, default_value_t = 16)]
    writers: usize,
    /// How many users the sessions are of.
    #[arg(long, default_value_t = 40)]
    users: usize,
    /// Begins the random numbers; another one each time if it is left out.
    #[arg(long)]
    seed: Option<u64>,
    /// Where the embedded default keeps its data [default: .local].
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
}

impl Ledger {
    pub(crate) async fn run(self) -> anyhow::Result<()> {
        let seed = self.seed.unwrap_or_else(|| fastrand::u64(..));
        say(format!("seed {seed}"));
        fastrand::seed(seed);
        let mut chaos = Chaos::begin(self.data_dir.as_deref()).await?;
        let sessions = Arc::new(Sessions::new(self.users));
        let account = Arc::new(Account::open(chaos.account_file())?);
        let writers = writer::start(self.writers, chaos.address(), &sessions, &account);
        let until = Instant::now() + Duration::from_secs(self.seconds);
        let crashed = chaos.rage(until, &account).await;
        writers.stop().await;
        crashed?;
        chaos.calm().await?;
        let found = check::check(&chaos, &sessions, &account).await?;
        say(format!("{}; {found}", chaos.told()));
        chaos.end()
    }
}
