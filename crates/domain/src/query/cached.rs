//! Answers remembered under the version of the data that they were made of.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::aggregate::{Aggregate, AggregateQuery, QueryError};
use super::answer::AggregateAnswer;
use crate::ports::AnswerCache;

/// Aggregates, with a cache in front of what is expensive.
pub struct CachedAggregate {
    aggregate: Aggregate,
    cache: Option<Arc<dyn AnswerCache>>,
    /// Answers that took less are not worth keeping.
    worth: Duration,
}

impl CachedAggregate {
    /// Keeps the rendered answers that took at least `worth` to make.
    #[must_use]
    pub const fn new(aggregate: Aggregate, cache: Option<Arc<dyn AnswerCache>>, worth: Duration) -> Self {
        Self { aggregate, cache, worth }
    }

    /// Answers `query` as `render` writes it. The key names the user's version and the catalogue's
    /// generation, so that an answer found is the answer that would be made. `words` is what the rendered
    /// answer shows besides; `None` for a query that nobody will ask again, such as one up to now.
    ///
    /// # Errors
    /// [`QueryError`], as without a cache.
    pub async fn answer(
        &self,
        query: &AggregateQuery,
        words: Option<&str>,
        render: impl Fn(&AggregateAnswer) -> Vec<u8> + Send,
    ) -> Result<Vec<u8>, QueryError> {
        let (Some(cache), Some(words)) = (&self.cache, words) else {
            return Ok(render(&self.aggregate.answer(query).await?));
        };
        let planned = self.aggregate.plan(query).await?;
        if !planned.1.may_be_expensive() {
            return Ok(render(&self.aggregate.answer_planned(query, planned).await?));
        }
        let generation = planned.0.generation;
        let head = self.aggregate.store.head(query.user_id).await?;
        let key = |version| key(query, words, version, generation);
        if head.generation == generation
            && let Some(answer) = cache.get(&key(head.version)).await
        {
            return Ok(answer);
        }
        let started = Instant::now();
        let answer = self.aggregate.answer_planned(query, planned).await?;
        let rendered = render(&answer);
        if started.elapsed() >= self.worth && head.generation == generation {
            cache.put(&key(answer.version), &rendered).await;
        }
        Ok(rendered)
    }
}

/// A digest of everything that an answer depends on. `Debug` of a query shows all of its parts.
fn key(query: &AggregateQuery, words: &str, version: u64, generation: u64) -> String {
    let text = format!("{query:?} {words:?} at {version} in {generation}");
    format!("answer:1:{}", blake3::hash(text.as_bytes()).to_hex())
}
