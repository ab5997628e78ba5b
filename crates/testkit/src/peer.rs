//! Services beside a [`TestApp`], or on servers of their own.

use reqwest::{Client, Method};
use serde_json::Value;
use time_series_api::ReplicaReads;

use crate::app::{Running, TestApp, TestAppBuilder, serve};
use crate::database::Backend;
use crate::response::Response;

/// A running service on a database that others use as well, as another process would be.
pub struct Peer {
    url: String,
    _running: Running,
    client: Client,
}

impl TestApp {
    /// A second service on its database.
    ///
    /// # Panics
    /// Panics if it does not start.
    #[must_use]
    pub fn peer(&self) -> Peer {
        Self::with(Backend::Plain).serve_on(&self.database.url)
    }
}

impl TestAppBuilder {
    /// With replicas that answer these reads.
    #[must_use]
    pub fn replica(mut self, url: &str, reads: ReplicaReads) -> Self {
        self.replica = Some((url.to_owned(), reads));
        self
    }

    /// Starts it on a database that is there.
    ///
    /// # Panics
    /// Panics if it does not start.
    #[must_use]
    pub fn serve_on(self, database_url: &str) -> Peer {
        let (url, running) = serve(self.config(database_url));
        // Each request opens a connection: a service under test may close idle connections at any time.
        let client = Client::builder()
            .pool_max_idle_per_host(0)
            .build()
            .expect("a client");
        Peer {
            url,
            _running: running,
            client,
        }
    }
}

impl Peer {
    /// GET
    ///
    /// # Panics
    /// Panics if no response is received.
    pub async fn get(&self, path: &str) -> Response {
        self.send(Method::GET, path, None).await
    }

    /// POST of JSON
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
