//! Bad requests: each is rejected with a location and a code, and stores nothing.

mod amplification;
mod bodies;
mod encoding;
mod fields;
mod parameters;
mod paths;
mod ranges;
mod selections;
mod sizes;
mod times;
mod values;

use serde_json::{Value, json};
use time_series_testkit::{Backend, Response, TestApp};
use uuid::Uuid;

use crate::common::{
    SCORE, START, add_text_series, assert_faults, assert_problem, points_of, session, sessions_of,
};

/// A service with the series `any`, which accepts all values, and a text series; and its only user.
struct Case {
    app: TestApp,
    user: Uuid,
}

impl Case {
    async fn new(backend: Backend) -> Self {
        let app = TestApp::seeded(backend).await;
        add_text_series(&app).await;
        app.metric_type("any", &json!({})).await;
        Self {
            app,
            user: Uuid::new_v4(),
        }
    }

    async fn post(&self, body: &str) -> Response {
        self.app.post_text("/api/sessions/", body).await
    }

    /// Posts a body that must be rejected with exactly these faults, each as `pointer code`,
    /// and must store nothing.
    async fn assert_rejected(&self, body: &str, faults: &[&str]) -> Response {
        let response = self.post(body).await;
        assert_eq!(response.status.as_u16(), 422, "{body}\n{}", response.text);
        assert_problem(&response, 422, "invalid_session");
        assert_faults(&response, faults);
        assert_eq!(response.problem().total_errors, faults.len());
        self.assert_nothing_stored().await;
        response
    }

    async fn assert_nothing_stored(&self) {
        assert!(
            sessions_of(&self.app, self.user).await.is_empty(),
            "no session may be stored"
        );
        assert_eq!(
            points_of(&self.app, self.user).await,
            0,
            "no points may be stored"
        );
    }

    /// A session with these points.
    fn body(&self, data: &[Value]) -> Value {
        session(self.user, Uuid::new_v4(), START, data)
    }

    /// A session with one valid point and one with this value, as text: the value may not be JSON.
    fn with_value(&self, series: &str, value: &str) -> String {
        let good = json!({"series": SCORE, "time": START, "value": {"value": 1}});
        let bad = json!({"series": series, "time": START, "value": "VALUE"});
        self.body(&[good, bad])
            .to_string()
            .replace("\"VALUE\"", value)
    }
}
