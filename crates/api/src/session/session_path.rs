//! The path and the query parameter that identify a session.

use apistos::ApiComponent;
use schemars::JsonSchema;
use serde::Deserialize;
use time_series_domain::{SessionId, UserId};
use uuid::Uuid;

use crate::problem::Problem;
use crate::request::{FromPairs, Pairs};

/// The session of the path.
#[derive(Deserialize, JsonSchema, ApiComponent)]
pub(crate) struct SessionPath {
    /// Id of the session.
    #[schemars(with = "Uuid")]
    session_id: String,
}

/// The user of the session.
#[derive(JsonSchema, ApiComponent)]
pub(crate) struct OwnerParams {
    /// The user of the session; required only if several users have a session of this id.
    user_id: Option<Uuid>,
}

impl FromPairs for OwnerParams {
    type Parsed = Self;

    const NAMES: &'static [&'static str] = &["user_id"];

    fn from_pairs(pairs: &mut Pairs) -> Self {
        Self {
            user_id: pairs.uuid("user_id"),
        }
    }
}

impl OwnerParams {
    /// Returns the named user.
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
