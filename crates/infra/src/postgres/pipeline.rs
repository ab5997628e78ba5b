//! Statements that are sent at once, one behind the other, and answered in that order.
//!
//! Once a statement has failed, the server answers those behind it in the transaction only that it has. So answers are
//! taken in the order of sending: the first that is an error tells why.

use std::task::Poll;

use futures_util::future::{Either, ready};
use futures_util::poll;

/// Sends a statement; what it gives is its answer, to be awaited after those of the statements before it.
///
/// # Errors
/// The statement could not be sent, and those that depend on it must not be sent either.
pub(super) async fn send<T, E>(
    statement: impl Future<Output = Result<T, E>>,
) -> Result<impl Future<Output = Result<T, E>>, E> {
    let mut statement = Box::pin(statement);
    match poll!(statement.as_mut()) {
        Poll::Ready(answer) => Ok(Either::Left(ready(Ok(answer?)))),
        Poll::Pending => Ok(Either::Right(statement)),
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::oneshot;

    use super::send;

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
            server_second.send(Err::<(), _>("the transaction is aborted")).expect("it is awaited");
            tokio::task::yield_now().await;
            server_first.send(Err::<(), _>("the session is there")).expect("it is awaited");
        };
        let (told, ()) = tokio::join!(transaction, server);
        assert_eq!(told, Err("the session is there"));
    }

    #[tokio::test]
    async fn what_cannot_be_sent_ends_it_before_the_next_is_sent() {
        let mut is_committed = false;
        let sent = async {
            let waits = send(std::future::pending::<Result<(), &str>>()).await?;
            let _unsent = send(async { Err::<(), _>("too large") }).await?;
            let _commit = send(async {
                is_committed = true;
                Ok::<_, &str>(())
            })
            .await?;
            waits.await
        };
        assert_eq!(sent.await, Err("too large"));
        assert!(!is_committed);
    }
}
