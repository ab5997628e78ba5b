//! `GET /api/sessions/`

use actix_web::web;
use apistos::{ApiComponent, api_operation};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Value, json};
use time_series_domain::UserId;
use uuid::Uuid;

use super::session_view::SessionView;
use crate::openapi::{Answer, Example, Reply};
use crate::problem::Problem;
use crate::request::{
    FromQuery, Id, NEXT_CURSOR, Number, Parameter, QueryParams, QueryString, Texts,
};
use crate::state::AppState;

const DEFAULT_LIMIT: usize = 100;
const MAX_LIMIT: usize = 1_000;

static USER_ID: Id = Id::required("user_id", "User that owns the sessions.")
    .example("d38834e0-fe46-4bf9-831d-1d5b125bdc9b");

static LIMIT: Number<usize> = Number::new(
    "limit",
    1,
    MAX_LIMIT,
    "Maximum number of sessions per page, 1 to 1000. Default: 100.",
)
.example("100");

static CURSOR: Texts = Texts::one("cursor", "`metadata.next_cursor` of the previous page.");

/// The user and page of a list of sessions.
pub(crate) struct ListParams {
    user_id: Uuid,
    limit: Option<usize>,
    cursor: Option<String>,
}

impl FromQuery for ListParams {
    type Parsed = Self;

    const PARAMETERS: &'static [&'static dyn Parameter] = &[&USER_ID, &LIMIT, &CURSOR];

    fn from_query(params: &mut QueryParams) -> Self {
        Self {
            user_id: USER_ID.read_required(params),
            limit: LIMIT.read(params),
            cursor: CURSOR.read(params),
        }
    }
}

/// A page of sessions by start, newest first; sessions without a start come last.
#[derive(Serialize, JsonSchema, ApiComponent)]
pub(crate) struct SessionList {
    metadata: ListMetadata,
    results: Vec<SessionView>,
}

/// Metadata of a page of sessions.
#[derive(Serialize, JsonSchema, ApiComponent)]
pub(crate) struct ListMetadata {
    /// Number of results on the page.
    count: usize,
    /// User that owns the sessions.
    user_id: Uuid,
    /// Maximum number of results per page.
    limit: usize,
    /// Value of `cursor` for the next page; null on the last page.
    next_cursor: Option<String>,
    /// Version of the user's data.
    version: u64,
}

impl Example for SessionList {
    fn example() -> Value {
        json!({
            "metadata": {
                "count": 1,
                "user_id": "d38834e0-fe46-4bf9-831d-1d5b125bdc9b",
                "limit": 100,
                "next_cursor": null,
                "version": 1
            },
            "results": [SessionView::example()]
        })
    }
}

impl Answer for SessionList {
    const STATUSES: &'static [(u16, &'static str)] =
        &[(200, "A page of sessions; empty if the user has none.")];
}

/// Lists a user's sessions.
#[api_operation(
    tag = "sessions",
    operation_id = "list_sessions",
    summary = "List a user's sessions",
    description = "Lists sessions by start, newest first; sessions without a start come last. \
                   Pagination is keyset-based: sessions that are stored or deleted between two \
                   requests do not repeat or skip other sessions.",
    error_code = 422,
    error_code = 500,
    error_code = 503
)]
pub(crate) async fn list_sessions(
    params: QueryString<ListParams>,
    state: web::Data<AppState>,
) -> Result<Reply<SessionList>, Problem> {
    let ListParams {
        user_id,
        limit,
        cursor,
    } = params.0;
    let (user, limit) = (UserId(user_id), limit.unwrap_or(DEFAULT_LIMIT));
    state.log_users.note(user).await;
    let cursors = state.cursors.key().await?;
    let after = match cursor {
        None => None,
        Some(cursor) => Some(cursors.open(user, &cursor).ok_or_else(|| {
            Problem::parameter(
                "cursor",
                "is not a cursor of this list and user; omit it to read the first page",
            )
        })?),
    };
    let page = state.sessions.list(user, after, limit).await?;
    let catalogue = state.metric_types.list().await?;
    let results: Vec<SessionView> = page
        .sessions
        .iter()
        .map(|record| SessionView::new(record, page.version, &catalogue))
        .collect();
    let next_cursor = page.next.map(|position| cursors.seal(user, &position));
    let list = Reply::ok(SessionList {
        metadata: ListMetadata {
            count: results.len(),
            user_id,
            limit,
            next_cursor: next_cursor.clone(),
            version: page.version,
        },
        results,
    });
    Ok(match &next_cursor {
        Some(next) => list.header(NEXT_CURSOR, next),
        None => list,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request::fuzz::fuzz_query_strings;

    #[test]
    fn no_query_string_panics_and_problems_are_bounded() {
        fuzz_query_strings::<ListParams>(|_| Ok(()));
    }
}
