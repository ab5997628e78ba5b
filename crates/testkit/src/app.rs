//! A service on its own port, and an HTTP client of it.

use std::net::SocketAddr;
use std::time::Duration;

use actix_web::dev::ServerHandle;
use reqwest::{Client, Method};
use serde_json::{Value, json};
use time_series_api::ReplicaReads;
use time_series_domain::TimeRules;
use time_series_domain::query::QueryLimits;
use time_series_server::Server;
use time_series_server::config::{
    AdminConfig, CacheConfig, Config, DatabaseConfig, HttpConfig, LimitsConfig, LogConfig,
    NetConfig, QueriesConfig, SecretsConfig, WritesConfig,
};
use uuid::Uuid;

use crate::database::{Backend, TestDatabase, with_address};
use crate::relay::Relay;
use crate::response::Response;

/// A running service with its own database; dropping it ends both.
pub struct TestApp {
    /// The address: `http://127.0.0.1:port`.
    pub url: String,
    _running: Running,
    /// The database of the service.
    pub database: TestDatabase,
    client: Client,
}

/// The configuration of a service under test.
pub struct TestAppBuilder {
    backend: Backend,
    cache: CacheConfig,
    admin_token: Option<String>,
    secret_key: Option<String>,
    limits: QueryLimits,
    queries: QueriesConfig,
    max_body_bytes: usize,
    max_bytes_in_flight: usize,
    max_answer_bytes: usize,
    database_timeout: Duration,
    statement_timeout: Duration,
    relay: Option<SocketAddr>,
    pub(crate) replica: Option<(String, ReplicaReads)>,
    net: NetConfig,
    writes: WritesConfig,
}

impl TestAppBuilder {
    /// Sets the minimum rate of transfers and the grace period before it applies.
    #[must_use]
    pub const fn min_transfer_rate(mut self, bytes_per_second: u64, grace: Duration) -> Self {
        self.net.min_rate = bytes_per_second;
        self.net.grace = grace;
        self
    }

    /// Limits the time of a write.
    #[must_use]
    pub const fn write_timeout(mut self, timeout: Duration) -> Self {
        self.writes.timeout = timeout;
        self
    }

    /// Enables a cache in Redis that stores every response.
    #[must_use]
    pub fn redis(mut self, url: &str) -> Self {
        self.cache.enabled = true;
        self.cache.redis_url = Some(url.into());
        self
    }

    /// Enables a cache in the process that stores every response.
    #[must_use]
    pub const fn cache(mut self) -> Self {
        self.cache.enabled = true;
        self
    }

    /// Sets the timeout of Redis.
    #[must_use]
    pub const fn redis_timeout(mut self, timeout: Duration) -> Self {
        self.cache.redis_timeout = timeout;
        self
    }

    /// Sets the admin token.
    #[must_use]
    pub fn admin_token(mut self, token: &str) -> Self {
        self.admin_token = Some(token.to_owned());
        self
    }

    /// Sets `SECRET_KEY`, which overrides the secret in the database.
    #[must_use]
    pub fn secret_key(mut self, key: &str) -> Self {
        self.secret_key = Some(key.to_owned());
        self
    }

    /// Limits the rows of a result.
    #[must_use]
    pub const fn max_rows(mut self, rows: usize) -> Self {
        self.limits.rows = rows;
        self
    }

    /// Limits the retained values of a bucket.
    #[must_use]
    pub const fn max_bucket_values(mut self, values: usize) -> Self {
        self.limits.bucket_values = values;
        self
    }

    /// Limits the points that a query reads.
    #[must_use]
    pub const fn max_points_read(mut self, points: u64) -> Self {
        self.limits.points_read = points;
        self
    }

    /// Limits the number of concurrent queries.
    #[must_use]
    pub const fn query_concurrency(mut self, queries: usize) -> Self {
        self.queries.concurrency = queries;
        self
    }

    /// Limits the time of a query.
    #[must_use]
    pub const fn query_timeout(mut self, timeout: Duration) -> Self {
        self.queries.timeout = timeout;
        self
    }

