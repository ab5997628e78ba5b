//! Pipelining: sends statements without waiting for the results of those before, and awaits the
//! results in send order.
//!
//! After a failed statement, the server rejects all later statements of the transaction with an
//! error that names no cause. Results are therefore awaited in send order, even if later ones
//! arrive first: the first error is the cause.

use std::task::Poll;

use futures_util::future::{Either, ready};
use futures_util::poll;

use super::error::PgError;

/// An error whose origin is known.
pub(super) trait ErrorOrigin {
    /// Returns whether the server returned the error, so that the statement has reached it.
    fn is_from_server(&self) -> bool;
}

impl ErrorOrigin for tokio_postgres::Error {
    fn is_from_server(&self) -> bool {
        self.code().is_some()
    }
}

impl ErrorOrigin for PgError {
    fn is_from_server(&self) -> bool {
        match self {
            Self::Driver(e) | Self::Commit(e) => e.is_from_server(),
            Self::Store(_) | Self::Write(_) => false,
        }
    }
}

/// Sends a statement, or several in one call, and returns the future of the result. That future
/// must be awaited after the results of earlier statements. A statement that is not sent at its
/// first poll is sent when the future is awaited.
///
/// # Errors
/// An error of sending. Statements that depend on this one must not be sent.
pub(super) async fn send<T, E: ErrorOrigin>(
    statement: impl Future<Output = Result<T, E>>,
) -> Result<impl Future<Output = Result<T, E>>, E> {
    let mut statement = Box::pin(statement);
    match poll!(statement.as_mut()) {
        Poll::Ready(Err(e)) if !e.is_from_server() => Err(e),
        Poll::Ready(result) => Ok(Either::Left(ready(result))),
        Poll::Pending => Ok(Either::Right(statement)),
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::oneshot;

    use super::{ErrorOrigin, send};

    #[derive(Debug, PartialEq, Eq)]
    enum Error {
        SessionExists,
        TransactionIsAborted,
        TooLarge,
    }

    impl ErrorOrigin for Error {
        fn is_from_server(&self) -> bool {
            *self != Self::TooLarge
        }
    }

    #[tokio::test]
    async fn the_error_of_the_earlier_statement_is_returned_even_if_a_later_one_arrives_first() {
        let (server_first, first) = oneshot::channel();
        let (server_second, second) = oneshot::channel();
        let transaction = async {
            let first = send(async { first.await.expect("a result") }).await?;
            let second = send(async { second.await.expect("a result") }).await?;
            first.await?;
            second.await
        };
        let server = async {
            server_second
                .send(Err::<(), _>(Error::TransactionIsAborted))
                .expect("a waiting receiver");
            tokio::task::yield_now().await;
            server_first
                .send(Err::<(), _>(Error::SessionExists))
                .expect("a waiting receiver");
        };
        let (result, ()) = tokio::join!(transaction, server);
        assert_eq!(result, Err(Error::SessionExists));
    }

    #[tokio::test]
    async fn an_immediate_error_of_a_later_statement_does_not_precede_earlier_results() {
        let (server_first, first) = oneshot::channel();
        let transaction = async {
            let first = send(async { first.await.expect("a result") }).await?;
            let second = send(async { Err::<(), _>(Error::TransactionIsAborted) }).await?;
            server_first
                .send(Err::<(), _>(Error::SessionExists))
                .expect("a waiting receiver");
            first.await?;
            second.await
        };
        assert_eq!(transaction.await, Err(Error::SessionExists));
    }

    #[tokio::test]
    async fn after_an_error_of_sending_no_further_statement_is_sent() {
        let mut is_committed = false;
        let sent = async {
            let pending = send(std::future::pending::<Result<(), Error>>()).await?;
            let _unsent = send(async { Err::<(), _>(Error::TooLarge) }).await?;
            is_committed = true;
            pending.await
        };
        assert_eq!(sent.await, Err(Error::TooLarge));
        assert!(!is_committed);
    }
}
