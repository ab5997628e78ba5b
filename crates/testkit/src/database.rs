//! A database for each test, copied from a migrated template.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use tokio_postgres::{Client, NoTls};
use uuid::Uuid;

/// The database server of a test.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Backend {
    /// PostgreSQL without extensions.
    Plain,
    /// PostgreSQL with TimescaleDB: blocks are in a hypertable.
    Timescaledb,
}

impl Backend {
    /// All servers.
    pub const ALL: [Self; 2] = [Self::Plain, Self::Timescaledb];

    /// The address of the server: `host:port`.
    ///
    /// # Panics
    /// Panics if no server is provided.
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

/// The URL of the Redis that `cargo xtask test` provides.
#[must_use]
pub fn redis_url() -> String {
    setting("TEST_REDIS_URL")
}

fn setting(name: &str) -> String {
    std::env::var(name)
        .unwrap_or_else(|_| panic!("{name} is not set: run the tests with `cargo xtask test`"))
}

/// A database that is dropped with this value.
pub struct TestDatabase {
    /// The URL of the database.
    pub url: String,
    server: String,
    name: String,
}

impl TestDatabase {
    /// Creates an empty, migrated database on a server.
    ///
    /// # Panics
    /// Panics if the server is not provided or rejects the request.
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

    /// Creates a database without tables.
    ///
    /// # Panics
    /// Panics if the server is not provided or rejects the request.
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

    /// Checks that every day summary equals the summary that plain SQL computes from the points.
    ///
    /// # Panics
    /// Panics if a summary differs.
    pub async fn check_day_summaries(&self) {
        let wrong = self.rows_of(include_str!("wrong_day_summaries.sql")).await;
        assert!(
            wrong.is_empty(),
            "day summaries differ from their points: {wrong:#?}"
        );
    }

    /// Checks that blocks of a session and series do not overlap and match the session.
    ///
    /// # Panics
    /// Panics if blocks overlap or a session differs.
    pub async fn check_blocks(&self) {
        let wrong = self.rows_of(include_str!("wrong_blocks.sql")).await;
        assert!(
            wrong.is_empty(),
            "blocks violate their invariants: {wrong:#?}"
        );
    }

    async fn rows_of(&self, check: &str) -> Vec<String> {
        let found = self
            .connect()
            .await
            .query(check, &[])
            .await
            .expect("the check runs");
        found.iter().map(|row| row.get(0)).collect()
    }

    /// Opens a connection for the test.
    ///
    /// # Panics
    /// Panics if the server rejects the connection.
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
        // A separate thread, since this may run in a runtime. A failure is printed as a panic.
        std::thread::spawn(drop_it).join().ok();
    }
}

/// The migrated database that others are copied from, created once per process and server.
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
    // A template must not be in use, not even by autovacuum: waits until the session is gone,
    // and allows no other.
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
        .expect("pg_stat_activity")
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
