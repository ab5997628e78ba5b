//! Answers remembered under the version of the data that they were made of.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::aggregate::{Aggregate, QueryError};
use super::answer::AggregateAnswer;
use super::ask::AggregateQuery;
use crate::UserId;
use crate::fingerprint::{Fingerprint, FingerprintHasher};
use crate::ports::{AnswerCache, ScanHead, StoreError};

/// Aggregates, with a cache in front of what is expensive.
pub struct CachedAggregate {
    aggregate: Aggregate,
    cache: Option<Arc<dyn AnswerCache>>,
    /// Answers that took less are not worth keeping.
    worth: Duration,
}

/// An answer, from the cache or made now.
pub enum Found {
    /// As it was rendered when it was made.
    Kept {
        /// The rendered answer.
        rendered: Vec<u8>,
        /// The moment that it shows.
        head: ScanHead,
    },
    /// To be rendered, and kept if there is a [`Keep`].
    Made(Box<AggregateAnswer>, Option<Keep>),
}

/// Where a rendered answer is to be kept.
pub struct Keep {
    key: String,
    began: Instant,
}

impl CachedAggregate {
    /// Keeps the rendered answers that took at least `worth` to make.
    #[must_use]
    pub const fn new(
        aggregate: Aggregate,
        cache: Option<Arc<dyn AnswerCache>>,
        worth: Duration,
    ) -> Self {
        Self {
            aggregate,
            cache,
            worth,
        }
    }

    /// The use case behind the cache.
    #[must_use]
    pub const fn uncached(&self) -> &Aggregate {
        &self.aggregate
    }

    /// Whether there is a cache.
    #[must_use]
    pub const fn has_cache(&self) -> bool {
        self.cache.is_some()
    }

    /// The moment that the next answer would show at least.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn head(&self, users: &[UserId]) -> Result<ScanHead, StoreError> {
        self.aggregate.head(users).await
    }

    /// The head of the next answer to `query`: it changes with the users' data, and with the metric types that the answer
    /// depends on.
    ///
    /// # Errors
    /// [`QueryError`], where the query cannot be planned.
    pub async fn head_of(&self, query: &AggregateQuery) -> Result<ScanHead, QueryError> {
        self.aggregate.head_of(query).await
    }

    /// Answers `query`. The key of a kept answer names the user's version and the generations of the metric types that it
    /// depends on, so that an answer found is the answer that would be made. `render` is the fingerprint of how the answer
    /// is rendered; `None` for a query that nobody will ask again, such as one up to now.
    ///
    /// # Errors
    /// [`QueryError`], as without a cache.
    pub async fn answer(
        &self,
        query: &AggregateQuery,
        render: Option<&Fingerprint>,
    ) -> Result<Found, QueryError> {
        let mut planned = self.aggregate.plan(query, 0).await?;
        let (Some(cache), Some(render)) = (
            &self.cache,
            render.filter(|_| planned.plan.may_be_expensive()),
        ) else {
            let answer = self.aggregate.answer_planned(query, planned).await?;
            return Ok(Found::Made(Box::new(answer), None));
        };
        let mut head = match planned.head {
            Some(head) => head,
            None => self.aggregate.head(&query.users).await?,
        };
        if planned.generation < head.generation {
            planned = self.aggregate.plan(query, 1).await?;
            head = planned.head.unwrap_or(head);
        }
        let head = ScanHead {
            version: head.version,
            generation: planned.digest,
        };
        if let Some(rendered) = cache.get(&key(query, render, head)).await {
            return Ok(Found::Kept { rendered, head });
        }
        let began = Instant::now();
        let answer = self.aggregate.answer_planned(query, planned).await?;
        let shown = ScanHead {
            version: answer.version,
            generation: answer.generation,
        };
        let keep = Keep {
            key: key(query, render, shown),
            began,
        };
        Ok(Found::Made(Box::new(answer), Some(keep)))
    }

    /// Keeps an answer if it was expensive.
    pub async fn keep(&self, keep: Keep, rendered: &[u8]) {
        if let Some(cache) = &self.cache
            && keep.began.elapsed() >= self.worth
        {
            cache.put(&keep.key, rendered).await;
        }
    }
}

/// Returns the cache key of an answer: a digest of everything that the rendered answer depends on.
#[must_use]
pub fn key(query: &AggregateQuery, render: &Fingerprint, head: ScanHead) -> String {
    let mut hasher = FingerprintHasher::new("aggregate answer");
    hasher
        .field("query", query)
        .field("render", render)
        .field("head", &head);
    format!("answer:3:{}", hasher.finish())
}
