//! The path and the query parameter that identify a session.

use apistos::ApiComponent;
use schemars::JsonSchema;
use serde::Deserialize;
use time_series_domain::{SessionId, UserId};
use uuid::Uuid;

use crate::problem::Problem;
use crate::request::{FromQuery, Id, Parameter, QueryParams};

/// The session that the path identifies.
#[derive(Deserialize, JsonSchema, ApiComponent)]
pub(crate) struct SessionPath {
    /// Id of the session.
    #[schemars(with = "Uuid")]
    session_id: String,
}

static USER_ID: Id = Id::optional(
    "user_id",
    "User that owns the session. Required only if several users have a session with this id.",
);

/// The user that owns the session.
pub(crate) struct OwnerParams {
    user_id: Option<Uuid>,
}

impl FromQuery for OwnerParams {
    type Parsed = Self;

    const PARAMETERS: &'static [&'static dyn Parameter] = &[&USER_ID];

    fn from_query(params: &mut QueryParams) -> Self {
        Self {
            user_id: USER_ID.read(params),
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
