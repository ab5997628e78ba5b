//! Further instances of the service, beside a [`TestApp`] or on other servers.

use reqwest::{Client, Method};
use serde_json::Value;
use time_series_api::ReplicaReads;

use crate::app::{Running, TestApp, TestAppBuilder, serve};
use crate::database::Backend;
use crate::response::Response;

/// A running service on a shared database, like another process.
pub struct ServiceInstance {
    url: String,
    _running: Running,
    client: Client,
}

impl TestApp {
    /// Starts a second instance on the same database.
    ///
    /// # Panics
    /// Panics if the instance does not start.
    #[must_use]
    pub fn second_instance(&self) -> ServiceInstance {
        Self::with(Backend::Plain).serve_on(&self.database.url)
    }
}

impl TestAppBuilder {
    /// Configures a replica that serves these reads.
    #[must_use]
    pub fn replica(mut self, url: &str, reads: ReplicaReads) -> Self {
        self.replica = Some((url.to_owned(), reads));
        self
    }

    /// Starts an instance on an existing database.
    ///
    /// # Panics
    /// Panics if the instance does not start.
    #[must_use]
    pub fn serve_on(self, database_url: &str) -> ServiceInstance {
        let (url, running) = serve(self.config(database_url));
        // One connection per request: a service under test may close idle connections at any time.
        let client = Client::builder()
            .pool_max_idle_per_host(0)
            .build()
            .expect("a client");
        ServiceInstance {
            url,
            _running: running,
            client,
        }
    }
}

impl ServiceInstance {
    /// Sends a GET request.
    ///
    /// # Panics
    /// Panics if no response is received.
    pub async fn get(&self, path: &str) -> Response {
        self.send(Method::GET, path, None).await
    }

    /// Sends a POST request with a JSON body.
    ///
    /// # Panics
    /// Panics if no response is received.
    pub async fn post(&self, path: &str, body: &Value) -> Response {
        self.send(Method::POST, path, Some(body.to_string())).await
    }

    async fn send(&self, method: Method, path: &str, body: Option<String>) -> Response {
        let mut request = self.client.request(method, format!("{}{path}", self.url));
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
}
