//! A PostgreSQL primary and its standby, which tests crash, promote and freeze.

use std::fs;
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, geteuid, kill_process};
use tokio_postgres::error::SqlState;
use tokio_postgres::{Client, NoTls};
use uuid::Uuid;

const SETTINGS: [&str; 8] = [
    "listen_addresses=127.0.0.1",
    "unix_socket_directories=",
    "fsync=off",
    "wal_keep_size=256",
    "hot_standby_feedback=off",
    // Recovery cancels conflicting statements on the standby at once.
    "max_standby_streaming_delay=0",
    "wal_receiver_timeout=2s",
    "timezone=UTC",
];

/// A primary and its standby; dropping this value ends both.
/// PostgreSQL refuses to run as root, so root runs them as `postgres` or `nobody`.
pub struct ReplicaPair {
    folder: PathBuf,
    bin: PathBuf,
    os_user: Option<(u32, u32)>,
    /// The port of each server, and its process while it runs.
    servers: [(u16, Option<Child>); 2],
}

/// One of the two servers.
#[derive(Debug, Clone, Copy)]
pub enum Node {
    /// The initial primary.
    First = 0,
    /// The initial standby.
    Second = 1,
}

impl ReplicaPair {
    /// Starts both servers and migrates the database `postgres`.
    ///
    /// # Panics
    /// Panics if `TEST_POSTGRES_BIN` is not set, or a server does not start.
    pub async fn start() -> Self {
        let bin = std::env::var("TEST_POSTGRES_BIN");
        let bin = PathBuf::from(
            bin.expect("TEST_POSTGRES_BIN is set: run the tests with `cargo xtask test`"),
        );
        let folder = std::env::temp_dir().join(format!(
            "time-series-replicated-{}",
            Uuid::new_v4().simple()
        ));
        let mut pair = Self {
            folder,
            bin,
            os_user: os_user(),
            servers: [(free_port(), None), (free_port(), None)],
        };
        fs::create_dir(&pair.folder).expect("a folder");
        pair.give_to_os_user(&pair.folder);
        let data = pair.data(Node::First);
        let args = [
            "-U",
            "postgres",
            "-E",
            "UTF8",
            "--locale=C.UTF-8",
            "-A",
            "trust",
            "--no-sync",
            "-D",
        ];
        let made = pair
            .command("initdb")
            .args(args)
            .arg(&data)
            .output()
            .expect("initdb runs");
        assert!(
            made.status.success(),
            "{}",
            String::from_utf8_lossy(&made.stderr)
        );
        // A cluster that was never started is the base of its own standby.
        pair.copy(&data, &pair.data(Node::Second));
        pair.follow(Node::Second, Node::First);
        pair.run(Node::First).await;
        let mut client = pair.connect(Node::First).await;
        time_series_infra::postgres::migrate(&mut client)
            .await
            .expect("the migrations apply");
        pair.run(Node::Second).await;
        pair.wait_for_standby().await;
        pair
    }

    /// The URL of one server.
    #[must_use]
    pub fn url(&self, node: Node) -> String {
        format!(
            "postgresql://postgres@127.0.0.1:{}/postgres",
            self.servers[node as usize].0
        )
    }

    /// A URL with both servers as hosts.
    #[must_use]
    pub fn url_of_both(&self) -> String {
        let [(first, _), (second, _)] = self.servers;
        format!(
            "postgresql://postgres@127.0.0.1:{first},127.0.0.1:{second}/postgres?connect_timeout=2"
        )
    }

    /// Opens a connection for the test.
    ///
    /// # Panics
    /// Panics if the server refuses the connection.
    pub async fn connect(&self, node: Node) -> Client {
        let (client, connection) = tokio_postgres::connect(&self.url(node), NoTls)
            .await
            .expect("the server accepts connections");
        tokio::spawn(async move { connection.await.ok() });
        client
    }

    /// Runs a statement on one server.
    ///
    /// # Panics
    /// Panics if it fails.
    pub async fn execute(&self, node: Node, statement: &str) {
        let client = self.connect(node).await;
        loop {
            match client.batch_execute(statement).await {
                Ok(()) => return,
                // Recovery cancelled the statement.
                Err(e) if e.code() == Some(&SqlState::T_R_SERIALIZATION_FAILURE) => {}
                Err(e) => panic!("{statement}: {e:?}"),
            }
        }
    }

    /// Ends a server as a crash would.
    pub fn crash(&mut self, node: Node) {
        if let Some(mut child) = self.servers[node as usize].1.take() {
            signal(&child, Signal::QUIT);
            child.wait().ok();
        }
    }

    /// Stops a server with its connections open, or resumes it.
    pub fn freeze(&self, node: Node, is_frozen: bool) {
        let Some(child) = &self.servers[node as usize].1 else {
            return;
        };
        let of_group = Pid::from_child(child);
        rustix::process::kill_process_group(
            of_group,
            if is_frozen {
                Signal::STOP
            } else {
                Signal::CONT
            },
        )
        .ok();
    }