    /// Limits the size of a body.
    #[must_use]
    pub const fn max_body_bytes(mut self, bytes: usize) -> Self {
        self.max_body_bytes = bytes;
        self
    }

    /// Limits the total size of all bodies.
    #[must_use]
    pub const fn max_bytes_in_flight(mut self, bytes: usize) -> Self {
        self.max_bytes_in_flight = bytes;
        self
    }

    /// Limits the total memory of all queries.
    #[must_use]
    pub const fn max_answer_bytes(mut self, bytes: usize) -> Self {
        self.max_answer_bytes = bytes;
        self
    }

    /// Limits the wait for a connection or a lock of the database.
    #[must_use]
    pub const fn database_timeout(mut self, timeout: Duration) -> Self {
        self.database_timeout = timeout;
        self
    }

    /// Limits the time of a statement.
    #[must_use]
    pub const fn statement_timeout(mut self, timeout: Duration) -> Self {
        self.statement_timeout = timeout;
        self
    }

    /// Connects to the database through a relay to [`Backend::address`].
    #[must_use]
    pub const fn relay(mut self, relay: &Relay) -> Self {
        self.relay = Some(relay.address);
        self
    }

    /// Starts the service on a new database.
    ///
    /// # Panics
    /// Panics if the service does not start.
    pub async fn start(self) -> TestApp {
        let database = TestDatabase::new(self.backend).await;
        let (url, running) = serve(self.config(&database.url));
        // The client must close idle connections before the service does after five seconds.
        let client = Client::builder()
            .pool_idle_timeout(Duration::from_secs(2))
            .build()
            .expect("a client");
        TestApp {
            url,
            _running: running,
            database,
            client,
        }
    }

    pub(crate) fn config(self, database_url: &str) -> Config {
        Config {
            http: HttpConfig {
                bind: SocketAddr::from(([127, 0, 0, 1], 0)),
                workers: 2,
                shutdown: Duration::from_secs(1),
                allowed_hosts: None,
                net: self.net,
            },
            writes: self.writes,
            database: DatabaseConfig {
                url: self
                    .relay
                    .map_or_else(
                        || database_url.to_owned(),
                        |relay| with_address(database_url, relay),
                    )
                    .into(),
                read_url: self.replica.as_ref().map(|(url, _)| url.clone().into()),
                replica_reads: self
                    .replica
                    .map_or(ReplicaReads::Versioned, |(_, reads)| reads),
                connections: 8,
                acquire_timeout: self.database_timeout,
                statement_timeout: self.statement_timeout,
            },
            cache: self.cache,
            admin: AdminConfig {
                token: self.admin_token.map(Into::into),
            },
            secrets: SecretsConfig {
                key: self.secret_key.map(Into::into),
            },
            queries: self.queries,
            limits: LimitsConfig {
                body_bytes: self.max_body_bytes,
                bytes_in_flight: self.max_bytes_in_flight,
                answer_bytes: self.max_answer_bytes,
                rows: self.limits.rows,
                bucket_values: self.limits.bucket_values,
                points_read: self.limits.points_read,
                times: TimeRules::default(),
            },
            log: LogConfig {
                directives: "off".to_owned(),
                json: true,
            },
        }
    }
}

/// A service that runs until this is dropped.
pub(crate) struct Running(ServerHandle);

impl Drop for Running {
    fn drop(&mut self) {
        // The service is signalled at once; dropping does not wait until it has stopped.
        drop(self.0.stop(false));
    }
}

/// Runs a service in its own thread and returns its URL.
pub(crate) fn serve(config: Config) -> (String, Running) {
    let (sender, receiver) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        actix_web::rt::System::new().block_on(async move {
            let server = Server::start(config).await.expect("the service starts");
            sender.send((server.address(), server.handle())).ok();
            server.run_until_stopped().await.ok();
        });
    });
    let (address, handle) = receiver.recv().expect("the service reports its address");
    (format!("http://{address}"), Running(handle))
}

