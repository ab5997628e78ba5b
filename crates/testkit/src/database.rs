//! A database for each test, copied from a migrated template.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use tokio_postgres::{Client, NoTls};
use uuid::Uuid;

/// The server a test runs on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Backend {
    /// PostgreSQL as it comes.
    Plain,
    /// With TimescaleDB: blocks are in a hypertable.
    Timescaledb,
}

impl Backend {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Plain, Self::Timescaledb];

    /// Where its server listens: `host:port`.
    ///
    /// # Panics
    /// When no server is provided.
    #[must_use]
    pub fn address(self) -> String {
        let url = self.url();
        let rest = url.split_once('@').expect("a URL with a user").1;
        rest.split_once('/')
            .expect("a URL that names a database")
            .0
            .to_owned()
    }

    fn url(self) -> String {
        setting(match self {
            Self::Plain => "TEST_POSTGRES_URL",
            Self::Timescaledb => "TEST_TIMESCALEDB_URL",
        })
    }
}

/// The Redis that `cargo xtask test` provides.
#[must_use]
pub fn redis_url() -> String {
    setting("TEST_REDIS_URL")
}

fn setting(name: &str) -> String {
    std::env::var(name)
        .unwrap_or_else(|_| panic!("{name} is not set: run the tests with `cargo xtask test`"))
}

/// An empty, migrated database that is dropped with this.
pub struct TestDatabase {
    /// The URL of the database.
    pub url: String,
    server: String,
    name: String,
}

impl TestDatabase {
    /// A database on that server.
    ///
    /// # Panics
    /// When the server is not provided or refuses.
    pub async fn new(backend: Backend) -> Self {
        let server = backend.url();
        let template = template(backend, &server).await;
        let name = format!("test_{}", Uuid::new_v4().simple());
        execute(
            &server,
            &format!("CREATE DATABASE {name} TEMPLATE {template}"),
        )
        .await;
        Self {
            url: with_database(&server, &name),
            server,
            name,
        }
    }

    /// A database without tables.
    ///
    /// # Panics
    /// When the server is not provided or refuses.
    pub async fn unmigrated(backend: Backend) -> Self {
        let server = backend.url();
        let name = format!("test_{}", Uuid::new_v4().simple());
        execute(&server, &format!("CREATE DATABASE {name}")).await;
        Self {
            url: with_database(&server, &name),
            server,
            name,
        }
    }

    /// Checks that every day summary is what its blocks say, as plain SQL over the points sees it.
    ///
    /// # Panics
    /// When one differs.
    pub async fn check_day_summaries(&self) {
        let wrong = self.found_by(include_str!("wrong_day_summaries.sql")).await;
        assert!(
            wrong.is_empty(),
            "day summaries differ from their points: {wrong:#?}"
        );
    }

    /// Checks that no blocks of a session and series overlap, and that sessions tell what their blocks have.
    ///
    /// # Panics
    /// When some do, or one does not.
    pub async fn check_blocks(&self) {
        let wrong = self.found_by(include_str!("wrong_blocks.sql")).await;
        assert!(
            wrong.is_empty(),
            "blocks violate their invariants: {wrong:#?}"
        );
    }

    async fn found_by(&self, check: &str) -> Vec<String> {
        let found = self
            .connect()
            .await
            .query(check, &[])
            .await
            .expect("the check runs");
        found.iter().map(|row| row.get(0)).collect()
    }

    /// A connection of the test's own.
    ///
    /// # Panics
    /// When the server refuses.
    pub async fn connect(&self) -> Client {
        connect(&self.url).await
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        let (server, name) = (self.server.clone(), self.name.clone());
        let drop_it = move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build();
            if let Ok(runtime) = runtime {
                runtime.block_on(execute(
                    &server,
                    &format!("DROP DATABASE {name} WITH (FORCE)"),
                ));
            }
        };
        // In a thread of its own, since we may be inside a runtime. A failure shows as a panic message.
        std::thread::spawn(drop_it).join().ok();
    }
}

/// The migrated database that others are copied from, made once a process and server.
async fn template(backend: Backend, server: &str) -> String {
    static MADE: tokio::sync::Mutex<BTreeMap<Backend, String>> =
        tokio::sync::Mutex::const_new(BTreeMap::new());
    let mut made = MADE.lock().await;
    if let Some(name) = made.get(&backend) {
        return name.clone();
    }
    let name = format!("template_{}", Uuid::new_v4().simple());
    execute(server, &format!("CREATE DATABASE {name}")).await;
    let mut client = connect(&with_database(server, &name)).await;
    time_series_infra::postgres::migrate(&mut client)
        .await
        .expect("the migrations apply");
    drop(client);
    // A template must not be in use, by autovacuum neither: wait until our session is gone, and let nobody in again.
    execute(
        server,
        &format!("ALTER DATABASE {name} ALLOW_CONNECTIONS false"),
    )
    .await;
    let sessions = format!("SELECT count(*) FROM pg_stat_activity WHERE datname = '{name}'");
    let watcher = connect(server).await;
    while watcher
        .query_one(&sessions, &[])
        .await
        .expect("activity")
        .get::<_, i64>(0)
        > 0
    {
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    made.insert(backend, name.clone());
    name
}

async fn connect(url: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls)
        .await
        .expect("the test server accepts connections");
    tokio::spawn(async move { connection.await.ok() });
    client
}

async fn execute(server: &str, statement: &str) {
    let client = connect(server).await;
    client
        .batch_execute(statement)
        .await
        .unwrap_or_else(|e| panic!("{statement}: {e:?}"));
}

/// The URL with another host and port.
pub(crate) fn with_address(url: &str, address: SocketAddr) -> String {
    let (before, rest) = url.split_once('@').expect("a URL with a user");
    let (_, name) = rest.split_once('/').expect("a URL that names a database");
    format!("{before}@{address}/{name}")
}

fn with_database(server: &str, name: &str) -> String {
    let (base, _) = server
        .rsplit_once('/')
        .expect("a URL that names a database");
    format!("{base}/{name}")
}