    /// Promotes the standby; returns when it accepts writes.
    ///
    /// # Panics
    /// Panics if the promotion fails.
    pub async fn promote(&self, node: Node) {
        let client = self.connect(node).await;
        let promoted = client
            .query_one("SELECT pg_promote(true, 30)", &[])
            .await
            .expect("pg_promote returns");
        assert!(promoted.get::<_, bool>(0), "the standby is promoted");
    }

    /// Restarts a crashed server.
    ///
    /// # Panics
    /// Panics if it does not start.
    pub async fn restart(&mut self, node: Node) {
        self.run(node).await;
    }

    /// Restarts a crashed server as a standby of the other one.
    ///
    /// # Panics
    /// Panics if it does not start.
    pub async fn demote(&mut self, node: Node) {
        let primary = if matches!(node, Node::First) {
            Node::Second
        } else {
            Node::First
        };
        self.follow(node, primary);
        self.run(node).await;
    }

    /// Waits until the second server has replayed everything that the first has written.
    ///
    /// # Panics
    /// Panics if the standby does not follow.
    pub async fn wait_for_standby(&self) {
        let written = "SELECT pg_current_wal_lsn()::text";
        let written: String = self
            .connect(Node::First)
            .await
            .query_one(written, &[])
            .await
            .expect("a position")
            .get(0);
        let standby = self.connect(Node::Second).await;
        let reached = format!("SELECT pg_last_wal_replay_lsn() >= '{written}'::pg_lsn");
        for _ in 0..1_000 {
            // A statement that recovery cancelled has no result.
            let reached = standby.query_one(&reached, &[]).await.ok();
            if reached.is_some_and(|row| row.get::<_, Option<bool>>(0) == Some(true)) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("the standby does not follow");
    }

    fn data(&self, node: Node) -> PathBuf {
        self.folder.join(format!("data{}", node as usize))
    }

    fn follow(&self, standby: Node, primary: Node) {
        let data = self.data(standby);
        fs::write(data.join("standby.signal"), "").expect("the folder is ours");
        let port = self.servers[primary as usize].0;
        let line = format!("primary_conninfo = 'host=127.0.0.1 port={port} user=postgres'\n");
        fs::write(data.join("postgresql.auto.conf"), line).expect("the folder is ours");
    }

    async fn run(&mut self, node: Node) {
        let (data, port) = (self.data(node), self.servers[node as usize].0);
        let log = fs::File::create(self.folder.join(format!("log{}", node as usize)))
            .expect("a log file");
        let mut command = self.command("postgres");
        command.arg("-D").arg(&data).args(["-p", &port.to_string()]);
        for setting in SETTINGS {
            command.args(["-c", setting]);
        }
        command
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("a log file"))
            .stderr(log);
        self.servers[node as usize].1 = Some(command.spawn().expect("postgres starts"));
        for _ in 0..1_000 {
            if let Ok((_, connection)) = tokio_postgres::connect(&self.url(node), NoTls).await {
                drop(connection);
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let log = fs::read_to_string(self.folder.join(format!("log{}", node as usize)));
        panic!(
            "PostgreSQL does not accept connections: {}",
            log.unwrap_or_default()
        );
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(self.bin.join(program));
        command
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .env("LC_ALL", "C.UTF-8")
            .current_dir("/");
        if let Some((user, group)) = self.os_user {
            command.uid(user).gid(group);
        }
        command
    }

    /// Changes the owner of a file or folder to the OS user of the servers.
    fn give_to_os_user(&self, path: &Path) {
        if let Some((user, group)) = self.os_user {
            chown(path, Some(user), Some(group)).expect("root can change the owner");
        }
    }

    fn copy(&self, from: &Path, to: &Path) {
        fs::create_dir(to).expect("a folder");
        fs::set_permissions(to, fs::Permissions::from_mode(0o700)).expect("a folder of this user");
        for entry in fs::read_dir(from).expect("a folder") {
            let entry = entry.expect("the entry exists");
            let target = to.join(entry.file_name());
            if entry.path().is_dir() {
                self.copy(&entry.path(), &target);
            } else {
                fs::copy(entry.path(), &target).expect("a copy");
                self.give_to_os_user(&target);
            }
        }
        self.give_to_os_user(to);
    }
}

impl Drop for ReplicaPair {
    fn drop(&mut self) {
        for node in [Node::First, Node::Second] {
            self.freeze(node, false);
            self.crash(node);
        }
        fs::remove_dir_all(&self.folder).ok(); // a leftover folder is harmless
    }
}

fn signal(child: &Child, signal: Signal) {
    kill_process(Pid::from_child(child), signal).ok(); // it may have just ended
}

fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
    listener.local_addr().expect("an address").port()
}

fn os_user() -> Option<(u32, u32)> {
    if !geteuid().is_root() {
        return None;
    }
    let passwd = fs::read_to_string("/etc/passwd").expect("/etc/passwd can be read");
    let ids = |name: &str| {
        let line = passwd
            .lines()
            .find(|line| line.split(':').next() == Some(name))?;
        let mut fields = line.split(':').skip(2);
        Some((fields.next()?.parse().ok()?, fields.next()?.parse().ok()?))
    };
    let found = ids("postgres").or_else(|| ids("nobody"));
    Some(found.expect("an account postgres or nobody, since PostgreSQL does not run as root"))
}
