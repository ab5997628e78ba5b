//! Rules of the write queue, without a database.

use std::sync::Arc;
use std::time::Duration;

use time_series_domain::ingest::{OnConflict, Outcome, SessionWrite, Stored};
use time_series_domain::ports::WriteError;
use time_series_domain::{SessionId, UserId};
use time_series_testkit::encoded_session;
use tokio::sync::oneshot::Receiver;
use uuid::Uuid;

use super::write_queue::{Batch, QueueLimits, QueuedWrite, WriteQueue, Written};

const STORE: SessionWrite = SessionWrite::Store(OnConflict::Error, None);
const STORED: Stored = Stored {
    outcome: Outcome::Created,
    version: 1,
    total_points: 1,
    is_replay: false,
};

fn queue(max_bytes: u64) -> Arc<WriteQueue> {
    WriteQueue::new(QueueLimits {
        max_wait: Duration::from_mins(1),
        max_bytes,
        timeout: Duration::from_secs(10),
    })
}

fn user(user: u128) -> UserId {
    UserId(Uuid::from_u128(user))
}

/// Queues a session of a user; the number identifies both.
fn push(queue: &WriteQueue, of: u128, session: u128) -> Result<Receiver<Written>, WriteError> {
    let session = encoded_session(user(of), SessionId(Uuid::from_u128(session)), &[0]);
    let (write, result) = QueuedWrite::new(Arc::new(session), STORE);
    queue.push(write).map(|()| result)
}

/// The sessions of a batch, as (user, session).
fn sessions(batch: &Batch) -> Vec<(u128, u128)> {
    let ids = batch.writes.iter().map(|write| {
        let session = &write.session;
        (session.user_id.0.as_u128(), session.session_id.0.as_u128())
    });
    ids.collect()
}

async fn next(queue: &Arc<WriteQueue>) -> Batch {
    queue.next_batch().await.expect("a batch")
}

/// Returns whether no batch is ready.
async fn is_idle(queue: &Arc<WriteQueue>) -> bool {
    let wait = tokio::time::timeout(Duration::from_millis(20), queue.next_batch());
    wait.await.is_err()
}

#[tokio::test]
async fn a_batch_holds_the_writes_of_several_users_in_their_order() {
    let queue = queue(u64::MAX);
    let _results = [(1, 10), (2, 20), (1, 11)].map(|(of, session)| push(&queue, of, session));
    let batch = next(&queue).await;
    assert_eq!(sessions(&batch), [(1, 10), (1, 11), (2, 20)]);
}

#[tokio::test]
async fn a_user_is_in_one_batch_at_a_time() {
    let queue = queue(u64::MAX);
    let _first = push(&queue, 1, 10);
    let batch = next(&queue).await;
    let _second = push(&queue, 1, 11);
    assert!(is_idle(&queue).await, "the user is in a batch");
    drop(batch);
    assert_eq!(sessions(&next(&queue).await), [(1, 11)]);
}

#[tokio::test]
async fn a_batch_holds_one_write_of_each_session() {
    let queue = queue(u64::MAX);
    let _results = [10, 10, 11].map(|session| push(&queue, 1, session));
    let batch = next(&queue).await;
    assert_eq!(sessions(&batch), [(1, 10)]);
    drop(batch);
    assert_eq!(sessions(&next(&queue).await), [(1, 10), (1, 11)]);
}

#[tokio::test]
async fn a_lock_precedes_waiting_writes_and_keeps_the_user_out_of_batches() {
    let queue = queue(u64::MAX);
    let _first = push(&queue, 1, 10);
    let batch = next(&queue).await;
    let _second = push(&queue, 1, 11);
    let waiting = Arc::clone(&queue);
    let lock = tokio::spawn(async move { waiting.lock(user(1), "a test").await });
    tokio::task::yield_now().await;
    drop(batch);
    let lock = lock.await.expect("no panic").expect("the lock");
    assert!(is_idle(&queue).await, "the user is locked");
    drop(lock);
    assert_eq!(sessions(&next(&queue).await), [(1, 11)]);
}

#[tokio::test]
async fn an_abandoned_lock_request_does_not_block_the_user() {
    let queue = queue(u64::MAX);
    let held = queue.lock(user(1), "a test").await.expect("the lock");
    let abandoned = queue.lock(user(1), "a test");
    let left = tokio::time::timeout(Duration::from_millis(5), abandoned).await;
    assert!(left.is_err(), "the lock is held");
    let _write = push(&queue, 1, 10);
    drop(held);
    assert_eq!(sessions(&next(&queue).await), [(1, 10)]);
}

#[tokio::test]
async fn a_write_whose_caller_has_left_is_not_stored() {
    let queue = queue(u64::MAX);
    drop(push(&queue, 1, 10));
    let _kept = push(&queue, 1, 11);
    assert_eq!(sessions(&next(&queue).await), [(1, 11)]);
}

#[tokio::test]
async fn a_full_queue_rejects_writes_until_a_batch_ends() {
    let queue = queue(1_500);
    let _first = push(&queue, 1, 10).expect("an empty queue takes any write");
    assert!(matches!(push(&queue, 2, 20), Err(WriteError::QueueFull)));
    let batch = next(&queue).await;
    assert!(
        matches!(push(&queue, 2, 20), Err(WriteError::QueueFull)),
        "a write counts until its batch ends"
    );
    drop(batch);
    assert_eq!(queue.bytes(), 0);
    assert!(push(&queue, 2, 20).is_ok());
}

#[tokio::test]
async fn each_caller_receives_the_result_of_its_write() {
    let queue = queue(u64::MAX);
    let results = [1, 2].map(|of| push(&queue, of, of).expect("room"));
    let mut batch = next(&queue).await;
    for write in std::mem::take(&mut batch.writes) {
        let version = u64::try_from(write.session.user_id.0.as_u128()).expect("small");
        write.finish(Ok(Stored { version, ..STORED }));
    }
    for (expected, result) in (1..).zip(results) {
        let stored = result.await.expect("a result").expect("stored");
        assert_eq!(stored.version, expected);
    }
}

#[tokio::test]
async fn a_closed_queue_ends_its_workers_once_it_is_empty() {
    let queue = queue(u64::MAX);
    let waiting = Arc::clone(&queue);
    let idle = tokio::spawn(async move { waiting.next_batch().await.is_none() });
    tokio::task::yield_now().await;
    queue.close();
    assert!(idle.await.expect("no panic"), "an idle worker ends");
    let _last = push(&queue, 1, 10);
    assert_eq!(sessions(&next(&queue).await), [(1, 10)]);
    assert!(queue.next_batch().await.is_none());
}
