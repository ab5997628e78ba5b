//! Cache of rendered answers, keyed by query, rendering and data version.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::aggregate::Aggregate;
use super::answer::AggregateAnswer;
use super::error::QueryError;
use super::spec::AggregateSpec;
use crate::UserId;
use crate::fingerprint::{Fingerprint, FingerprintHasher};
use crate::ports::{AnswerCache, DataVersion, StoreError};

/// Answers aggregate queries, with a cache in front of expensive ones.
pub struct CachedAggregate {
    aggregate: Aggregate,
    cache: Option<Arc<dyn AnswerCache>>,
    /// Minimum time that an answer must take to be cached.
    min_cost: Duration,
}

/// The result of a query with a cache lookup.
pub enum CacheLookup {
    /// A rendered answer from the cache.
    Hit {
        /// The rendered answer.
        rendered: Vec<u8>,
        /// The data version that the answer shows.
        data_version: DataVersion,
    },
    /// A new answer, to be rendered, and then cached with the write if there is one.
    Miss(Box<AggregateAnswer>, Option<PendingCacheWrite>),
}

/// The key of an answer that is still to be rendered and cached.
pub struct PendingCacheWrite {
    key: String,
    began: Instant,
}

impl CachedAggregate {
    /// Caches the rendered answers that took at least `min_cost`.
    #[must_use]
    pub const fn new(
        aggregate: Aggregate,
        cache: Option<Arc<dyn AnswerCache>>,
        min_cost: Duration,
    ) -> Self {
        Self {
            aggregate,
            cache,
            min_cost,
        }
    }

    /// Returns the use case behind the cache.
    #[must_use]
    pub const fn uncached(&self) -> &Aggregate {
        &self.aggregate
    }

    /// Returns whether there is a cache.
    #[must_use]
    pub const fn has_cache(&self) -> bool {
        self.cache.is_some()
    }

    /// Returns the minimum data version that the next answer would show.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn data_version(&self, users: &[UserId]) -> Result<DataVersion, StoreError> {
        self.aggregate.data_version(users).await
    }

    /// Returns the data version of the next answer to a query. It changes with the users' data and
    /// with the metric types that the answer depends on.
    ///
    /// # Errors
    /// [`QueryError`], where the query cannot be planned.
    pub async fn data_version_of(&self, spec: &AggregateSpec) -> Result<DataVersion, QueryError> {
        self.aggregate.data_version_of(spec).await
    }

    /// Answers a query from the cache or the store. The key of a cached answer contains the user's
    /// version and the generations of the metric types that it depends on, so that a cached answer
    /// equals a new one. `render_key` is the fingerprint of the rendering; `None` skips the cache,
    /// for a query that will not be repeated, such as one up to now.
    ///
    /// # Errors
    /// [`QueryError`], as without a cache.
    pub async fn answer(
        &self,
        spec: &AggregateSpec,
        render_key: Option<&Fingerprint>,
    ) -> Result<CacheLookup, QueryError> {
        let mut planned = self.aggregate.plan(spec, 0).await?;
        let (Some(cache), Some(render_key)) = (
            &self.cache,
            render_key.filter(|_| planned.plan.may_be_expensive()),
        ) else {
            let answer = self.aggregate.answer_planned(spec, planned).await?;
            return Ok(CacheLookup::Miss(Box::new(answer), None));
        };
        let mut data_version = match planned.data_version {
            Some(data_version) => data_version,
            None => self.aggregate.data_version(&spec.users).await?,
        };
        if planned.generation < data_version.generation {
            planned = self.aggregate.plan(spec, 1).await?;
            data_version = planned.data_version.unwrap_or(data_version);
        }
        let data_version = DataVersion {
            version: data_version.version,
            generation: planned.digest,
        };
        if let Some(rendered) = cache.get(&cache_key(spec, render_key, data_version)).await {
            return Ok(CacheLookup::Hit {
                rendered,
                data_version,
            });
        }
        let began = Instant::now();
        let answer = self.aggregate.answer_planned(spec, planned).await?;
        let shown = DataVersion {
            version: answer.version,
            generation: answer.generation,
        };
        let write = PendingCacheWrite {
            key: cache_key(spec, render_key, shown),
            began,
        };
        Ok(CacheLookup::Miss(Box::new(answer), Some(write)))
    }

    /// Caches a rendered answer if it took at least the minimum time.
    pub async fn store(&self, write: PendingCacheWrite, rendered: &[u8]) {
        if let Some(cache) = &self.cache
            && write.began.elapsed() >= self.min_cost
        {
            cache.put(&write.key, rendered).await;
        }
    }
}

/// Returns the cache key of an answer: a digest of everything that the rendered answer depends on.
#[must_use]
pub fn cache_key(
    spec: &AggregateSpec,
    render_key: &Fingerprint,
    data_version: DataVersion,
) -> String {
    let mut hasher = FingerprintHasher::new("aggregate answer");
    hasher
        .field("spec", spec)
        .field("render_key", render_key)
        .field("data_version", &data_version);
    format!("answer:3:{}", hasher.finish())
}
