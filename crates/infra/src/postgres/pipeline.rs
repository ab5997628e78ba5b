//! Statements that are sent at once, one behind the other, and answered in that order.
//!
//! Once a statement has failed, the server answers those behind it in the transaction only that it has. So answers are
//! taken in the order of sending, however early they come: the first that is an error tells why.

use std::task::Poll;

use futures_util::future::{Either, ready};
use futures_util::poll;

use super::error::PgError;

/// An error of which it can be told who says it.
pub(super) trait Told {
    /// Whether it is the server's answer, so that the statement has reached it.
    fn is_answer(&self) -> bool;
}

impl Told for tokio_postgres::Error {
    fn is_answer(&self) -> bool {
        self.code().is_some()
    }
}

impl Told for PgError {
    fn is_answer(&self) -> bool {
        match self {
            Self::Driver(e) | Self::Commit(e) => e.is_answer(),
            Self::Store(_) | Self::Write(_) => false,
        }
    }
}

/// Begins a statement, or some that are sent together; what it gives is their answer, to be awaited after those of the
/// statements before it. What is not sent at its first poll is sent when it is awaited.
///
/// # Errors
/// It could not be sent, and what depends on it must not be sent either.
pub(super) async fn send<T, E: Told>(
    statement: impl Future<Output = Result<T, E>>,
) -> Result<impl Future<Output = Result<T, E>>, E> {
    let mut statement = Box::pin(statement);
    match poll!(statement.as_mut()) {
        Poll::Ready(Err(e)) if !e.is_answer() => Err(e),
        Poll::Ready(answer) => Ok(Either::Left(ready(answer))),
        Poll::Pending => Ok(Either::Right(statement)),
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::oneshot;

    use super::{Told, send};

    #[derive(Debug, PartialEq, Eq)]
    enum Error {
        SessionIsThere,
        TransactionIsAborted,
        TooLarge,
    }

    impl Told for Error {
        fn is_answer(&self) -> bool {
            *self != Self::TooLarge
        }
    }

    #[tokio::test]
    async fn the_statement_that_failed_tells_why_although_those_behind_it_are_heard_of_first() {
        let (server_first, first) = oneshot::channel();
        let (server_second, second) = oneshot::channel();
        let transaction = async {
            let first = send(async { first.await.expect("an answer") }).await?;
            let second = send(async { second.await.expect("an answer") }).await?;
            first.await?;
            second.await
        };
        let server = async {
            server_second
                .send(Err::<(), _>(Error::TransactionIsAborted))
                .expect("it is awaited");
            tokio::task::yield_now().await;
            server_first
                .send(Err::<(), _>(Error::SessionIsThere))
                .expect("it is awaited");
        };
        let (told, ()) = tokio::join!(transaction, server);
        assert_eq!(told, Err(Error::SessionIsThere));
    }

    #[tokio::test]
    async fn an_answer_that_is_there_at_once_waits_for_its_turn() {
        let (server_first, first) = oneshot::channel();
        let transaction = async {
            let first = send(async { first.await.expect("an answer") }).await?;
            let second = send(async { Err::<(), _>(Error::TransactionIsAborted) }).await?;
            server_first
                .send(Err::<(), _>(Error::SessionIsThere))
                .expect("it is awaited");
            first.await?;
            second.await
        };
        assert_eq!(transaction.await, Err(Error::SessionIsThere));
    }

    #[tokio::test]
    async fn what_cannot_be_sent_ends_it_before_the_next_is_sent() {
        let mut is_committed = false;
        let sent = async {
            let waits = send(std::future::pending::<Result<(), Error>>()).await?;
            let _unsent = send(async { Err::<(), _>(Error::TooLarge) }).await?;
            is_committed = true;
            waits.await
        };
        assert_eq!(sent.await, Err(Error::TooLarge));
        assert!(!is_committed);
    }
}
