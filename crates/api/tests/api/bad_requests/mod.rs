//! Bad requests: each is refused with its place and its code, and stores nothing.

mod amplification;
mod bodies;
mod fields;
mod parameters;
mod paths;
mod selections;
mod sizes;
mod times;
mod values;

use serde_json::{Value, json};
use time_series_testkit::{Answer, Backend, TestApp};
use uuid::Uuid;

use crate::common::{
    SCORE, START, add_text_series, assert_faults, assert_problem, points_of, session, sessions_of,
};

/// A service with the series `any`, whose values may be anything, and one of text; and its only user.
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

    async fn post(&self, body: &str) -> Answer {
        self.app.post_text("/api/sessions/", body).await
    }

    /// Posts a body that must be refused with exactly these faults, `pointer code` each, and must leave no trace.
    async fn refuses(&self, body: &str, faults: &[&str]) -> Answer {
        let answer = self.post(body).await;
        assert_eq!(answer.status.as_u16(), 422, "{body}\n{}", answer.text);
        assert_problem(&answer, 422, "invalid_session");
        assert_faults(&answer, faults);
        assert_eq!(answer.json()["total_errors"], faults.len());
        self.stored_nothing().await;
        answer
    }

    async fn stored_nothing(&self) {
        assert!(
            sessions_of(&self.app, self.user).await.is_empty(),
            "a session was stored"
        );
        assert_eq!(
            points_of(&self.app, self.user).await,
            0,
            "points were stored"
        );
    }

    /// A session with these points.
    fn body(&self, data: &[Value]) -> Value {
        session(self.user, Uuid::new_v4(), START, data)
    }

    /// A session with one good point and one of this series and value, as text, since the value may be no good JSON.
    fn with_value(&self, series: &str, value: &str) -> String {
        let good = json!({"series": SCORE, "time": START, "value": {"value": 1}});
        let bad = json!({"series": series, "time": START, "value": "VALUE"});
        self.body(&[good, bad])
            .to_string()
            .replace("\"VALUE\"", value)
    }
}
