//! Random cases: the operations of some users, and queries about the result.

use proptest::collection::vec;
use proptest::prelude::*;

use crate::generate::operation::{Operation, operations};
use crate::generate::time_span::{TimeSpan, time_span};

/// The operations of one or more users, and queries about their data.
#[derive(Debug, Clone)]
pub(crate) struct Case<Q> {
    pub(crate) time_span: TimeSpan,
    /// The operations of each user.
    pub(crate) operations: Vec<Vec<Operation>>,
    /// True if the first two users have sessions with the same ids.
    pub(crate) shares_session_ids: bool,
    pub(crate) queries: Vec<Q>,
}

impl<Q> Case<Q> {
    /// Number of rounds in which each user does at most one operation.
    pub(crate) fn rounds(&self) -> usize {
        self.operations
            .iter()
            .map(Vec::len)
            .max()
            .unwrap_or_default()
    }
}

/// A case of one user with fewer than `end` operations. `query` takes the zone of the time span.
pub(crate) fn single_user_case<S: Strategy>(
    end: usize,
    queries: usize,
    query: impl Fn(&'static str) -> S,
) -> impl Strategy<Value = Case<S::Value>>
where
    S::Value: Clone + std::fmt::Debug,
{
    time_span().prop_flat_map(move |time_span| {
        let queries = vec(query(time_span.zone), queries);
        (Just(time_span), operations(end), queries).prop_map(|(time_span, operations, queries)| {
            Case {
                time_span,
                operations: vec![operations],
                shares_session_ids: false,
                queries,
            }
        })
    })
}

/// A case of one to three users, of which the first has fewer than `end` operations and the others
/// about half as many. `query` takes the zone of the time span.
pub(crate) fn multi_user_case<S: Strategy>(
    end: usize,
    queries: usize,
    query: impl Fn(&'static str) -> S,
) -> impl Strategy<Value = Case<S::Value>>
where
    S::Value: Clone + std::fmt::Debug,
{
    time_span().prop_flat_map(move |time_span| {
        let queries = vec(query(time_span.zone), queries);
        let others = vec(operations(end.div_ceil(2)), 0..=2);
        (
            Just(time_span),
            operations(end),
            others,
            any::<bool>(),
            queries,
        )
            .prop_map(
                |(time_span, first, others, shares_session_ids, queries)| Case {
                    time_span,
                    operations: [vec![first], others].concat(),
                    shares_session_ids,
                    queries,
                },
            )
    })
}
