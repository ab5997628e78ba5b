//! The path and the query parameter that identify a session.

use apistos::ApiComponent;
use schemars::JsonSchema;
use serde::Deserialize;
use time_series_domain::{SessionId, UserId};
use uuid::Uuid;

use crate::problem::Problem;
use crate::request::{FromQuery, QueryParams};

/// The session that the path identifies.
#[derive(Deserialize, JsonSchema, ApiComponent)]
pub(crate) struct SessionPath {
    /// Id of the session.
    #[schemars(with = "Uuid")]
    session_id: String,
}

/// The user that owns the session.
#[derive(JsonSchema, ApiComponent)]
pub(crate) struct OwnerParams {
    /// User that owns the session. Required only if several users have a session with this id.
    user_id: Option<Uuid>,
}

impl FromQuery for OwnerParams {
    type Parsed = Self;

    const NAMES: &'static [&'static str] = &["user_id"];

    fn from_query(params: &mut QueryParams) -> Self {
        Self {
            user_id: params.uuid("user_id"),
        }
    }
}

impl OwnerParams {
    /// Returns the user, if given.
    pub(crate) fn user(&self) -> Option<UserId> {
        self.user_id.map(UserId)
    }
}

impl SessionPath {
    pub(crate) fn id(&self) -> Result<SessionId, Problem> {
        let uuid = Uuid::try_parse(&self.session_id);
        uuid.map(SessionId)
            .map_err(|_| Problem::no_such_session(&self.session_id, "it is not a UUID"))
    }
}
