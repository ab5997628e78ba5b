//! A session before validation: the parts that could be read, and the errors of the others.

use super::draft_points::DraftPoints;
use super::fields::pointer_to;
use super::location::Locations;
use super::raw_values::RawValues;
use super::{FieldError, FieldErrorCode, ValidationErrors};
use crate::text::echo;
use crate::{SessionId, TimeSeriesPoint, Timestamp, UserId};

/// A session before validation.
#[derive(Debug)]
pub struct SessionDraft<'a> {
    pub(super) user_id: Option<UserId>,
    /// True if the client did not send a user.
    pub(super) lacks_user: bool,
    /// `None` if the client did not send an id or sent an invalid one.
    pub(super) session_id: Option<SessionId>,
    pub(super) start_ts: Option<Timestamp>,
    pub(super) points: DraftPoints<'a>,
    pub(super) errors: ValidationErrors,
    /// The body, if it is JSON.
    pub(super) body: Option<&'a str>,
}

impl SessionDraft<'_> {
    /// Creates a session from points in memory. Their values are validated like those of a body.
    #[must_use]
    pub fn new(
        user_id: UserId,
        session_id: SessionId,
        start_ts: Option<Timestamp>,
        points: Vec<TimeSeriesPoint>,
    ) -> Self {
        Self {
            user_id: Some(user_id),
            lacks_user: false,
            session_id: Some(session_id),
            start_ts,
            points: DraftPoints::Values(RawValues::of_points(points), Locations::default()),
            errors: ValidationErrors::default(),
            body: None,
        }
    }

    /// Sets the id of a session without one. An invalid id remains an error.
    #[must_use]
    pub fn or_session_id(mut self, id: SessionId) -> Self {
        self.session_id = self.session_id.or(Some(id));
        self
    }

    /// Sets the id of the session; adds an error if the client sent another one.
    #[must_use]
    pub fn at_session_id(mut self, id: SessionId) -> Self {
        if self.session_id.is_some_and(|sent| sent != id) {
            let message =
                format!("must be left out or be {id}, the id under which the session is stored");
            self.add_field_error("session_id", FieldErrorCode::InvalidUuid, &message);
        }
        self.session_id = Some(id);
        self
    }

    /// Sets the user of the session; adds an error if the client sent another one.
    #[must_use]
    pub fn of_user(mut self, user: UserId) -> Self {
        if self.user_id.is_some_and(|sent| sent != user) {
            let message = format!("must be left out or be {user}, the owner of the session");
            self.add_field_error("user_id", FieldErrorCode::InvalidUuid, &message);
        }
        self.user_id = Some(user);
        self.lacks_user = false;
        self
    }

    /// Adds an error of a field of the session.
    pub(super) fn add_field_error(&mut self, field: &str, code: FieldErrorCode, message: &str) {
        self.errors.push(FieldError {
            pointer: pointer_to(field),
            index: None,
            series: None,
            code,
            message: format!("{} {message}", echo(field).escape_debug()),
        });
    }
}
