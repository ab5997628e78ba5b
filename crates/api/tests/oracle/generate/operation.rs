//! Random writes and deletes of a user's sessions.

use proptest::collection::vec;
use proptest::prelude::*;

use crate::generate::session::{SessionSpec, session_spec};

/// Number of session ids that the operations of one user choose from.
pub(crate) const SLOTS: usize = 6;

#[derive(Debug, Clone)]
pub(crate) enum OperationKind {
    Post(SessionSpec),
    /// A POST with `on_conflict=replace`.
    PostReplacing(SessionSpec),
    /// A POST with `on_conflict=ignore`.
    PostIgnoring(SessionSpec),
    Put(SessionSpec),
    /// Writes the stored session again.
    Repeat {
        by_put: bool,
        /// True if the body is equivalent, but in another notation.
        renotated: bool,
    },
    Delete,
}

/// An operation on the session of a slot.
#[derive(Debug, Clone)]
pub(crate) struct Operation {
    pub(crate) slot: usize,
    pub(crate) kind: OperationKind,
}

/// Between one operation and `end - 1` operations.
pub(crate) fn operations(end: usize) -> impl Strategy<Value = Vec<Operation>> {
    let kind = prop_oneof![
        8 => session_spec().prop_map(OperationKind::Post),
        1 => session_spec().prop_map(OperationKind::PostReplacing),
        1 => session_spec().prop_map(OperationKind::PostIgnoring),
        2 => session_spec().prop_map(OperationKind::Put),
        2 => any::<(bool, bool)>()
            .prop_map(|(by_put, renotated)| OperationKind::Repeat { by_put, renotated }),
        1 => Just(OperationKind::Delete),
    ];
    let operation = (0..SLOTS, kind).prop_map(|(slot, kind)| Operation { slot, kind });
    vec(operation, 1..end)
}