impl TestApp {
    /// Starts a service without a cache.
    pub async fn start(backend: Backend) -> Self {
        Self::with(backend).start().await
    }

    /// Returns the configuration of a service, to be changed and started.
    #[must_use]
    pub fn with(backend: Backend) -> TestAppBuilder {
        TestAppBuilder {
            backend,
            cache: CacheConfig {
                enabled: false,
                redis_url: None,
                redis_timeout: Duration::from_millis(5),
                max_bytes: 1 << 20,
                min_cost: Duration::ZERO,
            },
            admin_token: None,
            secret_key: None,
            limits: QueryLimits::default(),
            queries: QueriesConfig {
                concurrency: 4,
                timeout: Duration::from_secs(30),
            },
            max_body_bytes: 8 << 20,
            max_bytes_in_flight: 64 << 20,
            max_answer_bytes: 128 << 20,
            database_timeout: Duration::from_secs(10),
            statement_timeout: Duration::from_secs(30),
            relay: None,
            replica: None,
            net: NetConfig::default(),
            writes: WritesConfig {
                max_wait: Duration::from_mins(1),
                timeout: Duration::from_mins(1),
            },
        }
    }

    /// Starts a service with the three metric types of the original system.
    pub async fn seeded(backend: Backend) -> Self {
        let app = Self::start(backend).await;
        app.seed().await;
        app
    }

    /// Creates the three metric types of the original system.
    pub async fn seed(&self) {
        let number = json!({"type": "number"});
        let value =
            json!({"type": "object", "properties": {"value": number}, "required": ["value"]});
        let color = json!({"type": "object", "properties": {"r": number, "g": number, "b": number}, "required": ["r", "g", "b"]});
        self.metric_type("session.gut_health_score", &value).await;
        self.metric_type("session.urine.night_count", &value).await;
        self.metric_type("session.urine.color", &color).await;
    }

    /// Creates a metric type.
    pub async fn metric_type(&self, series: &str, schema: &Value) {
        let body = json!({"series": series, "schema": schema});
        let _ = self.post("/api/metrictypes/", &body).await.expect(201);
    }

    /// Sends any request.
    ///
    /// # Panics
    /// Panics if no response is received.
    pub async fn request(
        &self,
        method: Method,
        path: &str,
        body: Option<Vec<u8>>,
        headers: &[(&str, &str)],
    ) -> Response {
        let mut request = self.client.request(method, format!("{}{path}", self.url));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if let Some(body) = body {
            request = request.body(body);
        }
        let response = request.send().await.expect("a response");
        Response {
            status: response.status(),
            headers: response.headers().clone(),
            text: response.text().await.expect("a body"),
        }
    }

    /// Sends a GET request.
    pub async fn get(&self, path: &str) -> Response {
        self.request(Method::GET, path, None, &[]).await
    }

    /// Sends a POST request with a JSON body.
    pub async fn post(&self, path: &str, body: &Value) -> Response {
        self.request(Method::POST, path, Some(body.to_string().into_bytes()), &[])
            .await
    }

    /// Sends a POST request with any text as body.
    pub async fn post_text(&self, path: &str, body: &str) -> Response {
        self.request(Method::POST, path, Some(body.as_bytes().to_vec()), &[])
            .await
    }

    /// Sends a PUT request with a JSON body.
    pub async fn put(&self, path: &str, body: &Value) -> Response {
        self.request(Method::PUT, path, Some(body.to_string().into_bytes()), &[])
            .await
    }

    /// Sends a DELETE request.
    pub async fn delete(&self, path: &str) -> Response {
        self.request(Method::DELETE, path, None, &[]).await
    }

    /// Sends GET /api/timeseries/ of a user, with parameters that need no escaping.
    pub async fn timeseries(&self, user: Uuid, parameters: &str) -> Response {
        self.get(&format!("/api/timeseries/?user_id={user}&{parameters}"))
            .await
    }
}
