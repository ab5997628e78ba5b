//! Migrates a database to the schema of this program.

use std::time::Duration;

use deadpool_postgres::Object;
use time_series_domain::ports::StoreError;
use tokio_postgres::Client;

mod embedded {
    refinery::embed_migrations!("../../migrations");
}

const TRY_LOCK: &str = include_str!("try_migration_lock.sql");
const UNLOCK: &str = include_str!("migration_unlock.sql");
const LAST_APPLIED: &str = include_str!("last_migration.sql");
const HAS_TIMESCALEDB: &str = include_str!("has_timescaledb.sql");
const TIMESCALEDB_VERSION: &str = include_str!("timescaledb_version.sql");
const LOCK_POLL: Duration = Duration::from_millis(100);

/// The result of a migration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Migrated {
    /// The names of the applied migrations.
    pub applied: Vec<String>,
    /// The version of TimescaleDB, if the database has it.
    pub timescaledb: Option<String>,
}

/// Reason why the schema is not that of this program.
#[derive(Debug, thiserror::Error)]
pub enum MigrateError {
    /// The database cannot be reached.
    #[error("the database cannot be reached")]
    Unreachable(#[source] StoreError),
    /// The database does not exist.
    #[error("the database that DATABASE_URL names does not exist; create it, or correct the name")]
    NoDatabase,
    /// The role or its password is wrong, or may not connect.
    #[error(
        "the database rejects the role of DATABASE_URL; correct the name and the password, or grant \
         the role CONNECT"
    )]
    RoleRefused,
    /// The schema is older than this program.
    #[error(
        "the database is at migration {found}, this program needs {needed}: run `cargo xtask migrate`"
    )]
    Behind {
        /// The last applied migration; 0 for an empty database.
        found: i32,
        /// The last migration of this program.
        needed: i32,
    },
    /// A migration failed; it was rolled back.
    #[error("a migration failed")]
    Failed(#[from] refinery_core::Error),
    /// The database returned another error.
    #[error("the database returned an error")]
    Database(#[from] tokio_postgres::Error),
}

impl MigrateError {
    /// Classifies a failed connection: a wrong setting, or a failure that may be temporary.
    pub(super) fn of_connection(e: StoreError) -> Self {
        let mut cause: Option<&(dyn std::error::Error + 'static)> = std::error::Error::source(&e);
        while let Some(error) = cause {
            let code = error
                .downcast_ref::<tokio_postgres::Error>()
                .and_then(tokio_postgres::Error::code);
            match code.map(tokio_postgres::error::SqlState::code) {
                Some("3D000") => return Self::NoDatabase,
                Some("28000" | "28P01") => return Self::RoleRefused,
                _ => cause = error.source(),
            }
        }
        Self::Unreachable(e)
    }
}

/// Connects to the database of `url` and applies the migrations that it lacks.
///
/// # Errors
/// [`MigrateError`].
pub async fn migrate_url(url: &str) -> Result<Migrated, MigrateError> {
    let (mut client, connection) = tokio_postgres::connect(url, tokio_postgres::NoTls).await?;
    let connection = tokio::spawn(connection);
    let migrated = migrate(&mut client).await;
    drop(client);
    // The result of the migration is more specific than an error of the connection.
    let _ = connection.await;
    migrated
}

/// Applies the migrations that a database lacks. Several processes may migrate at once.
///
/// # Errors
/// [`MigrateError`]; the migration that failed was rolled back.
pub async fn migrate(client: &mut Client) -> Result<Migrated, MigrateError> {
    // Polled: waiting inside the database could deadlock with a migration that waits for all
    // snapshots.
    while !client.query_one(TRY_LOCK, &[]).await?.get::<_, bool>(0) {
        tokio::time::sleep(LOCK_POLL).await;
    }
    let result = migrate_locked(client).await;
    client.execute(UNLOCK, &[]).await?;
    result
}

async fn migrate_locked(client: &mut Client) -> Result<Migrated, MigrateError> {
    let timescaledb = timescaledb(client).await?;
    // After a rollback of the release, the schema may have migrations that this program does not
    // have.
    let report = embedded::migrations::runner()
        .set_abort_missing(false)
        .run_async(client)
        .await?;
    let applied = report
        .applied_migrations()
        .iter()
        .map(ToString::to_string)
        .collect();
    Ok(Migrated {
        applied,
        timescaledb,
    })
}

/// Creates the extension TimescaleDB if the server offers it. If it cannot be created, the database
/// is used without it. Returns the version.
async fn timescaledb(client: &Client) -> Result<Option<String>, tokio_postgres::Error> {
    let offered = client.query_opt(HAS_TIMESCALEDB, &[]).await?.is_some();
    if offered
        && let Err(e) = client
            .batch_execute("CREATE EXTENSION IF NOT EXISTS timescaledb")
            .await
    {
        tracing::warn!(error = %e, "cannot create the extension TimescaleDB; continuing without it");
    }
    let row = client.query_opt(TIMESCALEDB_VERSION, &[]).await?;
    Ok(row.map(|row| row.get(0)))
}

/// Checks that the schema is not older than this program. A newer schema is compatible: migrations
/// only expand it first.
pub(super) async fn check(client: &Object) -> Result<(), MigrateError> {
    let last = embedded::migrations::runner()
        .get_migrations()
        .iter()
        .map(refinery_core::Migration::version)
        .max();
    let needed = last.unwrap_or(0);
    let found = match client.query_one(LAST_APPLIED, &[]).await {
        Ok(row) => row.get(0),
        Err(e) if e.code() == Some(&tokio_postgres::error::SqlState::UNDEFINED_TABLE) => 0,
        Err(e) => return Err(e.into()),
    };
    if found < needed {
        Err(MigrateError::Behind { found, needed })
    } else {
        Ok(())
    }
}
