//! Finds the session that a path means.

use apistos::ApiComponent;
use schemars::JsonSchema;
use serde::Deserialize;
use time_series_domain::text::echo;
use time_series_domain::{SessionId, UserId};
use uuid::Uuid;

use crate::problem::{Code, Problem};
use crate::request::{FromPairs, Pairs};
use crate::state::AppState;

/// The session's place in the path.
#[derive(Deserialize, JsonSchema, ApiComponent)]
pub(crate) struct SessionPath {
    /// The session's id.
    #[schemars(with = "Uuid")]
    session_id: String,
}

/// Whose session.
#[derive(JsonSchema, ApiComponent)]
pub(crate) struct OwnerParams {
    /// Whose session; needed only where several users have one of this id.
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
    /// Whose session, if that was said.
    pub(super) fn user(&self) -> Option<UserId> {
        self.user_id.map(UserId)
    }
}

impl SessionPath {
    pub(crate) fn id(&self) -> Result<SessionId, Problem> {
        let uuid = Uuid::try_parse(&self.session_id);
        uuid.map(SessionId)
            .map_err(|_| no_such_session(&self.session_id, "it is no UUID"))
    }
}

/// The user whose session is meant.
pub(super) async fn owner(
    state: &AppState,
    id: SessionId,
    params: &OwnerParams,
) -> Result<UserId, Problem> {
    owner_of(state, id, params.user()).await
}

/// The user whose session is meant, where one may have been named.
pub(crate) async fn owner_of(
    state: &AppState,
    id: SessionId,
    named: Option<UserId>,
) -> Result<UserId, Problem> {
    let owner = match named {
        Some(user) => user,
        None => match state.sessions.owners(id).await?.as_slice() {
            [] => {
                return Err(no_such_session(
                    &id.to_string(),
                    "it was never stored, or is deleted",
                ));
            }
            [user] => *user,
            users => {
                let detail = format!(
                    "{} users have a session {id}; say whose is meant with ?user_id=",
                    users.len()
                );
                return Err(Problem::new(Code::SessionAmbiguous, detail));
            }
        },
    };
    state.log_users.note(owner).await;
    Ok(owner)
}

pub(crate) fn no_such_session(id: &str, why: &str) -> Problem {
    Problem::new(
        Code::SessionNotFound,
        format!("There is no session {}: {why}.", echo(id)),
    )
}
