//! Performs the operations of a case, and checks each answer.

use reqwest::Method;
use time_series_testkit::Answer;
use uuid::Uuid;

use crate::fixture::Fixture;
use crate::fixture::session::Session;
use crate::generate::case::Case;
use crate::generate::operation::{Operation, OperationKind};
use crate::generate::session::SessionSpec;
use crate::generate::time_span::TimeSpan;
use crate::runner::session_body::{renotated_session_body, session_body};
use crate::runner::user_state::{UserState, session_id};
use crate::runner::{Outcome, expect_status};

impl<Q> Case<Q> {
    /// The users of the case, with no session yet.
    pub(crate) fn new_users(&self) -> Vec<UserState> {
        let first = Uuid::new_v4();
        let user = |index: usize| match index {
            0 => first,
            1 if self.shares_session_ids => user_sharing_session_ids(first),
            _ => Uuid::new_v4(),
        };
        (0..self.operations.len())
            .map(|index| UserState::new(user(index)))
            .collect()
    }

    /// Performs all operations for new users.
    pub(crate) async fn run(&self, fixture: &Fixture) -> Outcome<Vec<UserState>> {
        let mut states = self.new_users();
        self.run_for(fixture, &mut states).await?;
        Ok(states)
    }

    /// Performs all operations, round by round.
    pub(crate) async fn run_for(&self, fixture: &Fixture, states: &mut [UserState]) -> Outcome {
        for round in 0..self.rounds() {
            self.run_round(fixture, states, round).await?;
        }
        Ok(())
    }

    /// Performs the operation of each user in one round.
    pub(crate) async fn run_round(
        &self,
        fixture: &Fixture,
        states: &mut [UserState],
        round: usize,
    ) -> Outcome {
        for (state, operations) in states.iter_mut().zip(&self.operations) {
            if let Some(operation) = operations.get(round) {
                perform(fixture, state, operation, &self.time_span).await?;
            }
        }
        Ok(())
    }
}

/// Returns a user whose session id in slot 1 is that of the other user in slot 0, and vice versa.
fn user_sharing_session_ids(other: Uuid) -> Uuid {
    Uuid::from_u128(
        session_id(other, 0).as_u128() ^ session_id(other, 1).as_u128() ^ other.as_u128(),
    )
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum WriteMethod {
    Post,
    PostReplacing,
    PostIgnoring,
    Put,
}

struct Write {
    method: WriteMethod,
    session: Session,
    body: String,
}

/// The answer that the contract demands.
struct ExpectedAnswer {
    status: u16,
    outcome: Option<&'static str>,
    /// True if the written session becomes the stored one.
    is_stored: bool,
}

/// Performs an operation, checks the answer, and updates the state.
async fn perform(
    fixture: &Fixture,
    state: &mut UserState,
    operation: &Operation,
    time_span: &TimeSpan,
) -> Outcome {
    let id = session_id(state.user, operation.slot);
    let stored = state.sessions.get(&operation.slot);
    let write = |method: WriteMethod, spec: &SessionSpec| {
        let session = spec.session(id, time_span, &fixture.catalogue);
        Write {
            method,
            body: session_body(state.user, &session, &fixture.catalogue),
            session,
        }
    };
    let write = match &operation.kind {
        OperationKind::Delete => return delete(fixture, state, operation.slot).await,
        OperationKind::Repeat { by_put, renotated } => {
            let Some(session) = stored.cloned() else {
                return Ok(());
            };
            Write {
                method: if *by_put {
                    WriteMethod::Put
                } else {
                    WriteMethod::Post
                },
                body: if *renotated {
                    renotated_session_body(state.user, &session, &fixture.catalogue)
                } else {
                    session_body(state.user, &session, &fixture.catalogue)
                },
                session,
            }
        }
        OperationKind::Post(spec) => write(WriteMethod::Post, spec),
        OperationKind::PostReplacing(spec) => write(WriteMethod::PostReplacing, spec),
        OperationKind::PostIgnoring(spec) => write(WriteMethod::PostIgnoring, spec),
        OperationKind::Put(spec) => write(WriteMethod::Put, spec),
    };
    let expected = expected_answer(stored, &write);
    state.record(format!("{:?} {}", write.method, write.body));
    let answer = send(fixture, id, write.method, write.body).await;
    if expected.is_stored {
        state.sessions.insert(operation.slot, write.session);
    }
    expect_answer(&answer, &expected).map_err(|e| format!("{e}\nafter\n{}", state.report()))
}

/// Deletes the session of a slot.
pub(crate) async fn delete(fixture: &Fixture, state: &mut UserState, slot: usize) -> Outcome {
    let id = session_id(state.user, slot);
    let status = if state.sessions.remove(&slot).is_some() {
        204
    } else {
        404
    };
    state.record(format!("DELETE {id}"));
    let path = format!("/api/sessions/{id}/?user_id={}", state.user);
    let answer = fixture.app.delete(&path).await;
    expect_status(&answer, status).map_err(|e| format!("{e}\nafter\n{}", state.report()))
}

/// Applies `on_conflict` to a stored session.
fn expected_answer(stored: Option<&Session>, write: &Write) -> ExpectedAnswer {
    let answer = |status: u16, outcome: Option<&'static str>, is_stored: bool| ExpectedAnswer {
        status,
        outcome,
        is_stored,
    };
    match (stored, write.method) {
        (None, _) => answer(201, Some("created"), true),
        (Some(stored), _) if stored.is_same(&write.session) => {
            answer(200, Some("unchanged"), false)
        }
        (Some(_), WriteMethod::Post) => answer(409, None, false),
        (Some(_), WriteMethod::PostIgnoring) => answer(200, Some("ignored"), false),
        (Some(_), WriteMethod::PostReplacing | WriteMethod::Put) => {
            answer(200, Some("replaced"), true)
        }
    }
}

async fn send(fixture: &Fixture, id: Uuid, method: WriteMethod, body: String) -> Answer {
    let app = &fixture.app;
    match method {
        WriteMethod::Put => {
            let path = format!("/api/sessions/{id}/");
            app.request(Method::PUT, &path, Some(body.into_bytes()), &[])
                .await
        }
        WriteMethod::Post => app.post_text("/api/sessions/", &body).await,
        WriteMethod::PostReplacing => {
            app.post_text("/api/sessions/?on_conflict=replace", &body)
                .await
        }
        WriteMethod::PostIgnoring => {
            app.post_text("/api/sessions/?on_conflict=ignore", &body)
                .await
        }
    }
}

fn expect_answer(answer: &Answer, expected: &ExpectedAnswer) -> Outcome {
    expect_status(answer, expected.status)?;
    let Some(expected) = expected.outcome else {
        return Ok(());
    };
    if answer.json()["outcome"] == expected {
        Ok(())
    } else {
        Err(format!("outcome {expected} expected: {}", answer.text))
    }
}
